"""Claims at the edge: compare-and-swap against a cluster in which somebody else is quicker."""

import asyncio
from copy import deepcopy

import pytest

from tap_api.base import Json
from tap_api.blocks import CidrClaim
from tap_api.claims import Conflict, Wish, claims_of
from tap_operator.cluster import Resource
from tap_operator.errors import ClusterError
from tap_operator.reservations import CIDR_BLOCKS, VPCS, reserve
from unit.api.test_claims import held
from unit.operator.double import InMemoryCluster

MINE, OTHER = held("10.0.16.0/20", "mine"), held("10.0.0.0/20", "other")
WIDE = held("10.0.0.0/18", "wide")


def wish(there: CidrClaim) -> Wish:
    return Wish("dev", there)


def stored(cluster: InMemoryCluster) -> tuple[CidrClaim, ...]:
    return claims_of(cluster.objects["cidrblocks", "", "dev-10-0"])


class Rival(InMemoryCluster):
    """A cluster in which another writer claims right after every read, as long as he has wishes."""

    def __init__(self, *wishes: Wish) -> None:
        super().__init__()
        self._wishes = list(wishes)

    async def get(self, what: Resource, namespace: str, name: str, *, must_be_served: bool = False) -> Json | None:
        found = await super().get(what, namespace, name, must_be_served=must_be_served)
        if what == CIDR_BLOCKS and self._wishes:
            wished = self._wishes.pop()
            rival = InMemoryCluster()
            rival.objects, rival._version = self.objects, self._version + 1
            await reserve(rival, wished)
            self._version = rival._version
        return found


async def test_a_block_is_made_by_its_name_and_then_replaced() -> None:
    cluster = InMemoryCluster()
    assert await reserve(cluster, wish(MINE)) == MINE
    assert await reserve(cluster, wish(OTHER)) == OTHER
    assert stored(cluster) == (OTHER, MINE)
    assert [verb for verb, _, _ in cluster.writes] == ["create", "replace"]


async def test_a_claim_that_stands_writes_nothing() -> None:
    cluster = InMemoryCluster()
    await reserve(cluster, wish(MINE))
    cluster.writes.clear()
    assert await reserve(cluster, wish(MINE)) == MINE
    assert cluster.writes == []


@pytest.mark.parametrize("before", [[], [held("10.0.64.0/20", "old")]], ids=["both create", "both replace"])
async def test_whoever_was_slower_reads_again_and_finds_the_other(before: list[CidrClaim]) -> None:
    cluster = Rival(wish(OTHER))
    for there in before:
        cluster._wishes = []
        await reserve(cluster, wish(there))
    cluster._wishes = [wish(OTHER)]
    found = await reserve(cluster, wish(WIDE))
    assert isinstance(found, Conflict)
    assert OTHER in found.holders
    assert WIDE not in stored(cluster)


async def test_whoever_was_slower_beside_another_range_gets_his_too() -> None:
    cluster = Rival(wish(OTHER))
    assert await reserve(cluster, wish(MINE)) == MINE
    assert stored(cluster) == (OTHER, MINE)


async def test_a_block_that_never_rests_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "sleep", _no_time)
    cluster = InMemoryCluster()
    cluster.refuse["create", "cidrblocks", "dev-10-0"] = ClusterError(409, "AlreadyExists", "already exists")
    with pytest.raises(ClusterError, match=r"CidrBlock dev-10-0 changed at each of 12 tries to claim 10.0.16.0/20"):
        await reserve(cluster, wish(MINE))


async def _no_time(_: float) -> None:
    return None


@pytest.mark.parametrize(
    ("vpc", "taken_up"),
    [
        pytest.param(None, False, id="left in AWS, with no object"),
        pytest.param({}, True, id="its object is there again"),
        pytest.param({"deletionTimestamp": "2026-11-24T09:00:00Z"}, False, id="its object is on its way out"),
    ],
)
async def test_a_protected_claim_goes_to_a_namesake_only_with_its_vpc(vpc: Json | None, *, taken_up: bool) -> None:
    cluster = InMemoryCluster()
    await reserve(cluster, wish(held("10.0.16.0/20", "mine", protected=True)))
    if vpc is not None:
        meta = {"namespace": "tap", "name": "mine-us-east-1-network-vpc", **vpc}
        cluster.put({"metadata": deepcopy(meta)}, VPCS.plural)
    found = await reserve(cluster, wish(held("10.0.16.0/20", "mine", uid="2", protected=True)))
    assert isinstance(found, CidrClaim) is taken_up


async def test_a_provider_that_is_not_served_is_no_sign_that_there_is_no_vpc() -> None:
    cluster = InMemoryCluster()
    await reserve(cluster, wish(held("10.0.16.0/20", "mine", protected=True)))
    cluster.served.discard(VPCS.plural)
    with pytest.raises(ClusterError, match="does not serve"):
        await reserve(cluster, wish(held("10.0.16.0/20", "mine", uid="2", protected=True)))
