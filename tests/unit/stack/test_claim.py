"""The claim of a range as the network sees it: it holds a VPC back, and takes none away."""

from collections.abc import Callable
from typing import Any

import pytest

from golden.world import World, regional_tap
from tap_api.base import Json
from tap_stack.compose import compose
from tap_stack.composed import Composed, Condition
from tap_stack.observation import Observation, of

MakeTap = Callable[..., Json]
ALONE: Json = {
    "apiVersion": "tap.platform/v1alpha1",
    "kind": "RegionalTap",
    "metadata": {"name": "alone", "namespace": "tap-dev", "uid": "u1"},
    "spec": {"environment": "dev", "region": "eu-west-1", "cidr": "10.9.0.0/16", "tags": {"CostCenter": "x"}},
}


def network(world: World) -> tuple[Json, dict[str, Observation]]:
    """Returns the network of a world, and what is observed of it."""
    [xr] = [xr for xr, _ in world.look() if xr["kind"] == "RegionalNetwork"]
    return xr, world.observed(xr["metadata"]["name"])


def reserved(composed: Composed) -> Condition | None:
    return next((condition for condition in composed.conditions if condition.type == "CidrReserved"), None)


def edited(block: Json, **claim: Any) -> dict[str, Json]:
    """Returns a block whose one claim has other fields."""
    spec = {**block["spec"], "claims": [{**block["spec"]["claims"][0], **claim}]}
    return {block["metadata"]["name"]: {**block, "spec": spec}}


def keys(composed: Composed) -> set[str]:
    return {item.key for item in composed.resources}


def test_with_its_claim_a_network_is_made_and_says_so() -> None:
    world = World(regional_tap("prod", "us-east-1"))
    xr, _ = network(world)
    composed = compose(xr, {}, world.blocks)
    assert "vpc" in keys(composed)
    assert composed.requires == ("prod-10-0",)
    assert reserved(composed) == Condition("CidrReserved", "True", "Reserved", "10.0.0.0/16 is claimed in prod-10-0")


HOLDER = {
    "cidr": "10.0.0.0/20",
    "regionalTap": {"namespace": "tap-other", "name": "big-us-east-1"},
    "owner": {"kind": "EnvironmentTap", "namespace": "tap-other", "name": "big", "uid": "9"},
}
NOT_MINE = [
    pytest.param(HOLDER, "Overlap", "EnvironmentTap tap-other/big (RegionalTap big-us-east-1)", id="another's"),
    pytest.param({"releasing": True}, "NotClaimed", "not claimed in CidrBlock prod-10-0 yet", id="about to go"),
    pytest.param({"retained": True}, "NotClaimed", "not claimed in CidrBlock prod-10-0 yet", id="outlived"),
    pytest.param(
        {"owner": {"kind": "RegionalTap", "namespace": "tap-prod", "name": "prod-us-east-1", "uid": "old"}},
        "NotClaimed",
        "not claimed in CidrBlock prod-10-0 yet",
        id="an earlier region's of that name",
    ),
]


@pytest.mark.parametrize(("claim", "reason", "said"), NOT_MINE)
def test_without_its_claim_no_vpc_is_made_and_nothing_that_refers_to_one(claim: Json, reason: str, said: str) -> None:
    world = World(regional_tap("prod", "us-east-1"))
    xr, _ = network(world)
    composed = compose(xr, {}, edited(world.blocks["prod-10-0"], **claim))
    assert not keys(composed) & {"vpc", "internet-gateway", "private-a", "default-security-group"}
    waits = {item.key: item.source for item in composed.withheld}
    assert said in waits["vpc"]
    assert waits["private-a"] == waits["vpc"]
    told = reserved(composed)
    assert told is not None
    assert (told.status, told.reason, told.message) == ("False", reason, waits["vpc"])


@pytest.mark.parametrize(
    "blocks",
    [
        {},
        *(
            edited(
                {
                    "metadata": {"name": "prod-10-0"},
                    "spec": {"peeringGroup": "prod", "cidr": "10.0.0.0/16", "claims": [HOLDER]},
                }
            ),
        ),
    ],
)
def test_a_claim_that_is_lost_takes_nothing_away(blocks: dict[str, Json]) -> None:
    world = World(regional_tap("prod", "us-east-1"))
    before = {xr["metadata"]["name"]: composed for xr, composed in world.settle()}
    xr, observed = network(world)
    composed = compose(xr, observed, blocks)
    assert composed.resources == before[xr["metadata"]["name"]].resources
    assert composed.withheld == ()
    told = reserved(composed)
    assert told is not None
    assert told.status == "False"


def test_a_region_that_stands_alone_takes_the_claim_of_its_own_life_alone() -> None:
    world = World(ALONE)
    xr, _ = network(world)
    assert "vpc" in keys(compose(xr, {}, world.blocks))
    owner = world.blocks["dev-10-9"]["spec"]["claims"][0]["owner"]
    earlier = edited(world.blocks["dev-10-9"], owner={**owner, "uid": "u0"})
    assert "vpc" not in keys(compose(xr, {}, earlier))


def test_where_nobody_looked_the_vpc_is_composed_and_nothing_is_said_of_its_claim() -> None:
    xr, _ = network(World(regional_tap("prod", "us-east-1")))
    composed = compose(xr, {})
    assert "vpc" in keys(composed)
    assert reserved(composed) is None


def test_a_region_says_what_its_network_does() -> None:
    world = World(ALONE)
    world.blocks = {}
    world.turn()
    [(_, composed), *_] = world.turn()
    told = reserved(composed)
    assert told is not None
    assert (told.status, told.reason) == ("False", "NotClaimed")
    assert "10.9.0.0/16 is not claimed in CidrBlock dev-10-9 yet" in told.message
    assert compose(world.tap, of({})).requires == ()


def test_another_peering_group_is_another_block() -> None:
    shared = {**ALONE, "spec": {**ALONE["spec"], "peeringGroup": "shared"}}
    world = World(shared)
    xr, _ = network(world)
    assert compose(xr, {}, world.blocks).requires == ("shared-10-9",)
    assert "vpc" in keys(compose(xr, {}, world.blocks))
