"""Where the status of a tap is written."""

from tap_api.base import Json
from tap_api.kinds import ENVIRONMENT_TAP, Kind
from tap_operator.cluster import Cluster, resource
from tap_operator.events import transitions


async def write_status(cluster: Cluster, kind: Kind, thing: Json, status: Json) -> None:
    """Applies a status to the very object that was read: a namesake in its place is a conflict."""
    meta = thing["metadata"]
    head = kind.reference(meta["name"], meta["namespace"])
    head["metadata"]["uid"] = meta["uid"]
    await cluster.apply(resource(kind), {**head, "status": status}, "status")


async def report(cluster: Cluster, environment_tap: Json, status: Json) -> None:
    """Writes the status where it differs from the present one, then tells of the conditions that changed."""
    before = environment_tap.get("status") or {}
    if status == before:
        return
    await write_status(cluster, ENVIRONMENT_TAP, environment_tap, status)
    await transitions(cluster, environment_tap, before, status)
