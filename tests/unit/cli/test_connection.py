"""Which cluster is asked, and what is said where it gives no answer."""

from pathlib import Path

import pytest

from doubles.restapi import kubeconfig_of
from tap_cli.cluster import Cluster
from tap_cli.connection import ClusterError


@pytest.mark.parametrize(
    ("server", "reason"),
    [("https://127.0.0.1:1", "Connection refused"), ("https://nowhere.invalid", "Failed to resolve 'nowhere.invalid'")],
)
def test_a_cluster_that_gives_no_answer_is_told_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str, reason: str
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(ClusterError) as caught:
        Cluster(kubeconfig_of(tmp_path, {"server": server}, {"token": "t"})).environments()
    said = str(caught.value)
    assert said.startswith(f"the cluster does not answer ({server}: ")
    assert reason in said
    assert "HTTPSConnection" not in said


def test_a_credential_plugin_that_fails_is_told_and_makes_nobody_a_stranger(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plugin"}
    file = kubeconfig_of(tmp_path, {"server": "https://127.0.0.1:1"}, {"exec": plugin})
    with pytest.raises(ClusterError, match=r"its credentials cannot be had: .*no-such-plugin") as caught:
        Cluster(file)
    assert str(file) in str(caught.value)
    assert capfd.readouterr().err == ""


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClusterError, match=f"{tmp_path}/gone: "):
        Cluster(tmp_path / "gone")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "other"))
    with pytest.raises(ClusterError, match=f"{tmp_path}/other: "):
        Cluster()
