"""How long a claim stands, by what is there: looked at by passes over one block."""

from typing import Any

import pytest

from tap_api.base import Json
from tap_api.blocks import CidrClaim
from tap_api.claims import claims_of
from tap_api.tenure import wish
from tap_operator.errors import ClusterError
from tap_operator.reservations import VPCS, reserve
from tap_operator.upkeep import ORPHANED_FOR, Upkeep
from unit.operator.double import InMemoryCluster

ETAP: Json = {
    "metadata": {"name": "dev", "namespace": "tap", "uid": "e1"},
    "spec": {"environment": "dev", "regions": [{"name": "us-east-1", "cidr": "10.0.0.0/16"}]},
}
RTAP: Json = {
    "metadata": {"name": "dev-us-east-1", "namespace": "tap"},
    "spec": {"environment": "dev", "region": "us-east-1", "cidr": "10.0.0.0/16", "protection": False},
}
NETWORK: Json = {**RTAP, "metadata": {"name": "dev-us-east-1-network", "namespace": "tap"}}
PLURALS = {"etap": "environmenttaps", "rtap": "regionaltaps", "network": "regionalnetworks", "vpc": VPCS.plural}


def vpc(*policies: str) -> Json:
    spec = {"forProvider": {"cidrBlock": "10.0.0.0/16"}, "managementPolicies": list(policies)}
    return {"metadata": {"name": "dev-us-east-1-network-vpc", "namespace": "tap"}, "spec": spec}


OBJECTS = {"etap": ETAP, "rtap": RTAP, "network": NETWORK, "vpc": vpc("*")}
LEFT: Json = {**ETAP, "spec": {**ETAP["spec"], "regions": []}}
MOVED: Json = {**ETAP, "spec": {**ETAP["spec"], "regions": [{"name": "us-east-1", "cidr": "10.5.0.0/16"}]}}
GROUPED: Json = {**ETAP, "spec": {**ETAP["spec"], "peeringGroup": "shared"}}
RETAINING = vpc("Observe", "Create", "Update", "LateInitialize")


class World:
    """A block with the claim of `dev-us-east-1`, and what else is there."""

    def __init__(self) -> None:
        self.cluster, self.time = InMemoryCluster(), 0.0
        self.upkeep = Upkeep(self.cluster, now=lambda: self.time)

    async def begin(self, *, protected: bool = False, **objects: Any) -> None:
        claimed = {**RTAP, "spec": {**RTAP["spec"], "protection": protected}}
        await reserve(self.cluster, wish(claimed, ETAP))
        self.cluster.writes.clear()
        self.there(**objects)

    def there(self, **objects: Json | None) -> None:
        for name, stored in objects.items():
            place = (PLURALS[name], "tap", OBJECTS[name]["metadata"]["name"])
            if stored is not None:
                self.cluster.put(stored, PLURALS[name])
            elif place in self.cluster.objects:
                self.cluster.remove(*place)

    async def settle(self, seconds: float = 0) -> float | None:
        """Passes over the block until nothing is due for a while; returns when the next pass is."""
        self.time += seconds
        for _ in range(9):
            again = await self.upkeep.pass_over("dev-10-0")
            if again != 0.0:
                return again
        message = "the passes never come to rest"
        raise AssertionError(message)

    @property
    def claims(self) -> tuple[CidrClaim, ...]:
        return claims_of(self.cluster.objects["cidrblocks", "", "dev-10-0"])


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    "objects",
    [
        pytest.param({"etap": ETAP}, id="claimed, and nothing made yet"),
        pytest.param(OBJECTS, id="all is there"),
        pytest.param({"etap": {**ETAP, "metadata": {**ETAP["metadata"], "uid": "e2"}}}, id="its owner is made again"),
    ],
)
async def test_what_is_wanted_stands_and_nothing_is_written(world: World, objects: dict[str, Any]) -> None:
    await world.begin(**objects)
    assert await world.settle(1000) is None
    assert (len(world.claims), world.cluster.writes) == (1, [])


@pytest.mark.parametrize("owner", [None, LEFT, MOVED, GROUPED], ids=["gone", "dropped", "moved", "in another group"])
@pytest.mark.parametrize("name", ["rtap", "network", "vpc"])
async def test_what_is_left_of_a_region_holds_its_claim(world: World, owner: Json | None, name: str) -> None:
    world_objects: dict[str, Any] = {"etap": owner, name: OBJECTS[name]}
    await world.begin(**world_objects)
    assert await world.settle(1000) == 3.0
    assert (len(world.claims), world.cluster.writes) == (1, [])


