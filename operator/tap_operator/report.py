"""Where an EnvironmentTap's status is written."""

from tap_api.base import Json
from tap_api.kinds import ENVIRONMENT_TAP
from tap_operator.cluster import ENVIRONMENT_TAPS, Cluster
from tap_operator.events import transitions


async def report(cluster: Cluster, environment_tap: Json, status: Json) -> None:
    """Writes the status where it differs from the present one, then tells of the conditions that changed."""
    before = environment_tap.get("status") or {}
    if status == before:
        return
    meta = environment_tap["metadata"]
    head = ENVIRONMENT_TAP.reference(meta["name"], meta["namespace"])
    head["metadata"]["uid"] = meta["uid"]
    await cluster.apply(ENVIRONMENT_TAPS, {**head, "status": status}, "status")
    await transitions(cluster, environment_tap, before, status)
