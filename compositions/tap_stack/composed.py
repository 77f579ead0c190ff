"""What composing an XR gives: resources, status, conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tap_api.base import ApiModel, Json
from tap_api.status import (
    Outputs,
    PartStatus,
    RegionalTapStatus,
    RegionFacts,
    ResourceCounts,
    WaitingResource,
)
from tap_stack import pause
from tap_stack.assembly import Assembly, Emitted, Withheld
from tap_stack.observation import Observed

#: Crossplane's default of a minute re-applies every resource each minute; 0 would never look again (08, item 1).
TTL_READY = 3600
TTL_WAITING = 300
#: The most that status.waiting can list (tap_api.status).
MAX_WAITING = 100

#: Conditions of ours. Crossplane discards a function's condition that is named like one of its own (02).
BUILT = "Built"
RESOURCES_HEALTHY = "ResourcesHealthy"


@dataclass(frozen=True)
class Condition:
    """A condition of an XR.

    Attributes:
        type: Its type.
        status: True, False or Unknown.
        reason: Why, in one word.
        message: Why, for a person, and what to do.
    """

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str = ""


@dataclass(frozen=True)
class Composed:
    """What composing an XR gives. Equal inputs give equal ones, to the byte: no time, no age, no order of hashes.

    Attributes:
        resources: What is asked for, in order.
        withheld: What is not asked for yet, in order.
        status: Status of the XR, beside its conditions.
        conditions: Its conditions.
        ready: False where the XR cannot be ready whatever its resources say; None leaves it to them.
        ttl: Seconds after which to look again though nothing happened.
        requires: Names of the CidrBlocks that it is composed from.
    """

    resources: tuple[Emitted, ...]
    withheld: tuple[Withheld, ...]
    status: Json
    conditions: tuple[Condition, ...]
    ready: bool | None
    ttl: int
    requires: tuple[str, ...] = ()


def composed(
    assembly: Assembly,
    status: PartStatus | RegionalTapStatus,
    *conditions: Condition,
) -> Composed:
    """Returns what composing gives.

    The XR's own readiness is spoken of only where its resources would say too much: Crossplane then names no resource,
    and counts none that is withheld.
    """
    all_emitted_ready = all(resource.ready for resource in assembly.emitted)
    return Composed(
        resources=assembly.emitted,
        withheld=assembly.withheld,
        status=status.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True),
        conditions=conditions,
        ready=False if all_emitted_ready and not assembly.ready else None,
        ttl=TTL_READY if assembly.ready else TTL_WAITING,
    )


def counts(assembly: Assembly, observed: Observed) -> ResourceCounts:
    """Returns how many resources there are."""
    paused = sum(
        pause.is_set(item.manifest) or (item.key in observed and pause.is_paused(observed[item.key]))
        for item in assembly.emitted
    )
    return ResourceCounts(
        desired=len(assembly.emitted) + len(assembly.withheld),
        withheld=len(assembly.withheld),
        created=sum(resource.key in observed for resource in assembly.emitted),
        ready=sum(resource.ready for resource in assembly.emitted),
        **({"paused": paused} if paused else {}),
    )


def waiting(assembly: Assembly) -> dict[str, Any]:
    """Returns the status field `waiting`; nothing where nothing is withheld, for an empty list says nothing."""
    found = [WaitingResource(key=item.key, source=item.source) for item in assembly.withheld[:MAX_WAITING]]
    return {"waiting": found} if found else {}


def sticky(status: Mapping[str, Any], outputs: Mapping[str, str | None]) -> dict[str, Any]:
    """Returns the status field `outputs`: what is known now over what was known before.

    A field that is not returned again disappears (04, item 4), and an output that is not readable for a while has not
    stopped to exist.
    """
    return _sticky(status, "outputs", Outputs, {name: value for name, value in outputs.items() if value})


def sticky_facts(status: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the status field `facts`, as `sticky` does; an empty list is something known."""
    return _sticky(status, "facts", RegionFacts, {name: value for name, value in facts.items() if value is not None})


def _sticky(status: Mapping[str, Any], field: str, model: type[ApiModel], now: Mapping[str, Any]) -> dict[str, Any]:
    before = status.get(field)
    merged = {**(before if isinstance(before, Mapping) else {}), **now}
    # A newer version's fields may stand in a status; an older version does not fail on them.
    names = [info.alias for info in model.model_fields.values()]
    known = {name: merged[name] for name in names if name and name in merged}
    return {field: known} if known else {}
