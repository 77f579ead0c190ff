import asyncio

import pytest

from tap_operator import lease as module
from tap_operator.cluster import LEASES
from tap_operator.errors import ClusterError, LeaseLostError
from tap_operator.lease import Lease
from unit.operator.double import InMemoryCluster


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DURATION", 0.2)
    monkeypatch.setattr(module, "RENEW_DEADLINE", 0.12)
    monkeypatch.setattr(module, "RETRY", 0.02)


def lease(cluster: InMemoryCluster, who: str) -> Lease:
    return Lease(cluster, "tap-system", "tap-operator", who)


def record(cluster: InMemoryCluster) -> dict[str, object]:
    found: dict[str, object] = cluster.objects["leases", "tap-system", "tap-operator"]["spec"]
    return found


async def test_the_first_one_holds_it_and_the_second_one_waits() -> None:
    cluster = InMemoryCluster()
    await lease(cluster, "a").acquire()
    waiting = asyncio.create_task(lease(cluster, "b").acquire())
    await asyncio.sleep(0.1)
    assert not waiting.done()
    assert (record(cluster)["holderIdentity"], record(cluster)["leaseTransitions"]) == ("a", 1)
    waiting.cancel()


async def test_a_holder_that_died_is_followed_once_its_time_is_over() -> None:
    cluster = InMemoryCluster()
    await lease(cluster, "a").acquire()
    record(cluster)["leaseDurationSeconds"] = 0.2
    began = asyncio.get_running_loop().time()
    await lease(cluster, "b").acquire()
    assert asyncio.get_running_loop().time() - began > 0.2
    assert (record(cluster)["holderIdentity"], record(cluster)["leaseTransitions"]) == ("b", 2)


async def test_a_holder_that_renews_is_not_followed() -> None:
    cluster = InMemoryCluster()
    first = lease(cluster, "a")
    await first.acquire()
    keeping = asyncio.create_task(first.keep())
    waiting = asyncio.create_task(lease(cluster, "b").acquire())
    await asyncio.sleep(0.4)
    assert (keeping.done(), waiting.done()) == (False, False)
    keeping.cancel()
    waiting.cancel()


async def test_a_lease_that_is_given_up_is_free_at_once() -> None:
    cluster = InMemoryCluster()
    first = lease(cluster, "a")
    await first.acquire()
    await first.release()
    await asyncio.wait_for(lease(cluster, "b").acquire(), 0.1)
    assert record(cluster)["holderIdentity"] == "b"


async def test_giving_up_a_lease_that_another_one_holds_does_nothing() -> None:
    cluster = InMemoryCluster()
    await lease(cluster, "a").acquire()
    await lease(cluster, "b").release()
    assert record(cluster)["holderIdentity"] == "a"


async def test_one_that_is_taken_over_ends() -> None:
    cluster = InMemoryCluster()
    first = lease(cluster, "a")
    await first.acquire()
    stolen = cluster.objects["leases", "tap-system", "tap-operator"]
    cluster.put({**stolen, "spec": {**stolen["spec"], "holderIdentity": "b"}}, LEASES.plural)
    with pytest.raises(LeaseLostError, match="the lease was taken over by b"):
        await asyncio.wait_for(first.keep(), 1)


async def test_one_that_cannot_renew_in_time_ends() -> None:
    cluster = InMemoryCluster()
    first = lease(cluster, "a")
    await first.acquire()
    cluster.refuse["replace", "leases", "tap-operator"] = ClusterError(0, "Unreachable", "no answer")
    with pytest.raises(LeaseLostError, match="could not be renewed"):
        await asyncio.wait_for(first.keep(), 1)
