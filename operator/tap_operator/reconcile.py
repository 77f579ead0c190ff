"""One pass over one EnvironmentTap: read what is there, compute what should be, write what differs.

Level-triggered. Nothing is remembered from one pass to the next and no event says what changed, so a pass may be
repeated, interrupted after any write, or run by two replicas at once, and the objects end up the same. A pass that
finds everything in place writes nothing.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from tap_api.base import Json
from tap_api.fanout import fan_out, is_controlled
from tap_api.kinds import ENVIRONMENT_TAP, PARTS, REGIONAL_TAP
from tap_api.naming import LABEL_ENVIRONMENT_TAP, digest, part_name, regional_tap_name
from tap_api.policy import judge, shape_violations
from tap_api.rollup import Trouble, roll_up
from tap_operator import outputs
from tap_operator.cluster import Cluster, resource
from tap_operator.compare import covers
from tap_operator.errors import ClusterError
from tap_operator.events import transitions

ENVIRONMENT_TAPS = resource(ENVIRONMENT_TAP)
REGIONAL_TAPS = resource(REGIONAL_TAP)
#: A digest of what was last applied. It tells that a field left the intent, which the fields that are there cannot.
ANNOTATION_INTENT = f"{ENVIRONMENT_TAPS.api_version.split('/', maxsplit=1)[0]}/intent"

_WAITS = "WaitsForParts"
_NOT_SERVED = "NotServed"
#: Seconds until a wait that no event ends is looked at again: parts that go, a CRD that comes, a name that others hold.
_POLL_SOON = 5.0
_POLL_NAME = 30.0


@dataclass
class Pass:
    """What a pass came to.

    Attributes:
        again: Seconds after which to look again; None: when something changes.
        failures: What could not be done, to be tried again soon.
    """

    again: float | None = None
    failures: list[ClusterError] = field(default_factory=list)


def utc_now() -> str:
    """Returns the time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def reconcile(cluster: Cluster, namespace: str, name: str, *, now: Callable[[], str] = utc_now) -> Pass:
    """Makes the RegionalTaps of an EnvironmentTap what they should be, and its status what they say.

    Raises:
        ClusterError: the apiserver could not be read, or the status could not be written.
    """
    done = Pass()
    environment_tap = await cluster.get(ENVIRONMENT_TAPS, namespace, name)
    if environment_tap is None or environment_tap["metadata"].get("deletionTimestamp"):
        return done  # The garbage collector has the rest: every RegionalTap has its owner reference.
    observed = await _observe(cluster, environment_tap)
    problem, wanted = _intend(environment_tap, observed)
    troubles: dict[str, Trouble] = {}
    if problem is None:
        troubles.update(await _apply(cluster, wanted, observed, done))
        troubles.update(await _remove(cluster, environment_tap, observed, done))
    published = await outputs.observe(cluster, environment_tap)
    untold = outputs.taken(environment_tap, published)
    status = roll_up(environment_tap, observed, now=now(), problem=problem, troubles=troubles, untold=untold)
    await _report(cluster, environment_tap, status)
    try:
        await outputs.publish(cluster, environment_tap, published, status)
    except ClusterError as error:
        done.failures.append(error)
    if any(trouble.reason in (_WAITS, _NOT_SERVED) for trouble in troubles.values()):
        done.again = _POLL_SOON
    elif untold or any(not is_controlled(tap, environment_tap["metadata"]["uid"]) for tap in observed.values()):
        done.again = _POLL_NAME
    return done


async def _observe(cluster: Cluster, environment_tap: Json) -> dict[str, Json]:
    """Returns the RegionalTaps of the wanted names, whoever's they are, and our own of regions that have left."""
    meta = environment_tap["metadata"]
    wanted = _wanted_names(environment_tap)
    labels = f"{LABEL_ENVIRONMENT_TAP}={meta['name']}"
    labelled = {tap["metadata"]["name"]: tap async for tap in cluster.select(REGIONAL_TAPS, meta["namespace"], labels)}
    observed: dict[str, Json] = {}
    for region, name in wanted.items():
        # One that does not carry our label (made by hand, or with its label removed) has the name all the same.
        tap = labelled.get(name) or await cluster.get(REGIONAL_TAPS, meta["namespace"], name)
        if tap is not None:
            observed[region] = tap
    for name, tap in sorted(labelled.items()):
        region = tap["spec"].get("region", "")
        if region not in wanted and is_controlled(tap, meta["uid"]) and name not in wanted.values():
            observed[region] = tap
    return observed


