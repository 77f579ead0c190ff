import json
from copy import deepcopy
from functools import partial
from pathlib import Path

import pytest
import yaml

from golden.world import World, regional_tap
from tap_api.base import Json
from tap_cli.main import cli, run
from tap_stack.drift.survey import survey
from tap_stack.plan import State
from unit.cli.test_commands import served

ALONE = {"apiVersion": "tap.platform/v1alpha1", "kind": "RegionalTap", "metadata": {"name": "alone"}}
ETAP = {**ALONE, "kind": "EnvironmentTap"}


@pytest.fixture(scope="module")
def objects() -> list[Json]:
    """A region that stands alone, settled, in which somebody changed a field in AWS."""
    tap = regional_tap("dev", "us-east-1")
    del tap["metadata"]["ownerReferences"]
    del tap["metadata"]["labels"]
    world = World(tap)
    world.settle()
    made = [deepcopy(item) for of_xr in world.objects.values() for item in of_xr.values()]
    vpc = next(item for item in made if item["kind"] == "VPC")
    vpc["status"]["atProvider"]["enableDnsSupport"] = False
    return [world.tap, *made]


def asked(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = run(partial(cli, ["drift", *args], prog_name="tap"))
    said = capsys.readouterr()
    return code, said.out, said.err


def saved(folder: Path, items: list[Json]) -> str:
    (folder / "saved").mkdir()
    (folder / "saved" / "all.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return str(folder / "saved")


def test_a_region_that_stands_alone_is_looked_at_too(
    objects: list[Json], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = saved(tmp_path, objects)
    code, text, _ = asked(capsys, "dev-us-east-1", "-A", "--observed", folder, "-o", "yaml")
    (told,) = yaml.safe_load(text)["taps"]
    assert (code, told["kind"], told["name"]) == (2, "RegionalTap", "dev-us-east-1")
    assert told["drifted"] == [
        {
            "region": "us-east-1",
            "part": "network",
            "resource": "vpc",
            "kind": "VPC",
            "name": "dev-us-east-1-network-vpc",
            "path": "spec.forProvider.enableDnsSupport",
            "wanted": True,
            "real": False,
        }
    ]
    assert (told["changing"], told["unseen"]) == ([], [])


def test_what_aws_was_not_seen_to_have_is_told_as_not_compared(objects: list[Json]) -> None:
    """As while it is made, and as it is before this version has looked at anything."""
    fresh = deepcopy(objects)
    for item in fresh:
        item.get("status", {}).pop("drift", None)
    subnet = next(item for item in fresh if item["kind"] == "Subnet")
    subnet["status"]["atProvider"] = {}
    found = survey(fresh[0], State.of(fresh, "tap-dev"))
    assert found.drifted == ()
    assert [item.difference.path for item in found.changing] == ["spec.forProvider.enableDnsSupport"]
    key = subnet["metadata"]["annotations"]["crossplane.io/composition-resource-name"]
    assert found.unseen == (("us-east-1", "network", key),)


@pytest.mark.parametrize(
    ("items", "args", "message"),
    [
        ([], ("prod",), "error: no EnvironmentTap 'prod' in any namespace; `tap status` lists those there are\n"),
        ([{**ETAP, "spec": {}}], ("-n", "x"), "error: no EnvironmentTap in x; `tap status` lists those there are\n"),
        ([ETAP], (), "error: EnvironmentTap alone: spec is missing; save it again\n"),
        (
            [{**ALONE, "spec": {"region": 3}}],
            (),
            "error: RegionalTap alone is refused; nothing was changed. Mend its spec:\n",
        ),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_message(
    items: list[Json], args: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = saved(tmp_path, [*items, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}])
    code, out, error = asked(capsys, *args, "--observed", folder)
    assert (code, out) == (1, "")
    assert error.startswith(message)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--observed", "gone"), "error: gone: no such folder; save what there is"),
        (("--kubeconfig", "/nonexistent"), "error: no kubeconfig that can be used"),
        (("-n", "x", "-A"), "--namespace and --all-namespaces contradict one another; take one of them"),
        (("-o", "markdown"), "'markdown' is not one of 'table', 'json', 'yaml'"),
        (("a", "b"), "Got unexpected extra argument (b)"),
    ],
)
def test_a_command_line_that_is_wrong_ends_in_one(
    args: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, error = asked(capsys, *args)
    assert (code, out) == (1, "")
    assert message in error


def test_a_cluster_that_forbids_it_gets_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with served(b"{}", tmp_path, 403) as kubeconfig:
        said = asked(capsys, "--kubeconfig", str(kubeconfig))
    message = "error: you may not list environmenttaps.tap.platform here; ask for the ClusterRole `tap-view`\n"
    assert said == (1, "", message)
