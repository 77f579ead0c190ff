"""The order in which a region goes: pure functions of the objects that are there.

AWS refuses to delete what is in use, and a provider that is told to delete all at once tries and is refused for as long
as that lasts (crossplane#7242). So a finalizer of ours holds a RegionalTap that is being deleted until its parts are
gone, one stage after the other. Crossplane does not compose a deleted XR any more (composite/reconciler.go:
`meta.WasDeleted`), so nothing brings back what was deleted; the key goes last, with the RegionalTap itself.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tap_api.base import GROUP, Json
from tap_api.common import Role
from tap_api.complaint import complaint

FINALIZER = f"{GROUP}/teardown"
#: Crossplane's on an XR. While it is there Crossplane may not have seen the deletion, and may compose once more.
CROSSPLANE_FINALIZER = "composite.apiextensions.crossplane.io"
#: Kubernetes' for `--cascade=orphan`: its collector takes the owner references away, then the finalizer.
_ORPHAN = "orphan"
#: The stages. Each uses what the later ones hold: alarms watch the function, which uses the stores in the network.
ORDER: tuple[tuple[str, ...], ...] = (
    ("monitoring",),
    ("processor",),
    ("database", "sessions"),
    ("storage",),
    ("network",),
)
#: The condition of a tap that is being deleted: what it waits for.
TORN_DOWN = "TornDown"
REMOVING = "Removing"
BLOCKED = "Blocked"
#: Why a region that is to go is not deleted yet.
HOLDS_REPLICAS = "HoldsReplicas"
WRITES_DATABASE = "WritesDatabase"
_MOST_NAMED = 3


@dataclass(frozen=True)
class Stage:
    """The parts that go now.

    Attributes:
        there: Those of the stage that are still there, by name.
        later: Those of later stages that are still there, in their order.
    """

    there: tuple[str, ...]
    later: tuple[str, ...]

    @property
    def reason(self) -> str:
        """The stage in one word, such as `RemovingDatabase`."""
        return REMOVING + "And".join(name.capitalize() for name in self.there)

    def message(self, blocks: Sequence[str] = ()) -> str:
        """Returns what is waited for and, where that is known, what is in its way."""
        text = f"waits until {' and '.join(self.there)} {'is' if len(self.there) == 1 else 'are'} gone"
        if self.later:
            text += f"; then {', '.join(self.later)}"
        if blocks:
            more = f"; and {len(blocks) - _MOST_NAMED} more" if len(blocks) > _MOST_NAMED else ""
            text = f"{'; '.join(blocks[:_MOST_NAMED])}{more}. It {text}"
        return text


def is_deleted(thing: Mapping[str, Any]) -> bool:
    """Returns whether an object is on its way out."""
    return bool(thing["metadata"].get("deletionTimestamp"))


def finalizers(thing: Mapping[str, Any]) -> list[str]:
    """Returns what holds an object back from going."""
    return list(thing["metadata"].get("finalizers") or [])


def held_by_others(tap: Mapping[str, Any]) -> str:
    """Returns why nothing below a tap that is being deleted may be deleted yet; empty where something may."""
    held = finalizers(tap)
    if _ORPHAN in held:
        return "waits until what is below it is orphaned, as was asked for"
    if CROSSPLANE_FINALIZER in held:
        return "waits until Crossplane composes it no more (if that lasts, see whether it runs)"
    return ""


def stage(parts: Mapping[str, Json]) -> Stage | None:
    """Returns what goes now of the `parts`, by name, that are there; None where nothing is left."""
    present = [tuple(sorted(name for name in names if name in parts)) for names in ORDER]
    left = [names for names in present if names]
    return Stage(left[0], tuple(name for names in left[1:] for name in names)) if left else None


def writer(observed: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the region whose cluster writes the global database, as the primary tells; empty where there is none."""
    told = [(tap.get("status") or {}).get("facts") or {} for tap in observed.values()]
    written = [tap["spec"].get("facts") or {} for tap in observed.values()]
    return next((facts["globalCluster"]["region"] for facts in (*told, *written) if facts.get("globalCluster")), "")


def not_yet(region: str, observed: Mapping[str, Mapping[str, Any]], leaving: Collection[str]) -> tuple[str, str] | None:
    """Returns why a region of an environment may not go yet, in one word and in a sentence; None where it may.

    The primary holds the replicas of the others. The cluster that writes leaves its global database last (AWS refuses
    it before), and it need not be the primary's any more: then both go together, after the others.

    Args:
        region: A region that leaves.
        observed: The RegionalTaps that are there, by region.
        leaving: The regions that leave.
    """
    primary = next((name for name, tap in observed.items() if tap["spec"].get("role") == Role.PRIMARY), "")
    writing = writer(observed) or primary
    if region not in (primary, writing):
        return None
    if region != primary and primary and primary not in leaving:
        why = f"it is removed once that was switched over to {primary}, as a person does in AWS"
        return WRITES_DATABASE, f"writes the global database; {why}"
    together = {primary, writing} & set(leaving)
    others = sorted(observed.keys() - {region} - together)
    if not others:
        return None
    after = f"is removed once {', '.join(others)} is gone"
    if region == primary:
        return HOLDS_REPLICAS, f"{after}: it holds replicas"
    return WRITES_DATABASE, f"{after}: it writes the global database"


def block(part: str, part_object: Mapping[str, Any], resource: Mapping[str, Any]) -> str:
    """Returns why a resource of a part does not go, in AWS's words: `network/vpc: …`; empty where it does not say."""
    conditions = (resource.get("status") or {}).get("conditions") or []
    told = complaint({condition["type"]: condition for condition in conditions})
    name = str(resource["metadata"]["name"])
    key = name.removeprefix(f"{part_object['metadata']['name']}-")
    return f"{part}/{key}: {told}" if told else ""
