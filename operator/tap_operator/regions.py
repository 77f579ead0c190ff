"""The writes of a pass: RegionalTaps that are applied, each tried on its own."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from tap_api.base import Json
from tap_api.fanout import has_controller, is_controlled
from tap_api.kinds import PARTS
from tap_api.naming import part_name
from tap_api.rollup import Trouble
from tap_api.teardown import is_deleted
from tap_operator.cluster import REGIONAL_TAPS, Cluster, resource
from tap_operator.compare import covers
from tap_operator.errors import ClusterError
from tap_operator.finalizer import hold

WAITS = "WaitsForParts"
NOT_SERVED = "NotServed"


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
            troubles[region] = refused("applied", manifest, error)
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
    if is_deleted(live):
        return Trouble("Removing", f"RegionalTap {meta['name']} is being deleted; it is applied again once it is gone")
    return None


async def _old_parts(cluster: Cluster, namespace: str, regional_tap: str) -> AsyncIterator[str]:
    """Yields the parts that a RegionalTap which is gone has left, by kind and name.

    One that nobody controls any more was orphaned on purpose (`kubectl delete --cascade=orphan`): the new RegionalTap
    takes it up again.
    """
    for kind in PARTS:
        part = await cluster.get(resource(kind), namespace, part_name(regional_tap, kind.part))
        if part is not None and (is_deleted(part) or has_controller(part)):
            yield f"{kind.kind} {part['metadata']['name']}"


def _of_same_uid(manifest: Json, live: Json | None) -> Json:
    """Returns `manifest` for the very object that was read: a namesake that took its place meanwhile is a conflict."""
    if live is None:
        return manifest
    return {**manifest, "metadata": {**manifest["metadata"], "uid": live["metadata"]["uid"]}}


def refused(verb: str, manifest: Mapping[str, Any], error: ClusterError) -> Trouble:
    """Returns what the apiserver has against a write of a RegionalTap."""
    if error.status == 404:
        return Trouble(NOT_SERVED, "RegionalTaps are not served yet: are the XRDs of charts/platform installed?")
    return Trouble(error.reason, f"RegionalTap {manifest['metadata']['name']} cannot be {verb}: {error}")
