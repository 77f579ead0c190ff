"""From the RegionalTaps back to one answer: the status of an EnvironmentTap.

A pure function, and a fixed point: the same objects give the same bytes. Messages are sorted and hold no time and no
age; `lastTransitionTime` says since when, and moves only when a condition's status flips. Outputs are sticky: what an
application was once told stays until the region goes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tap_api.base import Json
from tap_api.common import Role
from tap_api.fanout import Observed, is_controlled
from tap_api.kinds import ENVIRONMENT_TAP
from tap_api.status import Condition, EnvironmentTapStatus, Outputs, RegionStatus, ResourceCounts, total

Truth = Literal["True", "False", "Unknown"]

#: Room for the causes of ten regions inside the 4,096 characters of a message.
_LONGEST_CAUSE = 390
_LONGEST_MESSAGE = 4096
#: Regions that a status has room for.
_MOST_REGIONS = 16
#: The beginning of a cause that names a resource: `database/cluster: …`.
_RESOURCE_PATH = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)+: ")


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
class _Answer:
    """What one region says to one question; `reason` and `cause` say why it is not `True`."""

    truth: Truth
    reason: str = ""
    cause: str = ""


@dataclass(frozen=True)
class _Region:
    """A region as the environment sees it."""

    name: str
    role: Role
    wanted: bool
    ready: _Answer
    synced: _Answer
    healthy: _Answer
    resources: ResourceCounts = field(default_factory=ResourceCounts)
    outputs: Outputs | None = None

    def status(self) -> RegionStatus:
        """Returns the line of this region."""
        return RegionStatus(
            name=self.name,
            role=self.role,
            ready=self.ready.truth == "True",
            resources=self.resources,
            message=_clip(self.ready.cause, _LONGEST_MESSAGE) or None,
            outputs=self.outputs,
        )


def roll_up(  # noqa: PLR0913  (all that is known, each by its name)
    environment_tap: Mapping[str, Any],
    observed: Observed,
    *,
    now: str,
    problem: Trouble | None = None,
    troubles: Mapping[str, Trouble] | None = None,
    untold: Trouble | None = None,
) -> Json:
    """Returns the status of `environment_tap`.

    Args:
        environment_tap: The object, as the apiserver has it; its present status is what conditions are compared with.
        observed: The RegionalTaps of the wanted names, by region, this environment's or not, and those of regions that
            are no longer wanted and not gone yet.
        now: The time (RFC 3339) that a condition which flips gets.
        problem: What keeps the operator from applying anything, such as a spec that policy refuses.
        troubles: What keeps the operator from applying a region, by region.
        untold: What keeps the operator from publishing the outputs.
    """
    meta, spec = environment_tap["metadata"], environment_tap.get("spec") or {}
    before = environment_tap.get("status") or {}
    regions = _regions(environment_tap, observed, troubles or {})
    wanted = [region for region in regions if region.wanted]
    ready = sum(region.ready.truth == "True" for region in wanted)
    conditions = [
        _ready(regions, ready, len(wanted)),
        _synced(regions, problem),
        _healthy(regions),
        *_name_taken(regions),
        *([("OutputsPublished", _Answer("False", untold.reason, untold.message))] if untold else []),
    ]
    generation = meta.get("generation", 0)
    return EnvironmentTapStatus(
        observed_generation=generation,
        ready_regions=f"{ready}/{len(spec.get('regions') or [])}",
        resources=total(region.resources for region in regions),
        conditions=[_condition(kind, answer, before, generation, now) for kind, answer in conditions],
        regions=[region.status() for region in regions],
    ).manifest()


# One region


def _regions(
    environment_tap: Mapping[str, Any], observed: Observed, troubles: Mapping[str, Trouble]
) -> Sequence[_Region]:
    meta, spec = environment_tap["metadata"], environment_tap.get("spec") or {}
    told = {
        entry["name"]: entry.get("outputs") or {}
        for entry in (environment_tap.get("status") or {}).get("regions") or []
    }
    wanted = list(dict.fromkeys(region["name"] for region in spec.get("regions") or []))
    leaving = sorted(set(observed) - set(wanted))
    regions: list[_Region] = []
    for name in [*wanted, *leaving][:_MOST_REGIONS]:
        tap = observed.get(name)
        ours = tap if tap is not None and is_controlled(tap, meta["uid"]) else None
        trouble = troubles.get(name) or (_taken(tap, meta["name"]) if tap is not None and ours is None else None)
        role = Role.PRIMARY if name == spec.get("primaryRegion") else Role.SECONDARY
        synced = _region_synced(ours, trouble)
        healthy = _from_condition(ours, "ResourcesHealthy", "NotReported", "no report of its resources yet")
        status = (ours or {}).get("status") or {}
        regions.append(
            _Region(
                name=name,
                role=role,
                wanted=name in wanted,
                ready=_region_ready(ours, synced, healthy, wanted=name in wanted),
                synced=synced,
                healthy=healthy,
                resources=_counts(status.get("resources")),
                outputs=_outputs(told.get(name, {}), status.get("outputs")),
            )
        )
    return regions


def _region_synced(tap: Mapping[str, Any] | None, trouble: Trouble | None) -> _Answer:
    if trouble:
        return _Answer("False", trouble.reason, trouble.message)
    if tap is None:
        return _Answer("Unknown", "Pending", "its RegionalTap is not made yet")
    return _from_condition(tap, "Synced", "Pending", "Crossplane has not looked at its RegionalTap yet")


def _region_ready(tap: Mapping[str, Any] | None, synced: _Answer, healthy: _Answer, *, wanted: bool) -> _Answer:
    if not wanted or (tap is not None and tap["metadata"].get("deletionTimestamp")):
        return _Answer("False", "Removing", synced.cause or "is being removed")
    ready = _from_condition(tap, "Ready", "Pending", "Crossplane has not looked at its RegionalTap yet")
    if synced.truth == "True" and ready.truth == "True":
        return ready
    if synced.truth != "True":
        return _Answer("False", synced.reason, synced.cause)
    cause = healthy.cause if healthy.truth == "False" else ""
    return _Answer("False", ready.reason, cause or _parts(tap) or ready.cause or "is not ready")


def _from_condition(tap: Mapping[str, Any] | None, kind: str, absent_reason: str, absent: str) -> _Answer:
    """Returns what condition `kind` of `tap` says; `Unknown` where it is missing or speaks of an older spec."""
    conditions = ((tap or {}).get("status") or {}).get("conditions") or []
    found = next((condition for condition in conditions if condition.get("type") == kind), None)
    if tap is None or found is None:
        return _Answer("Unknown", absent_reason, absent)
    # Only Crossplane's own conditions carry the generation that they speak of.
    if found.get("observedGeneration", 0) and found["observedGeneration"] < tap["metadata"].get("generation", 0):
        return _Answer("Unknown", "Reconciling", "Crossplane has not looked at its latest spec yet")
    if found.get("status") == "True":
        return _Answer("True")
    truth: Truth = "False" if found.get("status") == "False" else "Unknown"
    return _Answer(truth, found.get("reason") or kind, (found.get("message") or "").strip())


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
    return ResourceCounts(**{name: int(known.get(name) or 0) for name in ResourceCounts.model_fields})


def _outputs(told: Mapping[str, str], now: Mapping[str, Any] | None) -> Outputs | None:
    known = {info.alias or name for name, info in Outputs.model_fields.items()}
    merged = {key: value for key, value in {**told, **(now or {})}.items() if key in known and value}
    return Outputs.parse(merged) if merged else None


# All regions


def _ready(regions: Sequence[_Region], ready: int, wanted: int) -> tuple[str, _Answer]:
    waiting = [(region, region.ready) for region in regions if region.ready.truth != "True"]
    if not waiting and wanted:
        return "Ready", _Answer("True", "Available", f"all {wanted} regions are ready" if wanted > 1 else "it is ready")
    taken = any(answer.reason == "NameTaken" for _, answer in waiting)
    reason = "NameTaken" if taken else "RegionsNotReady"
    return "Ready", _Answer("False", reason, f"{ready} of {wanted} regions are ready; {_join(waiting)}".rstrip("; "))


def _synced(regions: Sequence[_Region], problem: Trouble | None) -> tuple[str, _Answer]:
    if problem:
        return "Synced", _Answer("False", problem.reason, problem.message)
    return "Synced", _worst([(region, region.synced) for region in regions], "Applied", "every region is applied")


def _healthy(regions: Sequence[_Region]) -> tuple[str, _Answer]:
    answers = [(region, region.healthy) for region in regions]
    return "ResourcesHealthy", _worst(answers, "Healthy", "no resource reports a failure")


def _name_taken(regions: Sequence[_Region]) -> list[tuple[str, _Answer]]:
    taken = [(region, region.synced) for region in regions if region.synced.reason == "NameTaken"]
    return [("NameTaken", _Answer("True", "NotControlled", _join(taken)))] if taken else []


def _worst(answers: Sequence[tuple[_Region, _Answer]], good_reason: str, good: str) -> _Answer:
    """Returns `False` with every cause if any region says so, else `Unknown` likewise, else `True`."""
    for truth in ("False", "Unknown"):
        bad = [(region, answer) for region, answer in answers if answer.truth == truth]
        if bad:
            return _Answer(truth, min(bad, key=lambda pair: pair[0].name)[1].reason, _join(bad))
    return _Answer("True", good_reason, good)


def _join(answers: Iterable[tuple[_Region, _Answer]]) -> str:
    """Returns the causes of `answers`, sorted, each with its region in front: `us-east-2/database/cluster: …`.

    A cause that regions share is said once: `us-east-1, us-east-2: …`.
    """
    regions_of: dict[str, list[str]] = {}
    for region, answer in answers:
        regions_of.setdefault(answer.cause or answer.reason, []).append(region.name)
    causes = []
    for cause, regions in regions_of.items():
        glue = "/" if len(regions) == 1 and _RESOURCE_PATH.match(cause) else ": "
        causes.append(_clip(f"{', '.join(sorted(regions))}{glue}{cause}", _LONGEST_CAUSE))
    return "; ".join(sorted(causes))


def _condition(kind: str, answer: _Answer, before: Mapping[str, Any], generation: int, now: str) -> Condition:
    same: Mapping[str, Any] = next(
        (
            condition
            for condition in before.get("conditions") or []
            if condition.get("type") == kind and condition.get("status") == answer.truth
        ),
        {},
    )
    return Condition(
        type=kind,
        status=answer.truth,
        reason=answer.reason,
        message=_clip(answer.cause, _LONGEST_MESSAGE),
        last_transition_time=same.get("lastTransitionTime") or now,
        observed_generation=generation,
    )


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
