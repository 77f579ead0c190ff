"""Three regions in an account that makes things in any order, slowly, and fails: what the cluster tests try on one.

Without a control plane, but with the provider's own CRDs (which say what a reference means) and AWS's refusals.
"""

from pathlib import Path

import pytest

from doubles.managed import Kinds
from golden.slow import SlowEnvironment, is_ready
from golden.world import Environment
from tap_api import manifest
from tap_api.base import Json
from tap_stack.catalogue import catalogue
from tap_stack.composed import Composed, Condition

REGIONS = ("us-east-1", "us-east-2", "eu-west-1")
TRAIL = {"trail": "Create"}
#: Turns after which an environment that is made at once comes to rest, with some to spare.
TURNS = 16


@pytest.fixture(scope="module")
def kinds(crds: Path) -> Kinds:
    found = Kinds()
    for kind, entry in catalogue().items():
        (crd,) = manifest.read(crds / f"{entry.group}_{entry.plural}.yaml")
        (version,) = crd["spec"]["versions"]
        found.learn(kind, version["schema"]["openAPIV3Schema"])
    return found


def asked_for(environment: Environment) -> dict[str, Json]:
    """Returns what is asked of AWS, without what AWS answered."""
    return {
        resource["metadata"]["name"]: resource["spec"]
        for world in environment.worlds.values()
        for objects in world.objects.values()
        for resource in objects.values()
        if resource["apiVersion"].partition("/")[0] == "tap.platform"
    }


@pytest.mark.parametrize(("claim", "seed"), [("prod", 1), ("prod", 2), ("dev", 3)])
def test_three_regions_come_up_in_any_order_and_aws_is_asked_for_nothing_that_it_refuses(
    kinds: Kinds, claim: str, seed: int
) -> None:
    slow = SlowEnvironment(claim, kinds, seed=seed, monitoring=TRAIL)
    turned = slow.until_ready()
    assert slow.refusals == []
    status = slow.status(turned)
    assert status["readyRegions"] == "3/3"
    assert status["resources"]["ready"] == status["resources"]["desired"] == len(slow.account.made)
    assert {region["name"]: region["ready"] for region in status["regions"]} == dict.fromkeys(REGIONS, True)


def test_the_order_in_which_aws_makes_things_changes_nothing_in_the_end(kinds: Kinds) -> None:
    ends = []
    for seed in (3, 4):
        slow = SlowEnvironment("prod", kinds, seed=seed, chance=0.7)
        slow.until_ready()
        ends.append((asked_for(slow.environment), slow.order))
    assert ends[0][1] != ends[1][1]
    assert ends[0][0] == ends[1][0]
    quick = Environment("prod")
    quick.settle()
    assert asked_for(quick) == ends[0][0]


def test_a_writer_that_takes_its_time_holds_up_the_secondaries_databases_and_nothing_else(kinds: Kinds) -> None:
    slow = SlowEnvironment("prod", kinds, seed=5, chance=1)
    slow.slow["rds.ClusterInstance"] = 0
    for _ in range(TURNS):
        turned = slow.turn()
    clusters = [name for kind, name in slow.order if kind == "rds.Cluster"]
    assert clusters == ["prod-us-east-1-database-cluster"]
    for region in REGIONS:
        ready = {xr["kind"]: is_ready(composed) for xr, composed in turned[region]}
        assert ready == {kind: kind not in ("RegionalTap", "RegionalDatabase") for kind in ready}
    del slow.slow["rds.ClusterInstance"]
    slow.until_ready()
    assert slow.refusals == []


@pytest.mark.parametrize("region", REGIONS[:2])
def test_a_failure_is_told_of_its_region_and_the_others_go_on(kinds: Kinds, region: str) -> None:
    slow = SlowEnvironment("prod", kinds, seed=6, chance=1)
    words = "LimitExceededException: Rate exceeded for this account"
    slow.failing[f"prod-{region}-processor-dead-letters"] = words
    for _ in range(TURNS):
        turned = slow.turn()
    status = slow.status(turned)
    assert {one["name"]: one["ready"] for one in status["regions"]} == {name: name != region for name in REGIONS}
    healthy = next(one for one in status["conditions"] if one["type"] == "ResourcesHealthy")
    assert (healthy["status"], healthy["message"]) == ("False", f"{region}/processor/dead-letters: {words}")
    slow.failing.clear()
    slow.until_ready()
    assert slow.refusals == []


def test_a_key_that_fails_holds_up_its_region_alone(kinds: Kinds) -> None:
    slow = SlowEnvironment("prod", kinds, seed=7, chance=1)
    slow.failing["prod-eu-west-1-key"] = "LimitExceededException: keys"
    for _ in range(TURNS):
        turned = slow.turn()
    ready = {name: is_ready(of_region[0][1]) for name, of_region in turned.items()}
    assert ready == {"us-east-1": True, "us-east-2": True, "eu-west-1": False}
    # The account is not known there, so nothing was named with it.
    assert not any(kind == "s3.Bucket" and name.startswith("prod-eu-west-1") for kind, name in slow.order)
    slow.failing.clear()
    slow.until_ready()
    assert slow.refusals == []


@pytest.mark.parametrize("seed", range(2))
def test_what_is_still_being_made_never_drifts_and_what_is_made_is_all_compared(kinds: Kinds, seed: int) -> None:
    """References are resolved here, as they are on a cluster: what they mean is compared too."""
    slow = SlowEnvironment("prod", kinds, seed=seed, monitoring=TRAIL)
    for _ in range(120):
        told = [drifted(composed) for turned in slow.turn().values() for _, composed in turned]
        assert [condition for condition in told if condition.status == "True"] == []
        if {(condition.status, condition.message) for condition in told} == {("False", "")}:
            return
    raise AssertionError(told)


def drifted(composed: Composed) -> Condition:
    return next(condition for condition in composed.conditions if condition.type == "Drifted")