def _wanted_names(environment_tap: Json) -> dict[str, str]:
    regions = (environment_tap.get("spec") or {}).get("regions") or []
    return {
        region["name"]: regional_tap_name(environment_tap["metadata"]["name"], region["name"]) for region in regions
    }


def _intend(environment_tap: Json, observed: Mapping[str, Json]) -> tuple[Trouble | None, Sequence[Json]]:
    """Returns the RegionalTaps to apply, or why none may be.

    The webhook judged the claim already, unless it was down and set to let pass, or the rules have changed since.
    """
    violations = judge(ENVIRONMENT_TAP.kind, environment_tap)
    if not violations:
        try:
            return None, [_with_digest(manifest) for manifest in fan_out(environment_tap, observed)]
        except ValidationError as error:
            violations = shape_violations(error)
    message = "nothing is applied; change the claim: " + "; ".join(map(str, violations))
    return Trouble("SpecRefused", message), []


def _with_digest(manifest: Json) -> Json:
    intent = digest(json.dumps(manifest, sort_keys=True), length=16)
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": {ANNOTATION_INTENT: intent}}}


async def _apply(cluster: Cluster, wanted: Sequence[Json], observed: dict[str, Json], done: Pass) -> dict[str, Trouble]:
    """Applies what differs, and puts what is stored into `observed`; returns the regions that it could not apply."""
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
                observed[region] = await cluster.apply(REGIONAL_TAPS, _of_same_uid(manifest, live))
        except ClusterError as error:
            troubles[region] = _refused("applied", manifest, error)
            if troubles[region].reason != _NOT_SERVED:
                done.failures.append(error)
    return troubles


async def _hindrance(cluster: Cluster, manifest: Json, live: Json | None) -> Trouble | None:
    """Returns why `manifest` may not be applied now."""
    meta = manifest["metadata"]
    if live is None:
        parts = [part async for part in _old_parts(cluster, meta["namespace"], meta["name"])]
        if parts:
            return Trouble(
                _WAITS,
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


async def _remove(
    cluster: Cluster, environment_tap: Json, observed: Mapping[str, Json], done: Pass
) -> dict[str, Trouble]:
    """Deletes our RegionalTaps of regions that the spec no longer lists; returns the regions that it could not."""
    troubles: dict[str, Trouble] = {}
    wanted = _wanted_names(environment_tap)
    for region, tap in observed.items():
        meta = tap["metadata"]
        if region in wanted or meta.get("deletionTimestamp"):
            continue
        try:
            await cluster.delete(REGIONAL_TAPS, meta["namespace"], meta["name"], meta["uid"])
        except ClusterError as error:
            done.failures.append(error)
            troubles[region] = _refused("deleted", tap, error)
    return troubles


def _refused(verb: str, manifest: Mapping[str, Any], error: ClusterError) -> Trouble:
    if error.status == 404:
        return Trouble(_NOT_SERVED, "RegionalTaps are not served yet: are the XRDs of charts/platform installed?")
    return Trouble(error.reason, f"RegionalTap {manifest['metadata']['name']} cannot be {verb}: {error}")


async def _report(cluster: Cluster, environment_tap: Json, status: Json) -> None:
    """Writes the status where it differs from the present one, then tells of the conditions that changed."""
    before = environment_tap.get("status") or {}
    if status == before:
        return
    meta = environment_tap["metadata"]
    head = ENVIRONMENT_TAP.reference(meta["name"], meta["namespace"])
    head["metadata"]["uid"] = meta["uid"]
    await cluster.apply(ENVIRONMENT_TAPS, {**head, "status": status}, "status")
    await transitions(cluster, environment_tap, before, status)
