import json
import shlex
import subprocess
from copy import deepcopy
from functools import partial
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from tap_api.base import Json
from tap_api.errors import TapError
from tap_cli.main import cli, run
from tap_cli.outputs import command, github, shell, table, told
from unit.cli.test_commands import served

CLAIM = Path(__file__).parents[3] / "claims" / "dev.yaml"
KNOWN = {
    "us-east-1": {"bucketName": "prod-us-east-1-data-0", "apiEndpoint": "https://a.example/?x='1' $2"},
    "eu-west-1": {"bucketName": "prod-eu-west-1-data-0"},
}
PROD: Json = {
    "metadata": {"name": "prod", "namespace": "tap-prod"},
    "spec": {"regions": [{"name": "us-east-1"}, {"name": "us-east-2"}, {"name": "eu-west-1"}]},
    "status": {"regions": [{"name": region, "outputs": outputs} for region, outputs in KNOWN.items()]},
}


def asked(folder: Path, items: list[Json], *args: str) -> tuple[int, str]:
    body = json.dumps({"kind": "EnvironmentTapList", "items": items}).encode()
    with served(body, folder) as kubeconfig:
        done = CliRunner().invoke(command, [*args, "--kubeconfig", str(kubeconfig)], env={"NO_PROXY": "127.0.0.1"})
    return done.exit_code, str(done.exception) if isinstance(done.exception, TapError) else done.stdout


def test_what_is_known_is_told_and_what_is_not_is_left_out() -> None:
    assert told(PROD) == KNOWN
    assert told(PROD, ["eu-west-1"]) == {"eu-west-1": KNOWN["eu-west-1"]}


@pytest.mark.parametrize(
    ("status", "regions", "message"),
    [
        (
            {},
            [],
            "no outputs of prod in us-east-1, us-east-2, eu-west-1 yet: AWS has not made them; `tap status prod` says why",
        ),
        (
            PROD["status"],
            ["us-east-2"],
            "no outputs of prod in us-east-2 yet: AWS has not made them; `tap status prod` says why",
        ),
        (PROD["status"], ["mars"], "'mars' is no region of prod; its regions are us-east-1, us-east-2, eu-west-1"),
    ],
)
def test_what_is_not_known_is_said_with_what_to_do(status: Json, regions: list[str], message: str) -> None:
    with pytest.raises(TapError) as raised:
        told({**PROD, "status": status}, regions)
    assert str(raised.value) == message


def test_a_shell_reads_back_what_was_written() -> None:
    script = "\n".join(shell(KNOWN)) + '\nprintf %s "$US_EAST_1_API_ENDPOINT"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == KNOWN["us-east-1"]["apiEndpoint"]
    assert list(shell({"eu-west-1": {"bucketName": "b"}})) == ["EU_WEST_1_BUCKET_NAME=b"]
    assert shlex.split(list(shell(KNOWN))[1]) == [f"US_EAST_1_API_ENDPOINT={KNOWN['us-east-1']['apiEndpoint']}"]


def test_a_line_break_ends_no_output_of_a_job_early() -> None:
    assert list(github({"a": {"x": "1"}})) == ["a-x=1"]
    (text,) = github({"a": {"x": "1\nb=2"}})
    first, *middle, last = text.split("\n")
    assert (first, middle) == (f"a-x<<{last}", ["1", "b=2"])


def test_people_read_a_table() -> None:
    assert [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in table(KNOWN)] == [
        "us-east-1",
        "  bucketName   prod-us-east-1-data-0",
        "  apiEndpoint  https://a.example/?x='1' $2",
        "eu-west-1",
        "  bucketName   prod-eu-west-1-data-0",
    ]


@pytest.mark.parametrize(
    ("output", "read"),
    [("json", json.loads), ("yaml", yaml.safe_load), ("env", str.splitlines), ("github", str.splitlines)],
)
def test_programs_read_what_the_cluster_holds(
    output: str, read: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    code, text = asked(tmp_path, [PROD], "prod", "-o", output)
    lines = {"env": list(shell(KNOWN)), "github": list(github(KNOWN))}
    assert (code, read(text)) == (0, lines.get(output, KNOWN))  # type: ignore[operator]


def test_a_job_finds_its_outputs_in_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "output"
    file.write_text("before=1\n")
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    assert asked(tmp_path, [PROD], "prod", "-r", "eu-west-1", "-o", "github") == (0, "")
    assert file.read_text() == "before=1\neu-west-1-bucketName=prod-eu-west-1-data-0\n"


def test_one_environment_is_meant(tmp_path: Path) -> None:
    other = deepcopy(PROD)
    other["metadata"]["namespace"] = "tap-other"
    assert asked(tmp_path, [], "prod") == (
        1,
        "no EnvironmentTap 'prod' in any namespace; `tap status` lists those there are",
    )
    assert asked(tmp_path, [PROD, other], "prod") == (
        1,
        "there is an EnvironmentTap 'prod' in tap-other, tap-prod; choose one with --namespace",
    )


@pytest.mark.parametrize(
    "refusal",
    [
        (401, "error: the cluster does not accept these credentials; log in again\n"),
        (403, "error: you may not list {} here; ask for the ClusterRole `tap-view`\n"),
        (404, "error: the cluster does not know {}; install TAP on Crossplane in it first (`make up`)\n"),
        (500, "error: the cluster could not list {}: 500 Internal Server Error\n"),
    ],
)
@pytest.mark.parametrize("verb", ["plan", "outputs", "status"])
def test_a_cluster_that_refuses_gets_one_line(
    verb: str,
    refusal: tuple[int, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    status, message = refusal
    args = {"plan": ["plan", str(CLAIM), "--against", "cluster"], "outputs": ["outputs", "dev"], "status": ["status"]}
    with served(b"{}", tmp_path, status) as kubeconfig:
        code = run(partial(cli, [*args[verb], "--kubeconfig", str(kubeconfig)], prog_name="tap"))
    said = capsys.readouterr()
    what = "regionaltaps.tap.platform" if verb == "plan" else "environmenttaps.tap.platform"
    assert (code, said.out, said.err) == (1, "", message.format(what))
