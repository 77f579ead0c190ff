"""An environment whose cluster is lost, restored from what `tap state export` saved (docs/restore.md), on real Crossplane.

AWS is a double of the provider: it keeps what it has while nothing is left of the cluster's objects.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.test_whole_stack import driven, ready
from cluster.world import World
from doubles.aws import external_name
from doubles.provider import ProviderDouble
from tap_api import manifest
from tap_cluster.part import Part
from tap_cluster.services import ADMISSION

ROOT = Path(__file__).parents[2]
[CLAIM] = manifest.read(ROOT / "claims" / "dev.yaml")
#: What stands in the document in place of what differs here.
NAMESPACE, NAME = "tap-prod", "prod"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`make soak` restores one that follows the primary too, so that facts go from one to the other again."""
    metafunc.parametrize("regions", [2 if metafunc.config.getoption("seeds") > 1 else 1])


def documented() -> list[str]:
    """Returns the commands with which the document restores what was saved."""
    text = (ROOT / "docs" / "restore.md").read_text(encoding="utf-8")
    return re.findall(r"^ *\$ (kubectl (?:apply|wait) .*)$", text, re.MULTILINE)


def names(world: World) -> dict[str, str]:
    """Returns what each managed resource is called in AWS."""
    return {f"{one['kind']}/{one['metadata']['name']}": external_name(one) for one in world.managed()}


def identities(world: World) -> dict[str, str]:
    return {f"{one['kind']}/{one['metadata']['name']}": one["metadata"]["uid"] for one in world.managed()}


@pytest.fixture
def looking(world: World) -> list[Part]:
    """The processes of ours and Crossplane's that look at what is there."""
    return [world.process(name) for name in ("operator", *ADMISSION, "crossplane")]


@contextmanager
def stopped(parts: Sequence[Part]) -> Iterator[None]:
    """Nobody looks."""
    for part in parts:
        part.kill()
    try:
        yield
    finally:
        for part in reversed(parts):
            part.start()


def lose(world: World) -> None:
    """Takes away every object of the namespace, as if the cluster had never had one; nothing is asked of AWS."""
    for kind in ("etap", "rtap", "tap", "managed"):
        world.kubectl("delete", kind, "--all", "--wait=false", *world.break_glass)
        if left := world.kubectl("get", kind, "-o", "name").split():
            world.kubectl(
                "patch", *left, "--type=merge", '--patch={"metadata":{"finalizers":null}}', *world.break_glass
            )
    world.free_ranges()


def test_what_was_saved_is_taken_up_again_and_nothing_is_made_or_changed_in_aws(
    world: World, looking: list[Part], tmp_path: Path, regions: int
) -> None:
    saved = tmp_path / "saved"
    with ProviderDouble(world.cluster.kubeconfig, world.namespace) as provider:
        world.apply({**CLAIM, "spec": {**CLAIM["spec"], "regions": CLAIM["spec"]["regions"][:regions]}})
        ready(world, provider, "dev")
        world.settle("dev")
        command = [
            sys.executable,
            "-m",
            "tap_cli",
            "state",
            "export",
            "dev",
            "-n",
            world.namespace,
            "--out",
            str(saved),
        ]
        subprocess.run([*command, "--kubeconfig", str(world.cluster.kubeconfig)], check=True, stdout=subprocess.DEVNULL)
        account = provider.account
    in_aws, before = dict(account.made), names(world)
    with stopped(looking):
        lose(world)
        assert not world.managed()
        assert not world.names("environmenttaps")

    with driven(world) as provider:
        provider.account = account
        applied: dict[str, str] = {}
        for line in documented():
            here = line.replace(NAMESPACE, world.namespace).replace(f"/{NAME}/", "/dev/").replace("saved/", f"{saved}/")
            world.kubectl(*shlex.split(here)[1:])
            applied = applied or identities(world)
        assert applied.keys() == before.keys()
        ready(world, provider, "dev")
        world.settle("dev")
        assert names(world) == before
        assert {key: uid for key, uid in identities(world).items() if key in applied} == applied, "they were taken up"
        assert account.made.keys() == in_aws.keys()
        assert provider.journal.of("deleted") == []
