"""One pass over a RegionalTap that is being deleted: the next of its parts go, in the order of tap_api.teardown.

Level-triggered as every pass: what is there says which step is next, so it goes on wherever another one was killed.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from tap_api.base import Json
from tap_api.fanout import is_controlled
from tap_api.kinds import PARTS, REGIONAL_TAP, Kind
from tap_api.naming import part_name
from tap_api.rollup import Trouble
from tap_api.teardown import (
    BLOCKED,
    FINALIZER,
    REMOVING,
    TORN_DOWN,
    block,
    finalizers,
    held_by_others,
    is_deleted,
    stage,
)
from tap_operator.cluster import REGIONAL_TAPS, Cluster, resource
from tap_operator.errors import ClusterError
from tap_operator.events import transitions
from tap_operator.finalizer import let_go
from tap_operator.report import write_status

#: Seconds until the next look at what goes.
POLL = 2.0
#: What has nothing in AWS is gone in a moment: it is looked at so often, so many seconds apart, before the pass ends.
_LOOKS, _MOMENT = 4, 0.3
#: Seconds that a part may take before its resources are asked what is in the way.
_PATIENCE = 10.0
_OF_PART = {kind.part: kind for kind in PARTS}


async def tear_down(cluster: Cluster, regional_tap: Json, now: Callable[[], str]) -> Trouble | None:
    """Takes the next step of a RegionalTap that is being deleted; returns what it waits for, None where it is gone.

    Raises:
        ClusterError: the cluster could not be read or written; that nobody can be asked is no sign that a part is gone.
    """
    meta = regional_tap["metadata"]
    if FINALIZER in finalizers(regional_tap):
        held = held_by_others(regional_tap)
        trouble = Trouble(REMOVING, held) if held else await _next(cluster, regional_tap, now)
        if trouble:
            await _tell(cluster, regional_tap, trouble, now())
            return trouble
        await let_go(cluster, REGIONAL_TAPS, regional_tap)
    left = await cluster.get(REGIONAL_TAPS, meta["namespace"], meta["name"])
    if left is None or left["metadata"]["uid"] != meta["uid"]:
        return None
    return Trouble(REMOVING, f"waits until {', '.join(finalizers(left))} lets it go")


async def _next(cluster: Cluster, regional_tap: Json, now: Callable[[], str]) -> Trouble | None:
    """Deletes the parts that are next; returns what is waited for, None where no part is left."""
    parts = await _parts(cluster, regional_tap)
    failure: Trouble | None = None
    looks = _LOOKS
    while (going := stage(parts)) and looks:
        for name in going.there:
            try:
                await _delete(cluster, _OF_PART[name], parts[name])
            except ClusterError as error:
                failure = Trouble(BLOCKED, f"{name}: cannot be deleted: {error}. It {going.message()}")
        if failure:
            return failure
        before, parts = going.there, await _parts(cluster, regional_tap)
        if (after := stage(parts)) and after.there == before:
            looks -= 1
            await asyncio.sleep(_MOMENT)
        else:
            looks = _LOOKS
    if going is None:
        return None
    blocks = [why for name in going.there for why in await _blocks(cluster, name, parts[name], now())]
    return Trouble(BLOCKED if blocks else going.reason, going.message(blocks))


async def _delete(cluster: Cluster, kind: Kind, part: Json) -> None:
    meta = part["metadata"]
    if not is_deleted(part):
        # Its resources first: once the part is not there any more, none of them is.
        await cluster.delete(resource(kind), meta["namespace"], meta["name"], meta["uid"], dependents_first=True)


async def _parts(cluster: Cluster, regional_tap: Json) -> dict[str, Json]:
    """Returns the parts that are there, by live reads. One that was orphaned is nobody's and stays."""
    meta, found = regional_tap["metadata"], {}
    for kind in PARTS:
        name = part_name(meta["name"], kind.part)
        part = await cluster.get(resource(kind), meta["namespace"], name, must_be_served=True)
        if part is not None and is_controlled(part, meta["uid"]):
            found[kind.part] = part
    return found


async def _blocks(cluster: Cluster, name: str, part: Json, now: str) -> list[str]:
    """Returns what the resources of a part say that has been going for long."""
    since = part["metadata"].get("deletionTimestamp")
    if not since or (datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds() < _PATIENCE:
        return []
    references = (part["spec"].get("crossplane") or {}).get("resourceRefs") or []
    found = [await cluster.referred(part["metadata"]["namespace"], reference) for reference in references]
    return sorted(why for one in found if one is not None and (why := block(name, part, one)))


async def _tell(cluster: Cluster, regional_tap: Json, trouble: Trouble, now: str) -> None:
    """Writes the condition where it differs, and an Event where its reason does."""
    status = regional_tap.get("status") or {}
    made = condition(regional_tap, trouble.reason, trouble.message, now)
    if made in (status.get("conditions") or []):
        return
    await write_status(cluster, REGIONAL_TAP, regional_tap, {"conditions": [made]})
    meta = regional_tap["metadata"]
    told = {"conditions": [made], "observedGeneration": meta.get("generation", 0)}
    await transitions(cluster, {**regional_tap, **REGIONAL_TAP.reference(""), "metadata": meta}, status, told)


def condition(thing: Json, reason: str, message: str, now: str) -> Json:
    """Returns the condition TornDown of a tap that is being deleted: False until it is not there any more."""
    before = (thing.get("status") or {}).get("conditions") or []
    since = next((one["lastTransitionTime"] for one in before if one["type"] == TORN_DOWN), now)
    return {
        "type": TORN_DOWN,
        "status": "False",
        "reason": reason,
        "message": message[:4096],
        "lastTransitionTime": since,
        "observedGeneration": thing["metadata"].get("generation", 0),
    }
