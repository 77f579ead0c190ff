"""The order in which regions go, on real Crossplane: AWS is a double of the provider."""

import random
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import pytest

from cluster.test_whole_stack import driven, ready
from cluster.world import World
from doubles.provider import ProviderDouble
from tap_api import manifest
from tap_api.teardown import ORDER, TORN_DOWN
from tap_cluster.services import NAMESPACE

[CLAIM] = manifest.read(Path(__file__).parents[2] / "claims" / "dev.yaml")
REGIONS = ["us-east-1", "us-east-2"]
#: What may die while something goes.
VICTIMS = ("operator", "function", "crossplane", "kube-apiserver", "etcd")
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


class Interruptions:
    """Kills process after process while something goes, each once so many resources are gone; a seed chooses."""

    def __init__(self, world: World, provider: ProviderDouble, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311
        gone = len(provider.journal.of("deleted"))
        places = sorted(chance.sample(range(gone, gone + len(provider.account.made)), len(VICTIMS)))
        self._left = list(zip(places, chance.sample(VICTIMS, len(VICTIMS)), strict=True))
        self._world, self._provider = world, provider

    def look(self) -> None:
        """Kills what is to be killed by now, and starts again what has ended, as a node would.

        An operator that a killed apiserver kept from its Lease ends too.
        """
        while self._left and len(self._provider.journal.of("deleted")) > self._left[0][0]:
            self._world.cluster.process(self._left.pop(0)[1]).kill()
        self._world.cluster.revive()

    @property
    def over(self) -> bool:
        return not self._left


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`make test` has one seed, and foreground deletion, which Kubernetes' own collector takes part in."""
    if "seed" in metafunc.fixturenames:
        seeds = range(metafunc.config.getoption("seeds"))
        cascades = ["foreground", "background"] if len(seeds) > 1 else ["foreground"]
        metafunc.parametrize(("cascade", "seed"), [(cascade, seed) for seed in seeds for cascade in cascades])


@pytest.mark.timeout(540, func_only=True)
def test_an_environment_goes_region_by_region_and_part_by_part_whatever_is_killed(
    world: World, cascade: str, seed: int
) -> None:
    with driven(world) as provider:
        claim = deepcopy(CLAIM)
        claim["spec"]["regions"] = [region for region in claim["spec"]["regions"] if region["name"] in REGIONS]
        world.apply(claim)
        ready(world, provider, "dev")
        uid = world.get("regionaltaps", "dev-us-east-1")["metadata"]["uid"]
        stuck = next(name for kind, name in provider.account.made if kind == "lambda.Function" and "us-east-2" in name)
        provider.fail(stuck, WORDS)
        world.kubectl("delete", "etap", "dev", f"--cascade={cascade}", "--wait=false")

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
        interruptions = Interruptions(world, provider, 2 * seed + (cascade == "foreground"))
        provider.heal()

        def gone() -> bool:
            provider.check()
            interruptions.look()
            return not world.names("environmenttaps") and not world.names("regionaltaps") and not world.managed()

        world.until(gone, "nothing is left", 360)
        assert interruptions.over
        assert provider.account.made == {}
        for region in REGIONS:
            in_order(provider, region)
        assert max(times(provider, "us-east-2", "network")) < min(times(provider, "us-east-1", "monitoring"))


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
