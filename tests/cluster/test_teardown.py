"""The order in which regions go, on real Crossplane: AWS is a double of the provider."""

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cluster.ranges import held
from cluster.test_deploy import Deployer
from cluster.test_whole_stack import driven, ready
from cluster.world import World
from doubles.account import Key
from doubles.provider import ProviderDouble
from tap_api import manifest
from tap_api.base import Json
from tap_api.naming import LABEL_PEERING_GROUP
from tap_api.teardown import ORDER, TORN_DOWN
from tap_cluster.part import Part
from tap_cluster.services import NAMESPACE

[CLAIM] = manifest.read(Path(__file__).parents[2] / "claims" / "dev.yaml")
REGIONS = ["us-east-1", "us-east-2"]
TABLE: Key = ("dynamodb.Table", f"dev-{REGIONS[0]}-sessions-table")
WORDS = "DependencyViolation: the queue is busy"


def times(provider: ProviderDouble, region: str, part: str) -> list[int]:
    """Returns when AWS deleted the resources of a part, as places in the journal."""
    prefix = f"dev-{region}-{part}-"
    return [i for i, (what, key, _) in enumerate(provider.journal.events) if what == "deleted" and prefix in key[1]]


def in_order(provider: ProviderDouble, region: str) -> None:
    stages = [[i for part in parts for i in times(provider, region, part)] for parts in ORDER]
    assert all(stages), stages
    for before, after in pairwise(stages):
        assert max(before) < min(after), (region, stages)


def claimed(*regions: str) -> Json:
    """Returns the claim with these regions."""
    spec = {**CLAIM["spec"], "regions": [region for region in CLAIM["spec"]["regions"] if region["name"] in regions]}
    return {**CLAIM, "spec": spec}


@pytest.fixture
def victims(world: World) -> list[Part]:
    """What may die while something goes."""
    return [world.process(name) for name in ("operator", "function", "crossplane", "kube-apiserver", "etcd")]


class Interruptions:
    """Kills process after process while something goes, each once so many resources are gone; a seed chooses."""

    def __init__(
        self, world: World, victims: Sequence[Part], provider: ProviderDouble, seed: int, region: str = ""
    ) -> None:
        """Args: region: what goes; empty: everything."""
        chance = random.Random(seed)  # noqa: S311
        gone = len(provider.journal.of("deleted"))
        going = sum(region in name for _, name in provider.account.made)
        places = sorted(chance.sample(range(gone, gone + going), len(victims)))
        self._left = list(zip(places, chance.sample(victims, len(victims)), strict=True))
        self._world, self._provider = world, provider

    def look(self) -> None:
        """Kills what is to be killed by now, and starts again what has ended, as a node would.

        An operator that a killed apiserver kept from its Lease ends too.
        """
        while self._left and len(self._provider.journal.of("deleted")) > self._left[0][0]:
            self._left.pop(0)[1].kill()
        self._world.cluster.revive()

    @property
    def over(self) -> bool:
        return not self._left


class Way:
    """How somebody deletes an environment, and what they do while it goes."""

    def __init__(self, world: World, folder: Path, *command: str) -> None:
        """Args: command: what they type; empty: `tap destroy`."""
        self._world, self._command, self._deployer = world, command, Deployer(world, folder)
        self._claim = ""
        self._destroy: subprocess.Popen[str] | None = None

    def begin(self, claim: Json) -> None:
        if self._command:
            self._world.kubectl("delete", "etap", "dev", *self._command)
            return
        self._claim = self._deployer.claim(regions=claim["spec"]["regions"])
        self._destroys()

    def _destroys(self) -> None:
        command = [sys.executable, "-m", "tap_cli", "destroy", self._claim, "--yes", "--timeout", "500"]
        pipes: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self._destroy = subprocess.Popen(command, text=True, env=self._deployer.env, **pipes)

    def look(self) -> None:
        """Tries to delete the namespace, which is refused as long as there is a tap; destroys again what was broken off."""
        done = self._world.tried("delete", "namespace", self._world.namespace, "--dry-run=server")
        assert done.returncode or not self._world.names("environmenttaps"), done.stdout
        if self._destroy and self._destroy.poll():
            # The apiserver was away: said in words, and the same command goes on where it was.
            _, told = self._destroy.communicate()
            assert "Traceback" not in told
            assert told.startswith("error: "), told
            self._destroys()

    def end(self) -> None:
        """Sees that whoever waited was told of the end."""
        if self._destroy:
            out, told = self._destroy.communicate(timeout=120)
            assert (self._destroy.returncode, told) == (0, "")
            assert "gone" in out


#: How an environment is deleted; GitOps does as `background` does.
WAYS = {
    "foreground": ("--cascade=foreground", "--wait=false"),
    "background": ("--cascade=background", "--wait=false"),
    "tap-destroy": (),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`make test` has one seed, and foreground deletion, which Kubernetes' own collector takes part in."""
    seeds = range(metafunc.config.getoption("seeds"))
    if "way" in metafunc.fixturenames:
        ways = list(WAYS) if len(seeds) > 1 else ["foreground"]
        metafunc.parametrize(("way", "seed"), [(way, seed) for seed in seeds for way in ways])
    elif "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", seeds)


