"""Our finalizer on an object: put there before it is needed, taken away once nothing is left to take down."""

from tap_api.base import Json
from tap_api.teardown import FINALIZER, finalizers, is_deleted
from tap_operator.cluster import Cluster, Resource
from tap_operator.errors import ClusterError

_TRIES = 5


async def hold(cluster: Cluster, what: Resource, live: Json) -> Json:
    """Gives an object that is not being deleted our finalizer; returns it as it is then."""
    return await _finalize(cluster, what, live, held=True)


async def let_go(cluster: Cluster, what: Resource, live: Json) -> None:
    """Takes our finalizer from an object."""
    await _finalize(cluster, what, live, held=False)


async def _finalize(cluster: Cluster, what: Resource, live: Json, *, held: bool) -> Json:
    meta = live["metadata"]
    for turn in range(_TRIES):
        there = finalizers(live)
        if (FINALIZER in there) is held or (held and is_deleted(live)):
            return live
        wanted = [*there, FINALIZER] if held else [name for name in there if name != FINALIZER]
        try:
            return await cluster.finalize(what, live, wanted)
        except ClusterError as error:
            if error.reason == "NotFound":
                return live
            if error.reason != "Conflict" or turn == _TRIES - 1:
                raise
        now = await cluster.get(what, meta["namespace"], meta["name"])
        if now is None or now["metadata"]["uid"] != meta["uid"]:
            return live
        live = now
    return live
