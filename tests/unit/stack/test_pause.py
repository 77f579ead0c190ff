"""A region that is paused: what AWS is not asked for, what is said of it, and how it comes back."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from golden.world import Environment, World
from tap_api.base import GROUP, Json
from tap_api.common import RegionState
from tap_stack import pause
from tap_stack.assembly import Emitted, assemble
from tap_stack.observation import of
from tap_stack.resource import Resource

MakeTap = Callable[..., Json]
COMPOSED = "apiextensions.crossplane.io/composed/1234"


def fields(manager: str) -> list[Json]:
    names: Json = {"f:metadata": {"f:annotations": {f"f:{pause.ANNOTATION}": {}}}}
    return [{"manager": manager, "operation": "Apply", "fieldsV1": names}]


def thing(value: str | None, managed_fields: list[Json] | None = None) -> Json:
    annotations = {pause.ANNOTATION: value} if value else {}
    meta: Json = {"name": "thing", "annotations": annotations}
    if managed_fields is not None:
        meta["managedFields"] = managed_fields
    return {"apiVersion": "a.aws.m.upbound.io/v1beta1", "kind": "Thing", "metadata": meta, "spec": {}}


@pytest.mark.parametrize(
    ("observed", "present", "paused"),
    [
        (None, {}, "true"),
        (thing(None), {}, "true"),
        (thing("true"), {pause.ANNOTATION: "false"}, "true"),
        (thing("false"), {pause.ANNOTATION: "false"}, "true"),
        (thing("true", fields(COMPOSED)), {pause.ANNOTATION: "false"}, "true"),
        (thing("true", fields("kubectl-annotate")), {}, "true"),
        (thing("true", []), {}, "true"),
    ],
    ids=["not there", "never paused", "ours", "taken back", "managed by us", "by hand", "by nobody known"],
)
def test_a_pause_of_ours_is_taken_back_and_one_by_hand_stays(observed: Any, present: Json, paused: str) -> None:
    observation = of({"thing": observed})["thing"] if observed else None
    assert pause.annotation(RegionState.PRESENT, observation) == present
    assert pause.annotation(RegionState.PAUSED, observation) == {pause.ANNOTATION: paused}


def annotations(world: World) -> dict[str, str]:
    """Returns the annotation of every resource of AWS, by name."""
    return {
        item["metadata"]["name"]: item["metadata"].get("annotations", {}).get(pause.ANNOTATION, "")
        for composed in world.objects.values()
        for item in composed.values()
        if item["apiVersion"].partition("/")[0] != GROUP
    }


def parts(world: World) -> dict[str, Json]:
    return {part["name"]: part for part in world.tap["status"]["parts"]}


def said(turned: Any, kind: str) -> tuple[str, str]:
    found = next(condition for condition in turned[0][1].conditions if condition.type == kind)
    return found.status, found.reason


def test_every_resource_of_a_paused_region_is_annotated_and_no_part_is(make_tap: MakeTap) -> None:
    world = World(make_tap())
    world.settle()
    there = {name: deepcopy(composed) for name, composed in world.objects.items()}
    ready = world.tap["status"]["resources"]["ready"]
    world.tap["spec"]["state"] = "Paused"
    turned = world.settle()
    found = annotations(world)
    assert set(found.values()) == {"true"}
    assert [part["metadata"].get("annotations", {}).get(pause.ANNOTATION) for part in there["prod-us-east-1"].values()]
    for part in ("network", "database"):
        assert pause.ANNOTATION not in world.objects["prod-us-east-1"][part]["metadata"]["annotations"]
    counts = world.tap["status"]["resources"]
    # What is made stays ready: applications go on using it.
    assert (counts["paused"], counts["ready"]) == (len(found), ready)
    assert said(turned, "ResourcesHealthy") == ("Unknown", "Paused")
    assert {part["ready"] for part in parts(world).values()} == {True}
    assert world.tap["status"]["outputs"]["vpcId"]


def test_a_region_that_is_paused_from_the_first_has_objects_that_aws_is_not_asked_for(make_tap: MakeTap) -> None:
    world = World(make_tap(state="Paused"))
    world.settle()
    assert set(annotations(world).values()) == {"true"}
    assert world.tap["status"]["resources"]["ready"] == 0
    assert parts(world)["network"]["message"] == "is paused: nothing of it is changed in AWS"
    world.tap["spec"]["state"] = "Present"
    world.settle()
    assert "paused" not in world.tap["status"]["resources"]
    assert {part["ready"] for part in parts(world).values()} == {True}


def test_a_resumed_region_is_what_it_was_and_says_false(make_tap: MakeTap) -> None:
    world = World(make_tap())
    before = world.settle()
    world.tap["spec"]["state"] = "Paused"
    world.settle()
    world.tap["spec"]["state"] = "Present"
    after = world.settle()
    assert set(annotations(world).values()) == {"false"}
    assert [composed.status for _, composed in after] == [composed.status for _, composed in before]
    assert [composed.conditions for _, composed in after] == [composed.conditions for _, composed in before]


def test_what_leaves_a_paused_region_goes_once_its_pause_is_taken_back(make_tap: MakeTap) -> None:
    """The world of the tests refuses to drop a resource that is paused, as it would hang for ever."""
    world = World(make_tap())
    world.settle()
    world.tap["spec"]["state"] = "Paused"
    world.tap["spec"]["network"] = {**world.tap["spec"]["network"], "zones": 2}
    world.settle()
    assert "prod-us-east-1-network-private-c" in annotations(world)
    world.tap["spec"]["state"] = "Present"
    world.turn()
    assert annotations(world)["prod-us-east-1-network-private-c"] == "false"
    world.settle()
    assert "prod-us-east-1-network-private-c" not in annotations(world)


def test_what_nobody_paused_is_left_out_at_once() -> None:
    assert assemble([], of({"thing": thing(None)})).emitted == ()
    assert assemble([], of({"thing": thing("true", fields("kubectl"))})).emitted == ()
    [kept] = assemble([], of({"thing": thing("true")})).emitted
    assert kept.manifest["metadata"] == {"name": "thing", "annotations": {pause.ANNOTATION: "false"}}


def test_a_region_that_policy_refuses_stays_paused(make_tap: MakeTap) -> None:
    world = World(make_tap(state="Paused"))
    world.settle()
    world.tap["spec"]["cidr"] = "10.77.0.1/16"
    world.turn()
    assert world.objects["prod-us-east-1"]["key"]["metadata"]["annotations"][pause.ANNOTATION] == "true"


def test_a_part_that_has_not_looked_yet_counts_as_paused(make_tap: MakeTap) -> None:
    """A region is removed once nothing of it is paused, so nothing may be forgotten on the way."""
    world = World(make_tap())
    world.settle()
    world.tap["spec"]["state"] = "Paused"
    [(_, composed), *_] = world.look()
    assert {part["resources"]["paused"] for part in composed.status["parts"]} == {1}
    world.settle()
    world.tap["spec"]["state"] = "Present"
    network = world.objects["prod-us-east-1"]["network"]
    network["spec"]["state"] = "Present"
    network["metadata"]["generation"] = 3
    for condition in network["status"]["conditions"]:
        condition["observedGeneration"] = 2
    del network["status"]["resources"]["paused"]
    [(_, composed), *_] = world.look()
    there = {part["name"]: part["resources"].get("paused", 0) for part in composed.status["parts"]}
    assert there["network"] > 1


def test_the_other_regions_go_on() -> None:
    environment = Environment("prod")
    environment.settle()
    environment.claim["spec"]["regions"][1]["state"] = "Paused"
    environment.settle()
    found = {name: set(annotations(world).values()) for name, world in environment.worlds.items()}
    assert found == {"us-east-1": {""}, "us-east-2": {"true"}, "eu-west-1": {""}}


def test_a_resource_in_the_first_pass_carries_the_annotation() -> None:
    assert assemble([Resource("thing", thing("true"))], {}).emitted == (Emitted("thing", thing("true"), ready=False),)
