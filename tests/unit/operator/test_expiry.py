from copy import deepcopy

import pytest

from tap_api.base import Json
from tap_operator.errors import ClusterError
from tap_operator.passes import Pass
from tap_operator.reconcile import reconcile
from unit.operator.double import InMemoryCluster
from unit.operator.test_reconcile import ETAPS, PROD

BORN, LATER = "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"


@pytest.fixture
def cluster() -> InMemoryCluster:
    made = InMemoryCluster()
    claim = deepcopy(PROD)
    claim["metadata"]["creationTimestamp"] = BORN
    claim["spec"].update(protection=False, ttl="1h")
    made.put(claim, ETAPS)
    return made


async def run(cluster: InMemoryCluster, now: str) -> Pass:
    return await reconcile(cluster, "tap-prod", "prod", now=lambda: now)


def live(cluster: InMemoryCluster) -> Json:
    return cluster.objects[ETAPS, "tap-prod", "prod"]


def expiring(cluster: InMemoryCluster) -> tuple[str, str]:
    found = next(one for one in live(cluster)["status"]["conditions"] if one["type"] == "Expiring")
    return found["reason"], found["message"]


async def test_the_end_is_told_and_looked_at_when_it_comes(cluster: InMemoryCluster) -> None:
    assert (await run(cluster, BORN)).again == 3601.0
    assert live(cluster)["status"]["expiration"] == {"ttl": "1h", "at": LATER}
    assert expiring(cluster)[0] == "Scheduled"
    await run(cluster, "2026-11-24T09:59:59Z")
    assert "deletionTimestamp" not in live(cluster)["metadata"]
    assert (await run(cluster, LATER)).again == 1.0
    assert "deletionTimestamp" in live(cluster)["metadata"]


async def test_nothing_is_deleted_before_its_end_was_told(cluster: InMemoryCluster) -> None:
    """The operator was down, or the life was set on an environment that is older."""
    await run(cluster, "2026-12-24T00:00:00Z")
    assert "deletionTimestamp" not in live(cluster)["metadata"]
    assert live(cluster)["status"]["expiration"]["at"] == "2026-12-24T00:10:00Z"
    live(cluster)["spec"]["ttl"] = "2h"
    await run(cluster, "2026-12-24T00:30:00Z")
    assert "deletionTimestamp" not in live(cluster)["metadata"]
    assert live(cluster)["status"]["expiration"] == {"ttl": "2h", "at": "2026-12-24T00:40:00Z"}


async def test_a_life_that_is_taken_away_is_over_never(cluster: InMemoryCluster) -> None:
    await run(cluster, BORN)
    del live(cluster)["spec"]["ttl"]
    await run(cluster, LATER)
    assert "deletionTimestamp" not in live(cluster)["metadata"]
    assert "expiration" not in live(cluster)["status"]


async def test_what_policy_refuses_is_not_deleted_either(cluster: InMemoryCluster) -> None:
    await run(cluster, BORN)
    live(cluster)["spec"]["protection"] = True
    assert (await run(cluster, LATER)).again == 60.0
    assert "deletionTimestamp" not in live(cluster)["metadata"]
    reason, message = expiring(cluster)
    assert reason == "ExpiryBlocked"
    assert message.startswith(f"was to be deleted at {LATER}: nothing is applied; change the claim: spec.ttl")


async def test_a_guard_that_refuses_is_told_and_tried_again(cluster: InMemoryCluster) -> None:
    await run(cluster, BORN)
    cluster.refuse["delete", ETAPS, "prod"] = ClusterError(403, "Forbidden", "ana holds the lock")
    assert (await run(cluster, LATER)).again == 60.0
    assert expiring(cluster) == ("ExpiryBlocked", f"was to be deleted at {LATER}: ana holds the lock")
    cluster.refuse.clear()
    await run(cluster, LATER)
    assert "deletionTimestamp" in live(cluster)["metadata"]
