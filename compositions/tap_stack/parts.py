"""The parts of a region, and what composes each.

A part is a module (or package) with two functions: `resources` yields what it wants, in order, and `outputs` says what
it gives to others; one that has more to say has `conditions` of its own, or `facts` for the other regions. It is built
once it stands in BUILT; until then it composes nothing and is not ready, for nothing is ready by being empty.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tap_api.base import Json
from tap_api.common import RegionContext
from tap_api.status import PartStatus
from tap_stack import compliance, database, drift, monitoring, network, processor, sessions, storage
from tap_stack import composed as result
from tap_stack.assembly import Assembly, assemble, keep
from tap_stack.composed import Composed, Condition
from tap_stack.health import healthy
from tap_stack.resource import Resources
from tap_stack.subject import Subject

Outputs = Mapping[str, str | None]


def _none(_subject: Subject[Any]) -> tuple[Condition, ...]:
    return ()


def _nothing(_subject: Subject[Any]) -> Json:
    return {}


def _no_block(_subject: Subject[Any]) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Part:
    """What composes a part.

    Attributes:
        resources: Yields what the part wants. It takes the subject with the spec of its own kind.
        outputs: Returns what it gives to others, by JSON name.
        conditions: Returns what it has to say of itself, beside whether it is built and healthy.
        facts: Returns what other regions need to know of it, by JSON name (tap_api.status.RegionFacts).
        requires: Returns the names of the CidrBlocks that it is composed from.
    """

    resources: Callable[[Subject[Any]], Resources]
    outputs: Callable[[Subject[Any]], Outputs]
    conditions: Callable[[Subject[Any]], tuple[Condition, ...]] = _none
    facts: Callable[[Subject[Any]], Json] = _nothing
    requires: Callable[[Subject[Any]], tuple[str, ...]] = _no_block


#: Name of a part -> what composes it.
BUILT: Mapping[str, Part] = {
    "network": Part(network.resources, network.outputs, network.conditions, requires=network.requires),
    "database": Part(database.resources, database.outputs, facts=database.facts),
    "sessions": Part(sessions.resources, sessions.outputs, sessions.conditions, facts=sessions.facts),
    "processor": Part(processor.resources, processor.outputs),
    "storage": Part(storage.resources, storage.outputs, storage.conditions),
    "monitoring": Part(monitoring.resources, monitoring.outputs, monitoring.conditions),
}

IS_BUILT = Condition(result.BUILT, "True", "Built")
NOT_BUILT = Condition(
    result.BUILT,
    "False",
    "NotBuilt",
    "not built in this version",
)
NO_REGIONAL_TAP = Condition(
    result.BUILT,
    "False",
    "NoRegionalTap",
    "No RegionalTap controls this part, so nothing is made or changed for it. Parts are made by a RegionalTap; write"
    " one of those, and delete this part if it is left over.",
)


def compose(subject: Subject[RegionContext]) -> Composed:
    """Returns what composing a part gives."""
    part = BUILT.get(subject.kind.part)
    if part is None:
        return _kept(subject, NOT_BUILT)
    if not subject.regional_tap:
        return _kept(subject, NO_REGIONAL_TAP)
    said = {
        **result.sticky(subject.status, part.outputs(subject)),
        **result.sticky_facts(subject.status, part.facts(subject)),
    }
    assembly = assemble(part.resources(subject), subject.observed, subject.spec.state)
    before = drift.parse(subject.status)
    judged = drift.judge(assembly.emitted, subject.observed, before, subject.spec.drift)
    drifted = drift.status(judged, before, subject.spec.drift)
    said |= drifted.said()
    made = _composed(subject, assembly, said, IS_BUILT, *part.conditions(subject), drift.condition(drifted))
    return replace(made, requires=part.requires(subject))


def _kept(subject: Subject[RegionContext], built: Condition) -> Composed:
    """Returns what is there, as it is, and what was said before."""
    said = {
        **result.sticky(subject.status, {}),
        **result.sticky_facts(subject.status, {}),
        **drift.parse(subject.status).said(),
    }
    return replace(_composed(subject, keep(subject.observed), said, built), ready=False, ttl=result.TTL_WAITING)


def _composed(
    subject: Subject[RegionContext], assembly: Assembly, said: Json, built: Condition, *more: Condition
) -> Composed:
    counts, waiting = result.counts(assembly, subject.observed), result.waiting(assembly)
    there = compliance.inventory(assembly)
    findings = compliance.audit(there)
    status = PartStatus(resources=counts, **waiting, **compliance.reported(findings), **said)
    health = healthy((resource.key for resource in assembly.emitted), subject.observed)
    return result.composed(assembly, status, built, health, *more, compliance.condition(findings, there.unjudged))
