"""Regions that are paused, and regions that are removed by their state."""

from copy import deepcopy

import pytest

from tap_operator.errors import ClusterError
from unit.operator.double import InMemoryCluster
from unit.operator.test_reconcile import (
    CHILDREN,
    ETAPS,
    PROD,
    RTAPS,
    child,
    condition,
    names,
    run,
    settle,
    status,
)


@pytest.fixture
def cluster() -> InMemoryCluster:
    made = InMemoryCluster()
    made.put(PROD, ETAPS)
    return made


def set_states(cluster: InMemoryCluster, *states: str) -> None:
    regions = [{**region, "state": state} for region, state in zip(PROD["spec"]["regions"], states, strict=True)]
    cluster.edit(ETAPS, "tap-prod", "prod", {"spec": {"regions": regions}})


def look(cluster: InMemoryCluster, region: str, generation: int, paused: int = 0) -> None:
    """Does what Crossplane does with a RegionalTap that it has looked at."""
    conditions = [{"type": "Synced", "status": "True", "reason": "Fine", "observedGeneration": generation}]
    resources = {"desired": 5, "created": 5, **({"paused": paused} if paused else {})}
    child(cluster, region)["status"] = {"conditions": conditions, "resources": resources}


async def test_a_paused_region_is_applied_as_one(cluster: InMemoryCluster) -> None:
    await settle(cluster)
    set_states(cluster, "Present", "Paused", "Present")
    await run(cluster)
    assert [child(cluster, region)["spec"]["state"] for region in ("us-east-1", "us-east-2")] == ["Present", "Paused"]
    assert [write for write in cluster.writes if write[1] == RTAPS] == [("apply", RTAPS, "prod-us-east-2")]


async def test_an_absent_region_is_removed_and_comes_back(cluster: InMemoryCluster) -> None:
    await settle(cluster)
    set_states(cluster, "Present", "Absent", "Present")
    await run(cluster)
    assert names(cluster, RTAPS) == ["prod-eu-west-1", "prod-us-east-1"]
    await settle(cluster)
    await run(cluster)
    assert cluster.writes == []
    assert [(r["name"], r["state"]) for r in status(cluster)["regions"]] == [
        ("us-east-1", "Present"),
        ("eu-west-1", "Present"),
        ("us-east-2", "Absent"),
    ]
    set_states(cluster, "Present", "Present", "Present")
    await run(cluster)
    assert names(cluster, RTAPS) == CHILDREN


@pytest.mark.parametrize("leaves", ["the list", "by its state"])
async def test_a_paused_region_is_resumed_before_it_is_removed(cluster: InMemoryCluster, leaves: str) -> None:
    await settle(cluster)
    set_states(cluster, "Present", "Paused", "Present")
    await run(cluster)
    look(cluster, "us-east-2", 2, paused=5)
    before = deepcopy(child(cluster, "us-east-2"))
    if leaves == "the list":
        regions = [PROD["spec"]["regions"][i] for i in (0, 2)]
        cluster.edit(ETAPS, "tap-prod", "prod", {"spec": {"regions": regions}})
    else:
        set_states(cluster, "Present", "Absent", "Present")
    done = await run(cluster)
    now = child(cluster, "us-east-2")
    # Nothing else of it changes.
    assert (now["spec"], done.again) == ({**before["spec"], "state": "Present"}, 5.0)
    assert now["metadata"]["ownerReferences"] == before["metadata"]["ownerReferences"]
    assert condition(cluster, "Synced")[:2] == ("False", "Resuming")
    for generation, paused in ((2, 0), (3, 5), (3, 1)):  # An old word, and resources that are still paused.
        look(cluster, "us-east-2", generation, paused)
        await run(cluster)
        assert "prod-us-east-2" in names(cluster, RTAPS)
    look(cluster, "us-east-2", 3)
    await run(cluster)
    assert "prod-us-east-2" not in names(cluster, RTAPS)


async def test_the_primary_goes_after_its_replicas(cluster: InMemoryCluster) -> None:
    await settle(cluster)
    set_states(cluster, "Present", "Absent", "Absent")
    cluster.refuse["delete", RTAPS, "prod-eu-west-1"] = ClusterError(500, "InternalError", "no")
    await run(cluster)
    set_states(cluster, "Absent", "Absent", "Absent")
    await run(cluster)
    assert names(cluster, RTAPS) == ["prod-eu-west-1", "prod-us-east-1"]
    assert "us-east-1: is removed once eu-west-1 is gone: it holds replicas" in condition(cluster, "Synced")[2]
    cluster.refuse.clear()
    await run(cluster)
    await run(cluster)
    assert names(cluster, RTAPS) == []


def switched_over(cluster: InMemoryCluster, region: str) -> None:
    """Lets the primary tell that the cluster of a region writes the global database."""
    fact = {"identifier": "prod-global", "engineVersion": "8.0.mysql_aurora.3.10.0", "region": region}
    cluster.edit(RTAPS, "tap-prod", "prod-us-east-1", {"status": {"facts": {"globalCluster": fact}}})


async def test_a_region_that_writes_the_database_stays_until_another_one_does(cluster: InMemoryCluster) -> None:
    await settle(cluster)
    switched_over(cluster, "eu-west-1")
    set_states(cluster, "Present", "Present", "Absent")
    await settle(cluster)
    assert names(cluster, RTAPS) == CHILDREN
    status, reason, message = condition(cluster, "Synced")
    assert (status, reason) == ("False", "WritesDatabase")
    assert "eu-west-1: writes the global database; it is removed once that was switched over to us-east-1" in message
    switched_over(cluster, "us-east-1")
    await run(cluster)
    assert names(cluster, RTAPS) == ["prod-us-east-1", "prod-us-east-2"]


async def test_the_range_of_an_absent_region_is_not_claimed(cluster: InMemoryCluster) -> None:
    set_states(cluster, "Present", "Absent", "Present")
    await run(cluster)
    held = [claim["cidr"] for block in cluster.objects.values() for claim in block.get("spec", {}).get("claims", [])]
    assert sorted(held) == ["10.0.0.0/16", "10.2.0.0/16"]