@pytest.mark.parametrize("owner", [LEFT, MOVED, GROUPED], ids=["dropped", "moved", "in another group"])
async def test_a_region_that_its_owner_dropped_is_released_once_all_is_gone(world: World, owner: Json) -> None:
    await world.begin(etap=owner)
    assert await world.settle() is None
    assert world.claims == ()
    # The first says that it is about to happen.
    assert [verb for verb, _, _ in world.cluster.writes] == ["replace", "replace"]


async def test_a_claim_that_nobody_can_say_anything_of_is_released_after_a_minute(world: World) -> None:
    await world.begin()
    assert await world.settle() == ORPHANED_FOR
    assert await world.settle(ORPHANED_FOR - 1) == 1.0
    assert len(world.claims) == 1
    assert await world.settle(1) is None
    assert not world.claims


async def test_an_owner_that_comes_back_within_the_minute_keeps_it(world: World) -> None:
    await world.begin()
    await world.settle()
    world.there(etap=ETAP)
    assert await world.settle(30) is None
    world.there(etap=None)
    assert await world.settle(50) == ORPHANED_FOR
    assert len(world.claims) == 1


async def test_a_release_that_was_begun_is_taken_back_where_the_region_is_wanted_again(world: World) -> None:
    await world.begin(etap=LEFT)
    assert await world.upkeep.pass_over("dev-10-0") == 0.0
    assert world.claims[0].releasing
    world.there(etap=ETAP)
    assert await world.settle() is None
    assert [there.releasing for there in world.claims] == [False]


async def test_a_release_does_not_overtake_an_owner_that_claims_again(world: World) -> None:
    await world.begin(etap=LEFT)
    await world.upkeep.pass_over("dev-10-0")
    world.there(etap=ETAP)
    await reserve(world.cluster, wish(RTAP, ETAP))
    assert await world.settle() is None
    assert [there.releasing for there in world.claims] == [False]


async def test_a_vpc_that_is_left_in_aws_keeps_its_claim_and_is_marked(world: World) -> None:
    await world.begin(protected=True, etap=LEFT, vpc=RETAINING)
    assert await world.settle() == 3.0
    world.there(vpc=None)
    assert await world.settle(1000) is None
    assert [(there.protected, there.retained) for there in world.claims] == [(True, True)]
    assert await world.settle(1000) is None
    world.there(vpc=RETAINING)
    await world.settle()
    assert [(there.protected, there.retained) for there in world.claims] == [(True, False)]


async def test_one_that_turns_out_to_be_retained_is_marked_though_its_spec_said_otherwise(world: World) -> None:
    await world.begin(etap=LEFT, vpc=RETAINING)
    await world.settle()
    world.there(vpc=None)
    await world.settle()
    assert [(there.protected, there.retained) for there in world.claims] == [(True, True)]


async def test_protection_that_was_lifted_is_taken_off_once_the_vpc_says_so(world: World) -> None:
    await world.begin(protected=True, **{**OBJECTS, "vpc": RETAINING})
    assert await world.settle() == 15.0
    assert world.claims[0].protected
    world.there(vpc=vpc("Observe", "Create", "Update", "Delete"))
    assert await world.settle() is None
    assert not world.claims[0].protected
    world.there(etap=LEFT, rtap=None, network=None, vpc=None)
    await world.settle()
    assert world.claims == ()


async def test_protection_stays_while_a_spec_asks_for_it(world: World) -> None:
    asking = {**RTAP, "spec": {**RTAP["spec"], "protection": True}}
    await world.begin(protected=True, **{**OBJECTS, "rtap": asking})
    assert await world.settle() is None
    assert world.claims[0].protected


@pytest.mark.parametrize("plural", sorted(PLURALS.values()))
async def test_what_cannot_be_read_releases_nothing(world: World, plural: str) -> None:
    await world.begin()
    await world.settle()
    world.cluster.served.discard(plural)
    with pytest.raises(ClusterError):
        await world.settle(1000)
    assert len(world.claims) == 1


async def test_a_block_that_changed_meanwhile_is_looked_at_again(world: World) -> None:
    await world.begin(etap=LEFT)
    conflict = ClusterError(409, "Conflict", "the object has been modified")
    world.cluster.refuse["replace", "cidrblocks", "dev-10-0"] = conflict
    assert await world.upkeep.pass_over("dev-10-0") == 0.0
    assert not world.claims[0].releasing
