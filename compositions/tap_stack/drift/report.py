"""What an XR says of drift: its condition, and what a region takes over from its parts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tap_api.base import Json
from tap_api.common import DriftMode
from tap_api.kinds import PARTS
from tap_api.status import (
    AS_WANTED,
    DRIFTED,
    FIELDS_DIFFER,
    MAX_DRIFTED,
    NOT_COMPARED,
    REPAIRED,
    DriftedField,
    DriftStatus,
)
from tap_api.text import named
from tap_stack.assembly import assemble
from tap_stack.composed import Condition
from tap_stack.drift.judge import parse
from tap_stack.observation import Observed
from tap_stack.resource import Resources

_MAX_NAMED = 5


def condition(said: DriftStatus, silent: Sequence[str] = ()) -> Condition:
    """Returns the condition `Drifted`.

    Args:
        said: What is known.
        silent: Parts that have not said anything yet; nothing is undrifted by being empty.
    """
    if said.fields:
        return Condition(DRIFTED, "True", FIELDS_DIFFER, _listed(said.fields, "is", "status.drift"))
    if silent:
        return Condition(DRIFTED, "Unknown", NOT_COMPARED, f"Not compared with AWS yet: {', '.join(silent)}.")
    if not said.settled:
        return Condition(DRIFTED, "Unknown", NOT_COMPARED, "Nothing of it is in AWS as it is wanted yet.")
    if said.repaired:
        return Condition(DRIFTED, "False", REPAIRED, f"Repaired: {_listed(said.repaired, 'was', 'status.drift')}")
    return Condition(DRIFTED, "False", AS_WANTED, _pending(said.pending))


def of_region(own: DriftStatus, observed: Observed, *, reporting: bool) -> tuple[DriftStatus, list[str]]:
    """Returns what a region and its parts say, and which parts have not said anything yet.

    Args:
        own: What is said of the region's own resources.
        observed: What the region has composed, by key.
        reporting: Whether nothing is repaired any more.
    """
    silent: list[str] = []
    # Of a region that is left as it is, what was said last holds what its parts said too.
    fields, repaired = (
        [entry for entry in entries if "/" not in entry.resource] for entries in (own.fields, own.repaired)
    )
    pending = [key for key in own.pending if "/" not in key]
    for kind in PARTS:
        part = observed.get(kind.part)
        told = part.condition(DRIFTED) if part else None
        if part is None or told is None or told.status == "Unknown":
            silent.append(kind.part)
        if part is None:
            continue
        said = parse({"drift": part.field("status", "drift")})
        fields += _prefixed(kind.part, said.fields)
        repaired += _prefixed(kind.part, said.repaired)
        pending += [f"{kind.part}/{key}" for key in said.pending]
    whole = DriftStatus(
        fields=fields[:MAX_DRIFTED],
        repaired=repaired[:MAX_DRIFTED],
        pending=pending[:MAX_DRIFTED],
        settled=own.settled,
        reporting=reporting,
    )
    return whole, silent


def mode(wanted: DriftMode, before: DriftStatus, resources: Resources, observed: Observed, *, ready: bool) -> DriftMode:
    """Returns whether drift is repaired in a region now: `Report` begins once all of the region was as it is wanted.

    What is still being made is changed several times (the key is given its policy, the function the database's
    endpoint), and a provider that may change nothing would leave it half made.

    Args:
        wanted: What the spec says.
        before: status.drift of the region, as it was said last.
        resources: What is wanted of the region now; it is asked for where everything else tells that all is made.
        observed: What the region has composed, by key.
        ready: Whether the region was ready when it was last looked at, and its spec waits for no fact of another one.
    """
    if wanted is DriftMode.REPAIR or before.reporting:
        return wanted
    if not (ready and before.settled and not before.pending):
        return DriftMode.REPAIR
    specs = {item.key: item.manifest["spec"] for item in assemble(resources, observed).emitted}
    made = all(_is_as_wanted(observed, kind.part, specs.get(kind.part)) for kind in PARTS)
    return wanted if made else DriftMode.REPAIR


def _is_as_wanted(observed: Observed, part: str, spec: Json | None) -> bool:
    """Returns whether all of a part is in AWS as `spec` has it, which is composed for it now."""
    observation = observed.get(part)
    said, synced = (observation and observation.condition(type_) for type_ in (DRIFTED, "Synced"))
    if not observation or not said or not synced or said.status != "False":
        return False
    # What a change sets beside `drift: Report` no part has heard of in the pass that composes it first.
    if spec is None or _compared(observation.field("spec") or {}) != _compared(spec):
        return False
    latest = observation.field("metadata", "generation") or 0
    return synced.generation >= latest and not parse({"drift": observation.field("status", "drift")}).pending


def _compared(spec: Mapping[str, Any]) -> Json:
    """Returns the spec of a part without what is decided here, and without what is Crossplane's own (04, item 2)."""
    return {field: value for field, value in spec.items() if field not in ("crossplane", "drift")}


def _prefixed(part: str, entries: Iterable[DriftedField]) -> list[DriftedField]:
    return [entry.model_copy(update={"resource": f"{part}/{entry.resource}"[:127]}) for entry in entries]


def _listed(entries: Sequence[DriftedField], verb: str, where: str) -> str:
    lines = [
        f"{entry.resource}: {entry.field} wanted {entry.wanted}, {verb} {entry.real}" for entry in entries[:_MAX_NAMED]
    ]
    more = [f"and {len(entries) - _MAX_NAMED} more in {where}"] if len(entries) > _MAX_NAMED else []
    return "; ".join([*lines, *more])


def _pending(keys: Sequence[str]) -> str:
    if not keys:
        return ""
    return f"Not compared, for AWS was not seen to have them as wanted yet: {named(keys, _MAX_NAMED)}."
