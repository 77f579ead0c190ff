"""What the cluster holds of one environment, as plain JSON objects, and what follows from it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tap_api.common import RegionState
from tap_api.kinds import PARTS
from tap_api.naming import regional_tap_name
from tap_api.pausing import seen_generation

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """An environment at one moment.

    Attributes:
        environment: The EnvironmentTap.
        regions: Its RegionalTaps.
        parts: Their part XRs.
        resources: The managed resources of both.
    """

    environment: Object
    regions: Sequence[Object] = ()
    parts: Sequence[Object] = ()
    resources: Sequence[Object] = field(default=())

    @property
    def name(self) -> str:
        """Name of the EnvironmentTap."""
        return str(self.environment["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.environment["metadata"]["namespace"])

    def region(self, name: str) -> Object | None:
        """Returns the RegionalTap of region `name`, None where there is none yet."""
        wanted = regional_tap_name(self.name, name)
        return next((region for region in self.regions if region["metadata"]["name"] == wanted), None)

    def fingerprint(self) -> frozenset[tuple[str, str]]:
        """Returns what changes as long as something comes or goes: who is there, and what each says.

        Of a managed resource, its spec and whether it is ready. A provider writes the rest of its status at every try,
        so one that AWS refuses would never come to rest; that it is refused stands in its part, which does.
        """
        objects = (self.environment, *self.regions, *self.parts)
        found = {(o["metadata"]["uid"], o["metadata"]["resourceVersion"]) for o in objects}
        return frozenset(found | {(o["metadata"]["uid"], _state(o)) for o in self.resources})

    def missing(self) -> list[str]:
        """Returns what could exist and does not yet, a line each; empty where all that can be composed is there.

        What speaks of an older spec than there is says nothing of this one, so that is missing too.
        """
        stale = unseen(self.environment)
        lines = [stale] if stale else []
        for wanted in self.environment["spec"]["regions"]:
            region = self.region(wanted["name"])
            if wanted.get("state") == RegionState.ABSENT:
                lines += [f"{wanted['name']}: is being removed"] if region is not None else []
                continue
            if region is None:
                lines.append(f"{wanted['name']}: RegionalTap")
                continue
            lines += self._missing_parts(wanted["name"], region)
        return lines

    def _missing_parts(self, region_name: str, region: Object) -> list[str]:
        own = {part["kind"]: part for part in self.parts if _owner(part) == region["metadata"]["uid"]}
        lines = [f"{region_name}/{kind.part}: {kind.kind}" for kind in PARTS if kind.kind not in own]
        for where, xr in [(region_name, region), *((f"{region_name}/{_part(o)}", o) for o in own.values())]:
            stale = unreconciled(xr)
            if stale:
                lines.append(f"{where}: {stale}")
            absent = uncreated(xr)
            if absent:
                lines.append(f"{where}: {absent} resources")
        return sorted(lines)


def uncreated(xr: Object) -> int:
    """Returns how many resources `xr` could have and does not see yet; 1 where it has not spoken at all."""
    counts = (xr.get("status") or {}).get("resources")
    if counts is None:
        return 1
    return int(counts.get("desired", 0)) - int(counts.get("withheld", 0)) - int(counts.get("created", 0))


def unseen(environment: Object) -> str:
    """Returns what to say where the operator has not looked at the latest spec of an EnvironmentTap; else nothing."""
    seen = (environment.get("status") or {}).get("observedGeneration", 0)
    return _behind("the operator", environment, seen)


def unreconciled(xr: Object) -> str:
    """Returns what to say where Crossplane has not looked at the latest spec of `xr`; else nothing."""
    seen = seen_generation(xr)
    return _behind("Crossplane", xr, seen) if seen else ""


def _behind(who: str, obj: Object, seen: int) -> str:
    generation = obj["metadata"].get("generation", 0)
    if seen >= generation:
        return ""
    return f"{who} has not looked at its latest spec (generation {generation}, seen {seen or 'none'})"


def condition(obj: Object, kind: str) -> Object:
    """Returns a condition of `obj`, an empty mapping where it has none of that type."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c["type"] == kind), {})


def _state(resource: Object) -> str:
    leaving = "deletionTimestamp" in resource["metadata"]
    return f"{resource['metadata'].get('generation', 0)} {condition(resource, 'Ready').get('status')} {leaving}"


def _owner(obj: Object) -> str:
    owners = obj["metadata"].get("ownerReferences") or ()
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


def _part(xr: Object) -> str:
    return next((kind.part for kind in PARTS if kind.kind == xr["kind"]), str(xr["kind"]))
