"""From the RegionalTaps back to one answer: the status of an EnvironmentTap.

A pure function, and a fixed point: the same objects give the same bytes. Messages are sorted and hold no time and no
age; `lastTransitionTime` says since when, and moves only when a condition's status flips. Outputs are sticky: what an
application was once told stays until the region goes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tap_api.base import Json
from tap_api.fanout import Observed
from tap_api.lifetime import EXPIRING, expiration
from tap_api.regional import LONGEST_MESSAGE, Answer, Region, Trouble, look
from tap_api.status import (
    AS_WANTED,
    CIDR_RESERVED,
    DRIFTED,
    REPAIRED,
    Condition,
    EnvironmentTapStatus,
    Expiration,
    total,
)
from tap_api.text import clip

__all__ = ["Trouble", "roll_up"]

#: Room for the causes of ten regions inside the 4,096 characters of a message.
_LONGEST_CAUSE = 390
#: The beginning of a cause that names a resource: `database/cluster: …`.
_RESOURCE_PATH = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)+(: |, | and )")


#: Why nothing of a claim is applied that policy refuses.
SPEC_REFUSED = "SpecRefused"


def roll_up(  # noqa: PLR0913  (all that is known, each by its name)
    environment_tap: Mapping[str, Any],
    observed: Observed,
    *,
    now: str,
    problem: Trouble | None = None,
    troubles: Mapping[str, Trouble] | None = None,
    unreserved: Mapping[str, Trouble] | None = None,
    untold: Trouble | None = None,
    unexpired: Trouble | None = None,
) -> Json:
    """Returns the status of `environment_tap`.

    Args:
        environment_tap: The object, as the apiserver has it; its present status is what conditions are compared with.
        observed: The RegionalTaps of the wanted names, by region, this environment's or not, and those of regions that
            are no longer wanted and not gone yet.
        now: The time (RFC 3339) that a condition which flips gets.
        problem: What keeps the operator from applying anything, such as a spec that policy refuses.
        troubles: What keeps the operator from applying a region, by region.
        unreserved: Why a region has not got its address range, by region; None where nobody asked for any.
        untold: What keeps the operator from publishing the outputs.
        unexpired: What keeps the operator from deleting an environment whose time has come.
    """
    meta = environment_tap["metadata"]
    before = environment_tap.get("status") or {}
    listed = look(environment_tap, observed, troubles or {})
    regions = [region for region in listed if region.there]
    wanted = [region for region in regions if region.wanted]
    ready = sum(region.ready.truth == "True" for region in wanted)
    ending = expiration(environment_tap, now)
    conditions = [
        _ready(regions, ready, len(wanted)),
        _synced(regions, problem),
        _policy(problem),
        _healthy(regions),
        _compliant(regions),
        _changes_reported(wanted),
        _drifted(regions),
        *([] if unreserved is None else [_reserved(unreserved)]),
        *_name_taken(regions),
        *([("OutputsPublished", Answer("False", untold.reason, untold.message))] if untold else []),
        *_expiring(ending, unexpired),
    ]
    generation = meta.get("generation", 0)
    return EnvironmentTapStatus(
        observed_generation=generation,
        ready_regions=f"{ready}/{len(wanted)}",
        resources=total(region.resources for region in regions),
        expiration=ending,
        conditions=[_condition(kind, answer, before, generation, now) for kind, answer in conditions],
        regions=[region.status() for region in listed],
    ).manifest()


def _ready(regions: Sequence[Region], ready: int, wanted: int) -> tuple[str, Answer]:
    waiting = [(region, region.ready) for region in regions if region.ready.truth != "True"]
    if not regions:
        return "Ready", Answer("False", "NoRegions", "every region is absent; set the state of one to Present")
    if not waiting and wanted:
        told = f"all {wanted} regions are ready" if wanted > 1 else "it is ready"
        return "Ready", Answer("True", "Available", f"{told}{_paused(regions, '; ')}")
    taken = any(answer.reason == "NameTaken" for _, answer in waiting)
    reason = "NameTaken" if taken else "RegionsNotReady"
    told = f"{ready} of {wanted} regions are ready" if wanted > 1 else "it is not ready"
    return "Ready", Answer("False", reason, f"{told}; {_join(waiting)}".rstrip("; "))


def _synced(regions: Sequence[Region], problem: Trouble | None) -> tuple[str, Answer]:
    if problem:
        return "Synced", Answer("False", problem.reason, problem.message)
    worst = _worst([(region, region.synced) for region in regions], "Applied", "every region is applied")
    paused = _paused(regions, "; ")
    if worst.truth == "True" and paused:
        # It is as the claim wants it, so nothing is wrong; what else the claim asks of it has to wait.
        return "Synced", Answer("True", "RegionsPaused", f"{worst.cause}{paused}, and nothing is changed in AWS there")
    return "Synced", worst


def _paused(regions: Sequence[Region], glue: str) -> str:
    """Returns which regions are paused, behind `glue`; nothing where none is."""
    names = sorted(region.name for region in regions if region.paused)
    if not names:
        return ""
    return f"{glue}{', '.join(names)} {'is' if len(names) == 1 else 'are'} paused"


def _healthy(regions: Sequence[Region]) -> tuple[str, Answer]:
    answers = [(region, region.healthy) for region in regions]
    return "ResourcesHealthy", _worst(answers, "Healthy", "no resource reports a failure")


def _policy(problem: Trouble | None) -> tuple[str, Answer]:
    """Says whether the claim keeps the rules of today; it may have been stored under others."""
    if problem and problem.reason == SPEC_REFUSED:
        return "PolicyCompliant", Answer("False", "RulesBroken", problem.message)
    return "PolicyCompliant", Answer("True", "RulesKept", "the claim breaks no rule")


def _compliant(regions: Sequence[Region]) -> tuple[str, Answer]:
    answers = [(region, region.compliant) for region in regions]
    return "Compliant", _worst(answers, "ControlsHold", "every resource keeps the controls of encryption and exposure")


def _changes_reported(regions: Sequence[Region]) -> tuple[str, Answer]:
    """Returns whether every region reports changes made outside; what is to be done even so, such as whom to trust."""
    answers = [(region, region.reported) for region in regions]
    worst = _worst(answers, "Reported", "every region reports changes made outside")
    advised = [(region, answer) for region, answer in answers if answer.cause]
    if worst.truth == "True" and advised:
        return "ChangesReported", Answer("True", advised[0][1].reason, _join(advised))
    return "ChangesReported", worst


def _drifted(regions: Sequence[Region]) -> tuple[str, Answer]:
    """Returns whether something was changed in AWS behind our back, in any region; if not, what was repaired last."""
    answers = [(region, region.drifted) for region in regions]
    for truth in ("True", "Unknown"):
        found = [(region, answer) for region, answer in answers if answer.truth == truth]
        if found:
            return DRIFTED, Answer(truth, found[0][1].reason, _join(found))
    repaired = [(region, answer) for region, answer in answers if answer.reason == REPAIRED]
    if repaired:
        return DRIFTED, Answer("False", REPAIRED, _join(repaired))
    return DRIFTED, Answer("False", AS_WANTED, "nothing that AWS had as it is wanted differs")


def _reserved(unreserved: Mapping[str, Trouble]) -> tuple[str, Answer]:
    if not unreserved:
        return CIDR_RESERVED, Answer("True", "Reserved", "every region has its address range")
    causes = sorted(clip(f"{region}: {trouble.message}", _LONGEST_CAUSE) for region, trouble in unreserved.items())
    return CIDR_RESERVED, Answer("False", unreserved[min(unreserved)].reason, "; ".join(causes))


def _expiring(ending: Expiration | None, unexpired: Trouble | None) -> list[tuple[str, Answer]]:
    if ending is None:
        return []
    if unexpired:
        message = f"was to be deleted at {ending.at}: {unexpired.message}"
        return [(EXPIRING, Answer("True", unexpired.reason, message))]
    message = f"is deleted at {ending.at}, for spec.ttl is {ending.ttl}; take spec.ttl away to keep it"
    return [(EXPIRING, Answer("True", "Scheduled", message))]


def _name_taken(regions: Sequence[Region]) -> list[tuple[str, Answer]]:
    taken = [(region, region.synced) for region in regions if region.synced.reason == "NameTaken"]
    return [("NameTaken", Answer("True", "NotControlled", _join(taken)))] if taken else []


def _worst(answers: Sequence[tuple[Region, Answer]], good_reason: str, good: str) -> Answer:
    """Returns `False` with every cause if any region says so, else `Unknown` likewise, else `True`."""
    for truth in ("False", "Unknown"):
        bad = [(region, answer) for region, answer in answers if answer.truth == truth]
        if bad:
            return Answer(truth, min(bad, key=lambda pair: pair[0].name)[1].reason, _join(bad))
    return Answer("True", good_reason, good)


def _join(answers: Iterable[tuple[Region, Answer]]) -> str:
    """Returns the causes of `answers`, sorted, each with its region in front: `us-east-2/database/cluster: …`.

    A cause that regions share is said once: `us-east-1, us-east-2: …`.
    """
    regions_of: dict[str, list[str]] = {}
    for region, answer in answers:
        regions_of.setdefault(answer.cause or answer.reason, []).append(region.name)
    causes = []
    for cause, regions in regions_of.items():
        glue = "/" if len(regions) == 1 and _RESOURCE_PATH.match(cause) else ": "
        causes.append(clip(f"{', '.join(sorted(regions))}{glue}{cause}", _LONGEST_CAUSE))
    return "; ".join(sorted(causes))


def _condition(kind: str, answer: Answer, before: Mapping[str, Any], generation: int, now: str) -> Condition:
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
        message=clip(answer.cause, LONGEST_MESSAGE),
        last_transition_time=same.get("lastTransitionTime") or now,
        observed_generation=generation,
    )
