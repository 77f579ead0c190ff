"""The parts of a region, and what composes each.

A part is a module (or package) with two functions: `resources` yields what it wants, in order, and `outputs` says what
it gives to others. It is built once it stands in BUILT; until then it composes nothing and is not ready, for nothing
is ready by being empty.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tap_api.common import RegionContext
from tap_api.status import PartStatus
from tap_stack import composed as result
from tap_stack import network
from tap_stack.assembly import Assembly, assemble, keep
from tap_stack.composed import Composed, Condition
from tap_stack.health import healthy
from tap_stack.observation import Observed
from tap_stack.resource import Resources
from tap_stack.subject import Subject

Outputs = Mapping[str, str | None]


@dataclass(frozen=True)
class Part:
    """What composes a part.

    Attributes:
        resources: Yields what the part wants. It takes the subject with the spec of its own kind.
        outputs: Returns what it gives to others, by JSON name, from what is observed.
    """

    resources: Callable[[Subject[Any]], Resources]
    outputs: Callable[[Observed], Outputs]


#: Name of a part -> what composes it.
BUILT: Mapping[str, Part] = {
    "network": Part(network.resources, network.outputs),
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
        return _composed(subject, keep(subject.observed), NOT_BUILT, {})
    if not subject.regional_tap:
        return _composed(subject, keep(subject.observed), NO_REGIONAL_TAP, {})
    assembly = assemble(part.resources(subject), subject.observed)
    return _composed(subject, assembly, IS_BUILT, part.outputs(subject.observed))


def _composed(subject: Subject[RegionContext], assembly: Assembly, built: Condition, outputs: Outputs) -> Composed:
    status = PartStatus(
        resources=result.counts(assembly, subject.observed),
        **result.waiting(assembly),
        **result.sticky(subject.status, outputs),
    )
    health = healthy((resource.key for resource in assembly.emitted), subject.observed)
    return result.composed(assembly, status, built, health)
