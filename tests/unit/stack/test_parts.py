from collections.abc import Callable

import pytest

from golden.world import World
from tap_api.base import Json
from tap_api.kinds import PARTS
from tap_stack.compose import compose
from tap_stack.composed import Composed, Condition
from tap_stack.observation import of

MakeTap = Callable[..., Json]
NOT_BUILT = Condition("Built", "False", "NotBuilt", "not built in this version")
NO_REGIONAL_TAP = Condition(
    "Built",
    "False",
    "NoRegionalTap",
    "No RegionalTap controls this part, so nothing is made or changed for it. Parts are made by a RegionalTap; write"
    " one of those, and delete this part if it is left over.",
)
NOTHING = Condition("ResourcesHealthy", "Unknown", "NothingYet", "No resource exists yet.")
UNJUDGED = Condition("Compliant", "Unknown", "NotReported", "Not judged yet: no resource exists yet.")


def composed_nothing(built: Condition) -> Composed:
    return Composed(
        resources=(),
        withheld=(),
        status={"resources": {"desired": 0, "created": 0, "ready": 0, "withheld": 0}},
        conditions=(built, NOTHING, UNJUDGED),
        ready=False,
        ttl=300,
    )


def part_xrs(tap: Json) -> dict[str, Json]:
    return {xr["kind"]: xr for xr, _ in World(tap).settle()}


@pytest.mark.usefixtures("only_the_network")
@pytest.mark.parametrize("kind", [kind.kind for kind in PARTS if kind.part != "network"])
def test_a_part_that_is_not_built_composes_nothing_and_is_not_ready(make_tap: MakeTap, kind: str) -> None:
    assert compose(part_xrs(make_tap())[kind], {}) == composed_nothing(NOT_BUILT)


@pytest.mark.usefixtures("only_the_network")
def test_a_part_that_a_newer_version_built_keeps_what_it_has(make_tap: MakeTap) -> None:
    bucket = {"apiVersion": "s3.aws.m.upbound.io/v1beta1", "kind": "Bucket", "metadata": {"name": "b"}, "spec": {}}
    composed = compose(part_xrs(make_tap())["RegionalStorage"], of({"bucket": bucket}))
    assert [item.manifest for item in composed.resources] == [bucket]


@pytest.mark.parametrize(
    "owners",
    [
        None,
        [],
        "hostile",
        [{"apiVersion": "tap.platform/v1alpha1", "kind": "RegionalTap", "name": "a"}],
        [{"apiVersion": "tap.platform/v1alpha1", "kind": "RegionalNetwork", "name": "a", "controller": True}],
        [{"apiVersion": "other.example/v1", "kind": "RegionalTap", "name": "a", "controller": True}],
    ],
)
def test_a_part_without_a_regional_tap_makes_nothing_new_and_says_so(make_tap: MakeTap, owners: object) -> None:
    xr = part_xrs(make_tap())["RegionalNetwork"]
    xr["metadata"]["ownerReferences"] = owners
    xr.pop("status", None)
    assert compose(xr, {}) == composed_nothing(NO_REGIONAL_TAP)


def test_a_part_that_lost_its_regional_tap_keeps_what_it_has_unchanged(make_tap: MakeTap) -> None:
    world = World(make_tap())
    xr, before = next(turned for turned in world.settle() if turned[0]["kind"] == "RegionalNetwork")
    xr["metadata"] = {key: value for key, value in xr["metadata"].items() if key != "ownerReferences"}
    after = compose(xr, world.observed(xr["metadata"]["name"]))
    assert {item.key: item.manifest["spec"] for item in after.resources} == {
        item.key: item.manifest["spec"] for item in before.resources
    }


def test_a_part_with_everything_ready_is_looked_at_again_in_an_hour(make_tap: MakeTap) -> None:
    turned = World(make_tap()).settle()
    composed = next(composed for xr, composed in turned if xr["kind"] == "RegionalNetwork")
    assert (composed.ready, composed.ttl, composed.withheld) == (None, 3600, ())


def test_a_part_whose_emitted_resources_are_ready_is_not_ready_while_one_is_withheld(make_tap: MakeTap) -> None:
    world = World(make_tap())
    xr, _ = next(turned for turned in world.settle() if turned[0]["kind"] == "RegionalNetwork")
    name = xr["metadata"]["name"]
    for key in ("flow-log-group", "flow-log"):
        del world.objects[name][key]
    spec = {key: value for key, value in xr["spec"].items() if key != "keyArn"}
    composed = compose({**xr, "spec": spec}, world.observed(name))
    assert (composed.ready, composed.ttl) == (False, 300)
    assert composed.status["resources"] == {"desired": 56, "created": 54, "ready": 54, "withheld": 2}
    assert [item["key"] for item in composed.status["waiting"]] == ["flow-log-group", "flow-log"]
