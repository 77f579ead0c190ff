"""Claims on their way, shown live until they are as they are wanted."""

import gc
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tap_api.base import Json
from tap_api.common import RegionState
from tap_api.errors import TapError
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP
from tap_api.pausing import is_behind
from tap_cli.cluster import Cluster
from tap_cli.connection import ClusterError
from tap_cli.follow import Show, ThingT
from tap_cli.snapshot import Object, Snapshot, condition, unseen

_POLL_SECONDS = 1
#: Seconds for which nothing has to be left: what was applied has to reach AWS before a refusal can come back.
_STILL_SECONDS = 5.0


@dataclass(frozen=True)
class Alone(Snapshot):
    """A RegionalTap that stands alone, shown as an environment of one region."""

    def region(self, name: str) -> Object | None:  # noqa: ARG002  (there is one)
        """Returns the RegionalTap."""
        return self.regions[0] if self.regions else None

    @classmethod
    def of(cls, tap: Json, parts: Sequence[Json]) -> "Alone":
        """Returns the snapshot of a RegionalTap and of the parts that there are beside it."""
        spec, status = tap["spec"], tap.get("status") or {}
        region = {"name": spec["region"], "cidr": spec["cidr"], "state": spec.get("state", "Present")}
        ready = condition(tap, "Ready").get("status") == "True" and not is_behind(tap)
        told = {"name": spec["region"], "state": region["state"], "ready": ready}
        shown = {
            **tap,
            "kind": ENVIRONMENT_TAP.kind,
            "spec": {"primaryRegion": spec["region"], "regions": [region]},
            "status": {**status, "regions": [told], "observedGeneration": tap["metadata"].get("generation", 0)},
        }
        own = [part for part in parts if _is_of(part, tap["metadata"]["uid"])]
        return cls(shown, [tap], own)


def look(cluster: Cluster, wanted: Sequence[Json]) -> list[Snapshot]:
    """Returns the snapshots of claims, as they are now; of those that are there."""
    found: list[Snapshot] = []
    for claim in wanted:
        namespace, name = claim["metadata"]["namespace"], claim["metadata"]["name"]
        if claim["kind"] == REGIONAL_TAP.kind:
            taps = [item for item in cluster.regions(namespace) if item["metadata"]["name"] == name]
            found += [Alone.of(tap, cluster.parts(namespace)) for tap in taps]
        else:
            there = [item for item in cluster.environments(namespace) if item["metadata"]["name"] == name]
            found += [cluster.snapshot(environment) for environment in there]
    return found


def undone(snapshot: Snapshot, chosen: str | None = None) -> list[str]:
    """Returns what of an environment is not as it is wanted yet, a line each, with the cause that is known.

    A region that is Paused is as it is wanted once that was said of it and all that can be there is; one that is
    Absent, once it is gone.
    """
    stale = unseen(snapshot.environment)
    if stale:
        return [stale]
    told = {region["name"]: region for region in (snapshot.environment.get("status") or {}).get("regions") or ()}
    lines, missing = [], snapshot.missing()
    for wanted in snapshot.environment["spec"]["regions"]:
        name, state = wanted["name"], wanted.get("state") or RegionState.PRESENT
        if chosen not in (None, name):
            continue
        entry, healthy = told.get(name, {}), condition(snapshot.region(name) or {}, "ResourcesHealthy")
        if state == RegionState.ABSENT:
            lines += [f"{name}: is being removed"] if snapshot.region(name) is not None else []
        elif entry.get("state") != state or (state == RegionState.PRESENT and not entry.get("ready")):
            lines.append(f"{name}: {entry.get('message') or _cause(snapshot, name)}")
        elif state == RegionState.PRESENT and healthy.get("status") == "False":
            lines.append(f"{name}: {healthy.get('message', '')}")
        else:
            lines += [line for line in missing if line.startswith((f"{name}:", f"{name}/"))]
    listed = {region["name"] for region in snapshot.environment["spec"]["regions"]}
    lines += [f"{name}: is being removed" for name in told if name not in listed and chosen in (None, name)]
    return lines


def follow(
    see: Callable[[], list[ThingT]],
    left: Callable[[list[ThingT]], list[str]],
    where: AbstractContextManager[Show[ThingT]],
    *,
    seconds: float,
) -> list[ThingT]:
    """Shows what `see` gives, live, until nothing is `left`, and returns it as it was then.

    Raises:
        TapError: it took longer than that many seconds, or the cluster went away; the message says what was left.
    """
    gc.enable()
    deadline, still = time.monotonic() + seconds, None
    with where as show:
        while True:
            try:
                snapshots = see()
            except ClusterError as error:
                message = f"{error}; what was applied goes on without this command"
                raise TapError(message) from error
            show(snapshots)
            lines = left(snapshots)
            still = None if lines else time.monotonic() if still is None else still
            if still is not None and time.monotonic() - still >= _STILL_SECONDS:
                return snapshots
            if lines and time.monotonic() > deadline:
                raise TapError("\n".join([f"not done within {seconds:g} s; it goes on. What is left:", *lines]))
            time.sleep(_POLL_SECONDS)


def _cause(snapshot: Snapshot, region: str) -> str:
    tap = snapshot.region(region)
    parts = ((tap or {}).get("status") or {}).get("parts") or ()
    waiting = [f"{part['name']}: {part['message']}" for part in parts if not part["ready"] and part.get("message")]
    return "; ".join(waiting) or "is not ready yet"


def _is_of(part: Object, uid: str) -> bool:
    owners = part["metadata"].get("ownerReferences") or ()
    return any(owner.get("uid") == uid for owner in owners)
