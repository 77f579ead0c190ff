"""The writes of a pass: RegionalTaps that are applied, and those that are removed. Each is tried on its own."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from tap_api.base import Json
from tap_api.common import Role
from tap_api.fanout import is_controlled
from tap_api.kinds import PARTS, REGIONAL_TAP
from tap_api.naming import part_name
from tap_api.pausing import is_removable, resumed
from tap_api.rollup import Trouble
from tap_api.teardown import is_deleted
from tap_operator.cluster import Cluster, resource
from tap_operator.compare import covers
from tap_operator.errors import ClusterError
from tap_operator.teardown import hold, tear_down

REGIONAL_TAPS = resource(REGIONAL_TAP)
WAITS = "WaitsForParts"
NOT_SERVED = "NotServed"
RESUMING = "Resuming"
HOLDS_REPLICAS = "HoldsReplicas"
#: Waits that end without an event that tells of it.
LOOKED_AT_SOON = (WAITS, NOT_SERVED, RESUMING, HOLDS_REPLICAS)


async def apply_wanted(
    cluster: Cluster, wanted: Sequence[Json], observed: dict[str, Json], failures: list[ClusterError]
) -> dict[str, Trouble]:
    """Applies what differs, and puts what is stored into `observed`; returns the regions that it could not apply.

    What is to be tried again soon goes into `failures`.
    """
    troubles: dict[str, Trouble] = {}
    for manifest in wanted:
        region, live = manifest["spec"]["region"], observed.get(manifest["spec"]["region"])
        if live is not None and not is_controlled(live, manifest["metadata"]["ownerReferences"][0]["uid"]):
            continue  # The name is taken; tap_api.rollup says by whom.
        try:
            trouble = await _hindrance(cluster, manifest, live)
            if trouble is not None:
                troubles[region] = trouble
            elif live is None or not covers(live, manifest):
                live = await cluster.apply(REGIONAL_TAPS, _of_same_uid(manifest, live))
                observed[region] = live
            if trouble is None and live is not None:
                observed[region] = await hold(cluster, REGIONAL_TAPS, live)
        except ClusterError as error:
            troubles[region] = _refused("applied", manifest, error)
            if troubles[region].reason != NOT_SERVED:
                failures.append(error)
    return troubles


async def _hindrance(cluster: Cluster, manifest: Json, live: Json | None) -> Trouble | None:
    """Returns why `manifest` may not be applied now."""
    meta = manifest["metadata"]
    if live is None:
        parts = [part async for part in _old_parts(cluster, meta["namespace"], meta["name"])]
        if parts:
            return Trouble(
                WAITS,
                f"RegionalTap {meta['name']} was deleted; it is applied again once its old parts are gone: "
                + ", ".join(parts),
            )
        return None
    if live["metadata"].get("deletionTimestamp"):
        return Trouble("Removing", f"RegionalTap {meta['name']} is being deleted; it is applied again once it is gone")
    return None


async def _old_parts(cluster: Cluster, namespace: str, regional_tap: str) -> AsyncIterator[str]:
    """Yields the parts that a RegionalTap which is gone has left, by kind and name.

    One that nobody controls any more was orphaned on purpose (`kubectl delete --cascade=orphan`): the new RegionalTap
    takes it up again.
    """
    for kind in PARTS:
        part = await cluster.get(resource(kind), namespace, part_name(regional_tap, kind.part))
        if part is None:
            continue
        owners = part["metadata"].get("ownerReferences") or []
        if part["metadata"].get("deletionTimestamp") or any(owner.get("controller") for owner in owners):
            yield f"{kind.kind} {part['metadata']['name']}"


def _of_same_uid(manifest: Json, live: Json | None) -> Json:
    """Returns `manifest` for the very object that was read: a namesake that took its place meanwhile is a conflict."""
    if live is None:
        return manifest
    return {**manifest, "metadata": {**manifest["metadata"], "uid": live["metadata"]["uid"]}}


async def take_down(
    cluster: Cluster, observed: dict[str, Json], now: Callable[[], str], failures: list[ClusterError]
) -> dict[str, Trouble]:
    """Takes the next step of each RegionalTap that is being deleted and belongs to an environment, whichever.

    What is gone then leaves `observed`; returns what the others wait for. One that stands alone has passes of its own.
    """
    troubles: dict[str, Trouble] = {}
    for region, tap in list(observed.items()):
        if not is_deleted(tap) or not any(one.get("controller") for one in tap["metadata"].get("ownerReferences", [])):
            continue
        try:
            trouble = await tear_down(cluster, tap, now)
        except ClusterError as error:
            failures.append(error)
            trouble = _refused("removed", tap, error)
        if trouble is None:
            del observed[region]
        else:
            troubles[region] = trouble
    return troubles


async def remove_left(
    cluster: Cluster,
    left: Mapping[str, Json],
    observed: dict[str, Json],
    now: Callable[[], str],
    failures: list[ClusterError],
) -> dict[str, Trouble]:
    """Deletes the RegionalTaps of regions that have left; returns the regions that it could not.

    One that is paused is resumed first, for what is paused never goes; and the primary goes after its replicas.
    """
    troubles: dict[str, Trouble] = {}
    for region, tap in sorted(left.items(), key=lambda pair: pair[1]["spec"].get("role") == Role.PRIMARY):
        meta, others = tap["metadata"], sorted(observed.keys() - {region})
        if is_deleted(tap):
            continue  # take_down has it.
        if tap["spec"].get("role") == Role.PRIMARY and others:
            troubles[region] = Trouble(
                HOLDS_REPLICAS, f"is removed once {', '.join(others)} is gone: it holds replicas"
            )
            continue
        try:
            if not is_removable(tap):
                observed[region] = await _resume(cluster, tap)
                troubles[region] = Trouble(RESUMING, "is resumed first, then removed: what is paused never goes")
                continue
            # Not its dependents first: Kubernetes would delete all of them at once.
            await cluster.delete(REGIONAL_TAPS, meta["namespace"], meta["name"], meta["uid"])
            going = await cluster.get(REGIONAL_TAPS, meta["namespace"], meta["name"])
            if going is None:
                del observed[region]
            else:
                found = {region: going}
                troubles.update(await take_down(cluster, found, now, failures))
                observed.pop(region)
                observed.update(found)
        except ClusterError as error:
            failures.append(error)
            troubles[region] = _refused("deleted", tap, error)
    return troubles


async def _resume(cluster: Cluster, tap: Json) -> Json:
    wanted = resumed(tap)
    return tap if covers(tap, wanted) else await cluster.apply(REGIONAL_TAPS, wanted)


def _refused(verb: str, manifest: Mapping[str, Any], error: ClusterError) -> Trouble:
    if error.status == 404:
        return Trouble(NOT_SERVED, "RegionalTaps are not served yet: are the XRDs of charts/platform installed?")
    return Trouble(error.reason, f"RegionalTap {manifest['metadata']['name']} cannot be {verb}: {error}")
