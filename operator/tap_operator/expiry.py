"""The end of an environment that has a life (`spec.ttl`): it is deleted as a person would delete it."""

from tap_api.base import Json
from tap_api.lifetime import expiration, seconds_left
from tap_api.rollup import Trouble
from tap_operator.cluster import ENVIRONMENT_TAPS, Cluster
from tap_operator.errors import ClusterError

BLOCKED = "ExpiryBlocked"
#: Seconds until a deletion that a guard or a lock refused is tried again.
POLL = 60.0


async def expire(cluster: Cluster, environment_tap: Json, now: str, problem: Trouble | None) -> Trouble | None:
    """Deletes an environment whose time has come; returns what is in the way, None for nothing.

    What policy refuses (`problem`) is not acted on, its end neither.

    What was not told yet is not acted on: the end has to be in the status first (tap_api.lifetime).
    """
    ending = expiration(environment_tap, now)
    told = (environment_tap.get("status") or {}).get("expiration")
    if ending is None or ending.manifest() != told or seconds_left(ending, now) > 0:
        return None
    if problem is not None:
        return Trouble(BLOCKED, problem.message)
    meta = environment_tap["metadata"]
    try:
        await cluster.delete(ENVIRONMENT_TAPS, meta["namespace"], meta["name"], meta["uid"])
    except ClusterError as error:
        return Trouble(BLOCKED, str(error))
    return None
