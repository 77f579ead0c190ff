"""Every verb that asks a cluster, where there is none, where it is gone midway, and where one may not: one line each."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from doubles.restapi import RestApi, serving
from tap_api import manifest
from tap_api.base import API_VERSION
from tap_cli.main import VERBS, cli, run, verb

CLAIM = Path(__file__).parents[3] / "claims" / "dev.yaml"
#: Verb -> arguments of one that asks a cluster.
ASKING: dict[str, tuple[str, ...]] = {
    "validate": ("validate", "--cluster"),
    "plan": ("plan", str(CLAIM), "--against", "cluster"),
    "deploy": ("deploy", str(CLAIM), "--yes"),
    "destroy": ("destroy", str(CLAIM), "--yes"),
    "drift": ("drift",),
    "status": ("status",),
    "outputs": ("outputs", "dev"),
    "lock": ("lock", "dev"),
    "lock status": ("lock", "status"),
    "unlock": ("unlock", "dev"),
    "state export": ("state", "export", "dev", "--out", "exported"),
    "doctor": ("doctor",),
}
every_verb = pytest.mark.parametrize("name", ASKING)


@pytest.fixture
def api() -> RestApi:
    [claim] = manifest.read(CLAIM)
    claim["metadata"]["namespace"] = "tap-dev"
    return RestApi((f"/apis/{API_VERSION}/namespaces/tap-dev/environmenttaps", claim))


@pytest.fixture
def kubeconfig(api: RestApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    with serving(api, tmp_path) as kubeconfig:
        yield kubeconfig


def said(name: str, kubeconfig: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = run(partial(cli, [*ASKING[name], "--kubeconfig", str(kubeconfig)]))
    found = capsys.readouterr()
    return code, found.out, found.err


def test_no_verb_that_asks_a_cluster_is_left_out() -> None:
    offline = {"init", "render", "synth", "completion"}
    assert {name for name in VERBS if any(option.name == "kubeconfig" for option in verb(name).params)} == set(ASKING)
    assert offline == set(VERBS) - set(ASKING)


@every_verb
def test_no_cluster(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(name, tmp_path / "gone", capsys)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: no kubeconfig that can be used (")


@every_verb
def test_a_cluster_that_does_not_answer(
    name: str, api: RestApi, kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.gone_after = 0
    code, out, err = said(name, kubeconfig, capsys)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: the cluster does not answer (")


@every_verb
def test_a_cluster_that_is_gone_midway(
    name: str, api: RestApi, kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.gone_after = 1
    code, out, err = said(name, kubeconfig, capsys)
    if name == "outputs":  # It asks once.
        assert err.startswith("error: no outputs of dev in ")
    else:
        assert err.startswith("error: the cluster does not answer (")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert not (kubeconfig.parent / "exported").exists()


@every_verb
def test_a_right_that_is_missing(name: str, api: RestApi, kubeconfig: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for method in ("GET", "POST", "PUT"):
        api.refused[method, "/"] = (403, 'User "alice" cannot create resource "environmenttaps"')
    code, out, err = said(name, kubeconfig, capsys)
    if name == "doctor":  # What cannot be seen is said, check by check, and is no problem by itself.
        assert (code, err) == (0, "")
        assert "not looked at: you may not GET /version" in out
        return
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: you may not list ")


@every_verb
def test_credentials_that_are_not_accepted(
    name: str, api: RestApi, kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.refused["GET", "/"] = (401, "Unauthorized")
    code, out, err = said(name, kubeconfig, capsys)
    assert (code, out) == (1, "")
    assert err == "error: the cluster does not accept these credentials; log in again\n"
