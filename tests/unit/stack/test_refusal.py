"""A RegionalTap that came past admission, or that was stored under older rules."""

from collections.abc import Callable

import pytest

from golden.world import World
from tap_api.base import Json
from tap_api.policy import judge
from tap_stack.compose import compose
from tap_stack.composed import Composed, Condition
from tap_stack.observation import of

MakeTap = Callable[..., Json]


def policy(composed: Composed) -> Condition:
    return next(condition for condition in composed.conditions if condition.type == "PolicyCompliant")


def test_every_rule_that_is_broken_is_named_in_a_condition_and_nothing_is_made(make_tap: MakeTap) -> None:
    tap = make_tap(region="mars-1", cidr="8.8.0.0/16", state="Absent")
    tap["spec"]["tags"] = {}
    composed = compose(tap, {})
    assert (composed.resources, composed.withheld, composed.ready) == ((), (), False)
    violations = judge("RegionalTap", tap)
    assert [violation.code for violation in violations] == [
        "Cidr",
        "RegionUnknown",
        "RegionState",
        "TagMissing",
    ]
    condition = policy(composed)
    assert (condition.status, condition.reason) == ("False", "RulesBroken")
    assert all(str(violation) in condition.message for violation in violations)


def test_a_region_that_keeps_the_rules_says_so(make_tap: MakeTap) -> None:
    assert policy(compose(make_tap(), {})) == Condition("PolicyCompliant", "True", "RulesKept")


@pytest.mark.parametrize("turns", [1, 2, 8])
def test_what_is_there_stays_as_it_is_when_the_spec_breaks_a_rule(make_tap: MakeTap, turns: int) -> None:
    world = World(make_tap())
    for _ in range(turns):
        world.turn()
    there = world.objects["prod-us-east-1"]
    for part in there.values():
        part["spec"]["crossplane"] = {"resourceRefs": [{"name": "x"}]}
    broken = make_tap(cidr="10.77.0.1/16")
    broken["spec"]["tags"] = {}
    broken["status"] = world.tap["status"]
    composed = compose(broken, of(there))
    assert {item.key for item in composed.resources} == set(there)
    for item in composed.resources:
        spec = {key: value for key, value in there[item.key]["spec"].items() if key != "crossplane"}
        assert item.manifest["spec"] == spec
        assert item.manifest["metadata"]["name"] == there[item.key]["metadata"]["name"]
    assert composed.withheld == ()
    # What AWS says goes on being reported.
    assert composed.status.get("outputs", {}).items() >= world.tap["status"].get("outputs", {}).items()
    # Crossplane would call it ready where all that is there is.
    assert composed.ready is False


def test_what_is_ready_below_a_refused_region_is_shown_as_ready(make_tap: MakeTap) -> None:
    world = World(make_tap())
    world.settle()
    broken = make_tap(cidr="10.77.0.1/16")
    ready = [part["ready"] for part in compose(broken, of(world.objects["prod-us-east-1"])).status["parts"]]
    assert ready == [part["ready"] for part in world.tap["status"]["parts"]]
    assert any(ready)


def test_a_long_list_of_violations_is_cut(make_tap: MakeTap) -> None:
    tap = make_tap()
    tap["spec"]["tags"] = {f"{'*' * 100}{i}": "x" for i in range(40)}
    message = policy(compose(tap, {})).message
    assert len(message) == 4096
    assert message.endswith("…")
