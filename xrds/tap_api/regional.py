"""What one RegionalTap says, as its environment sees it: one answer to each question that tap_api.rollup asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tap_api.common import RegionState, Role
from tap_api.fanout import Observed, is_controlled
from tap_api.kinds import ENVIRONMENT_TAP
from tap_api.pausing import is_paused
from tap_api.status import DRIFTED, NOT_COMPARED, PAUSED, Outputs, RegionStatus, ResourceCounts
from tap_api.text import clip

Truth = Literal["True", "False", "Unknown"]

_TRUTHS: Mapping[str, Truth] = {"True": "True", "False": "False"}
LONGEST_MESSAGE = 4096
_IS_PAUSED = "is paused: nothing of it is changed in AWS; set its state to Present to go on"
#: Regions that a status has room for.
_MOST_REGIONS = 16


@dataclass(frozen=True)
class Trouble:
    """Why the operator did not do what is wanted.

    Attributes:
        reason: One word, such as `NameTaken`.
        message: What happened and what to do.
    """

    reason: str
    message: str


@dataclass(frozen=True)
class Answer:
    """What one region says to one question; `reason` and `cause` say why, and what to do."""

    truth: Truth
    reason: str = ""
    cause: str = ""


@dataclass(frozen=True)
class Region:
    """A region as the environment sees it.

    Attributes:
        name: The AWS region.
        role: What it is to the environment.
        state: What is wanted of it; Absent for one that left the spec.
        there: Whether it is wanted, or something of it is left.
        paused: Whether it is to be paused, or something of it still is.
        ready: Whether all of it is ready.
        synced: Whether it is applied.
        healthy: Whether no resource of it fails.
        reported: Whether it reports changes made outside.
        compliant: Whether it keeps the controls.
        resources: Its resources.
        outputs: What applications need to know of it.
    """

    name: str
    role: Role
    state: RegionState
    there: bool
    paused: bool
    ready: Answer
    synced: Answer
    healthy: Answer
    reported: Answer
    compliant: Answer
    drifted: Answer
    drifted_fields: int = 0
    resources: ResourceCounts = field(default_factory=ResourceCounts)
    outputs: Outputs | None = None

    @property
    def wanted(self) -> bool:
        """Whether it is to be there."""
        return self.state is not RegionState.ABSENT

    def status(self) -> RegionStatus:
        """Returns the line of this region."""
        message = self.ready.cause or (_IS_PAUSED if self.paused else "")
        return RegionStatus(
            name=self.name,
            role=self.role,
            state=self.state,
            ready=self.ready.truth == "True",
            resources=self.resources,
            message=clip(message, LONGEST_MESSAGE) or None,
            drifted_fields=self.drifted_fields or None,
            outputs=self.outputs,
        )


def look(environment_tap: Mapping[str, Any], observed: Observed, troubles: Mapping[str, Trouble]) -> Sequence[Region]:
    """Returns the regions of `environment_tap`: the wanted ones, those that leave, those that are gone and listed.

    See tap_api.rollup.roll_up.
    """
    meta, spec = environment_tap["metadata"], environment_tap.get("spec") or {}
    told = {
        entry["name"]: entry.get("outputs") or {}
        for entry in (environment_tap.get("status") or {}).get("regions") or []
    }
    states = {region["name"]: RegionState(region.get("state") or "Present") for region in spec.get("regions") or []}
    wanted = [name for name, state in states.items() if state is not RegionState.ABSENT]
    leaving = sorted(set(observed) - set(wanted))
    gone = [name for name in states if name not in wanted and name not in observed]
    regions: list[Region] = []
    for name in [*wanted, *leaving, *gone][:_MOST_REGIONS]:
        tap = observed.get(name)
        ours = tap if tap is not None and is_controlled(tap, meta["uid"]) else None
        trouble = troubles.get(name) or (_taken(tap, meta["name"]) if tap is not None and ours is None else None)
        role = Role.PRIMARY if name == spec.get("primaryRegion") else Role.SECONDARY
        synced = _region_synced(ours, trouble)
        healthy = from_condition(ours, "ResourcesHealthy", "NotReported", "no report of its resources yet")
        reported = from_condition(ours, "ChangesReported", "NotReported", "no word of changes made outside yet")
        status = (ours or {}).get("status") or {}
        regions.append(
            Region(
                name=name,
                role=role,
                state=states.get(name, RegionState.ABSENT),
                there=name not in gone,
                paused=ours is not None and is_paused(ours),
                ready=_region_ready(ours, synced, healthy, wanted=name in wanted),
                synced=synced,
                healthy=healthy,
                reported=reported,
                compliant=from_condition(ours, "Compliant", "NotReported", "nothing of it is judged yet"),
                drifted=from_condition(ours, DRIFTED, NOT_COMPARED, "nothing of it is compared with AWS yet"),
                drifted_fields=drifted_fields(status),
                resources=_counts(status.get("resources")),
                outputs=None if name in gone else _outputs(told.get(name, {}), status.get("outputs")),
            )
        )
    return regions


def drifted_fields(status: Mapping[str, Any]) -> int:
    """Returns how many fields of a region AWS has otherwise than is wanted, as its status lists them."""
    return len((status.get("drift") or {}).get("fields") or ())


def _region_synced(tap: Mapping[str, Any] | None, trouble: Trouble | None) -> Answer:
    if trouble:
        return Answer("False", trouble.reason, trouble.message)
    if tap is None:
        return Answer("Unknown", "Pending", "its RegionalTap is not made yet")
    answer = from_condition(tap, "Synced", "Pending", "Crossplane has not looked at its RegionalTap yet")
    return Answer("True") if answer.truth == "True" else answer


def _region_ready(tap: Mapping[str, Any] | None, synced: Answer, healthy: Answer, *, wanted: bool) -> Answer:
    if not wanted and tap is None:
        return Answer("False", "Absent", "is absent, as its state asks for")
    if not wanted or (tap is not None and tap["metadata"].get("deletionTimestamp")):
        return Answer("False", "Removing", synced.cause or "is being removed")
    ready = from_condition(tap, "Ready", "Pending", "Crossplane has not looked at its RegionalTap yet")
    if synced.truth == "True" and ready.truth == "True":
        return Answer("True")
    if synced.truth != "True":
        return Answer("False", synced.reason, synced.cause)
    refused = from_condition(tap, "PolicyCompliant", "", "")
    cause = next((answer.cause for answer in (refused, healthy) if answer.truth == "False"), "")
    if tap is not None and is_paused(tap):
        return Answer("False", PAUSED, cause or f"{_IS_PAUSED} (not all of it was ready)")
    return Answer("False", ready.reason, cause or _parts(tap) or ready.cause or "is not ready")


def from_condition(tap: Mapping[str, Any] | None, kind: str, absent_reason: str, absent: str) -> Answer:
    """Returns what condition `kind` of `tap` says; `Unknown` where it is missing or speaks of an older spec."""
    conditions = ((tap or {}).get("status") or {}).get("conditions") or []
    found = next((condition for condition in conditions if condition.get("type") == kind), None)
    if tap is None or found is None:
        return Answer("Unknown", absent_reason, absent)
    # Only Crossplane's own conditions carry the generation that they speak of.
    if found.get("observedGeneration", 0) and found["observedGeneration"] < tap["metadata"].get("generation", 0):
        return Answer("Unknown", "Reconciling", "Crossplane has not looked at its latest spec yet")
    truth: Truth = _TRUTHS.get(str(found.get("status")), "Unknown")
    return Answer(truth, found.get("reason") or kind, (found.get("message") or "").strip())


def _parts(tap: Mapping[str, Any] | None) -> str:
    """Returns what the parts that are not ready wait for; what several wait for is said once."""
    parts = ((tap or {}).get("status") or {}).get("parts") or []
    waiting: dict[str, list[str]] = {}
    for part in parts:
        if not part["ready"] and part.get("message"):
            waiting.setdefault(part["message"], []).append(part["name"])
    return "; ".join(f"{', '.join(names)}: {message}" for message, names in waiting.items())


def _taken(tap: Mapping[str, Any], environment_tap: str) -> Trouble:
    meta = tap["metadata"]
    owner = next((owner for owner in meta.get("ownerReferences") or [] if owner.get("controller")), None)
    # An environment that was deleted and is made again finds its old regions on their way out.
    if meta.get("deletionTimestamp") or (
        owner and (owner["kind"], owner["name"]) == (ENVIRONMENT_TAP.kind, environment_tap)
    ):
        return Trouble("Removing", f"an earlier RegionalTap {meta['name']} is being removed; this one is applied then")
    holder = f"it belongs to {owner['kind']} {owner['name']}" if owner else "nobody controls it"
    return Trouble(
        "NameTaken",
        f"RegionalTap {meta['name']} is there and is not this environment's: {holder}; it is left alone. "
        "Delete it (its AWS resources go with it) or give this environment another name",
    )


def _counts(counts: Mapping[str, Any] | None) -> ResourceCounts:
    known = counts or {}
    counts = {name: int(known.get(name) or 0) for name in ResourceCounts.model_fields}
    return ResourceCounts.parse({**counts, "paused": counts["paused"] or None})


def _outputs(told: Mapping[str, str], now: Mapping[str, Any] | None) -> Outputs | None:
    known = {info.alias or name for name, info in Outputs.model_fields.items()}
    merged = {key: value for key, value in {**told, **(now or {})}.items() if key in known and value}
    return Outputs.parse(merged) if merged else None