@pytest.mark.timeout(540, func_only=True)
def test_an_environment_goes_region_by_region_and_part_by_part_whatever_is_killed(
    world: World, victims: list[Part], way: str, seed: int, tmp_path: Path
) -> None:
    somebody = Way(world, tmp_path, *WAYS[way])
    with driven(world) as provider:
        claim = claimed(*REGIONS)
        world.apply(claim)
        ready(world, provider, "dev")
        uid = world.get("regionaltaps", "dev-us-east-1")["metadata"]["uid"]
        stuck = next(name for kind, name in provider.account.made if kind == "lambda.Function" and "us-east-2" in name)
        provider.fail(stuck, WORDS)
        somebody.begin(claim)

        def told(kind: str, name: str) -> str:
            conditions = world.get(kind, name)["status"]["conditions"]
            return next((f"{c['reason']} {c['message']}" for c in conditions if c["type"] == TORN_DOWN), "")

        def named() -> bool:
            provider.check()
            return WORDS in told("regionaltaps", "dev-us-east-2") and WORDS in told("environmenttaps", "dev")

        world.until(named, "what does not go is named", 120)
        assert told("environmenttaps", "dev").startswith("Blocked ")
        assert "us-east-2: processor/function: " in told("environmenttaps", "dev")
        assert "Blocked" in world.kubectl("get", "events", "-o", "jsonpath={.items[*].reason}")
        # Nothing of what it uses went, and nothing of the primary.
        assert not [i for part in ("database", "storage", "network") for i in times(provider, "us-east-2", part)]
        primary = world.get("regionaltaps", "dev-us-east-1")["metadata"]
        assert (primary["uid"], "deletionTimestamp" in primary) == (uid, False)
        interruptions = Interruptions(world, victims, provider, len(WAYS) * seed + list(WAYS).index(way))
        provider.heal()

        def gone() -> bool:
            provider.check()
            interruptions.look()
            somebody.look()
            return not world.names("environmenttaps") and not world.names("regionaltaps") and not world.managed()

        world.until(gone, "nothing is left", 360)
        somebody.end()
        assert interruptions.over
        assert provider.account.made == {}
        for region in REGIONS:
            in_order(provider, region)
        assert max(times(provider, "us-east-2", "network")) < min(times(provider, "us-east-1", "monitoring"))


@pytest.mark.timeout(540, func_only=True)
def test_a_region_that_leaves_goes_whatever_is_killed_and_no_other_is_touched(
    world: World, victims: list[Part], seed: int
) -> None:
    stays, leaves = REGIONS
    with driven(world) as provider:
        world.apply(claimed(*REGIONS))
        ready(world, provider, "dev")

        def kept() -> dict[Key, Json]:
            """Returns what is asked of each resource of the region that stays.

            But for the replicas of its table, and the stream that replicas need.
            """
            specs = {key: deepcopy(made["spec"]) for key, made in provider.account.made.items() if stays in key[1]}
            for field in ("replica", "streamEnabled", "streamViewType"):
                specs[TABLE]["forProvider"].pop(field, None)
            return specs

        before, uid = kept(), world.get("regionaltaps", f"dev-{stays}")["metadata"]["uid"]
        interruptions = Interruptions(world, victims, provider, seed, leaves)
        world.apply(claimed(stays))

        def gone() -> bool:
            provider.check()
            interruptions.look()
            there = [one["metadata"]["name"] for one in world.managed()]
            return world.names("regionaltaps") == [f"dev-{stays}"] and not [name for name in there if leaves in name]

        world.until(gone, "nothing of the region is left", 360)
        assert interruptions.over
        in_order(provider, leaves)
        assert [key for key in provider.account.made if leaves in key[1]] == []
        assert [key for key in provider.journal.of("deleted") if stays in key[1]] == []
        assert kept() == before
        assert world.get("regionaltaps", f"dev-{stays}")["metadata"]["uid"] == uid
        ready(world, provider, "dev")


def test_an_environment_with_an_end_goes_when_it_comes_unless_somebody_holds_it(world: World) -> None:
    claim = deepcopy(CLAIM)
    claim["spec"].update(regions=claim["spec"]["regions"][:1], ttl="1m")
    world.apply(claim)
    world.until(lambda: "expiration" in world.get("environmenttaps", "dev").get("status", {}), "its end is told")
    status = world.get("environmenttaps", "dev")["status"]
    assert status["expiration"]["ttl"] == "1m"
    [said] = [one for one in status["conditions"] if one["type"] == "Expiring"]
    assert (said["reason"], said["message"].partition(",")[0]) == (
        "Scheduled",
        f"is deleted at {status['expiration']['at']}",
    )
    operator = f"--as=system:serviceaccount:{NAMESPACE}:tap-operator"
    world.apply(
        {**claim, "metadata": {"name": "stays"}, "spec": {**claim["spec"], "peeringGroup": "other", "ttl": None}}
    )
    told = world.kubectl_fails("delete", "etap", "stays", operator)
    assert "may delete an EnvironmentTap with spec.ttl, once its status tells when, and no other" in told
    world.until(lambda: world.names("environmenttaps") == ["stays"], "it is gone", 150)
    assert not world.names("regionaltaps") or world.names("regionaltaps") == ["stays-us-east-1"]


def test_an_environment_that_is_orphaned_leaves_its_regions_as_they_are(world: World) -> None:
    world.apply(claimed("us-east-1"))
    world.until(lambda: world.names("keys.kms.aws.m.upbound.io") == ["dev-us-east-1-key"], "its key is asked for")
    world.delete("etap", "dev", "--cascade=orphan")
    [region] = world.objects("regionaltaps")
    assert (region["metadata"].get("ownerReferences"), region["metadata"].get("deletionTimestamp")) == (None, None)
    # From here on it stands alone, and its range is its own.
    blocks = f"--selector={LABEL_PEERING_GROUP}={world.namespace}"

    def owners() -> list[str]:
        found = json.loads(world.kubectl("get", "cidrblocks", blocks, "-o", "json"))["items"]
        return [there.owner.kind for there in held(found)]

    world.until(lambda: owners() == ["RegionalTap"], "its range is handed on")
    assert world.names("keys.kms.aws.m.upbound.io") == ["dev-us-east-1-key"]
