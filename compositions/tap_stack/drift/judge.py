"""From differences to drift: what of an XR was changed behind its back, what was repaired, and what nobody knows yet.

A difference alone is no drift: after a change of ours AWS differs until the provider has made it. So a resource is
judged once AWS was seen to have what is wanted; status.drift remembers of which manifest that was. From then on a
difference is drift for as long as the manifest is the same, whatever the provider is about. Where nothing is repaired
(`drift: Report`), nothing is under way either, and every difference is drift once the provider has looked.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tap_api.base import GROUP
from tap_api.common import DriftMode
from tap_api.naming import digest
from tap_api.status import MAX_DRIFTED, DriftedField, DriftStatus
from tap_api.text import one_line
from tap_stack.assembly import Emitted
from tap_stack.drift.compare import Difference, Read, differences, resolved
from tap_stack.fields import whole
from tap_stack.managed import OBSERVE
from tap_stack.observation import Observation, Observed
from tap_stack.schemas import schemas

#: The longest text of a value; the status of a part holds fifty of them, twice.
_LONGEST = 160


@dataclass(frozen=True)
class Judged:
    """What is known of the drift of an XR's own resources.

    Attributes:
        fields: Key of a resource, and what AWS has otherwise than is wanted: changed behind our back.
        pending: The same of resources that AWS was not yet seen to have as they are wanted: a change of ours is under
            way. A resource that AWS does not show at all has no difference.
        settled: Key of a resource -> digest of the manifest that AWS was seen to have, or that it is judged by.
    """

    fields: tuple[tuple[str, Difference], ...] = ()
    pending: tuple[tuple[str, Difference | None], ...] = ()
    settled: Mapping[str, str] | None = None


def judge(emitted: Iterable[Emitted], observed: Observed, before: DriftStatus, mode: DriftMode) -> Judged:
    """Returns what is known of the drift of the AWS resources among `emitted`.

    Args:
        emitted: What is asked for.
        observed: What is there, by key.
        before: status.drift of the XR, as it was said last.
        mode: Whether the provider repairs what it finds.
    """
    fields: list[tuple[str, Difference]] = []
    pending: list[tuple[str, Difference | None]] = []
    settled: dict[str, str] = {}
    for item in emitted:
        observation = observed.get(item.key)
        if observation is None or not _is_ours(item.manifest):
            continue
        wanted = resolved(item.manifest["spec"]["forProvider"], _asked(observation))
        mark = digest(json.dumps(wanted, sort_keys=True))
        found = list(differences(wanted, _real(observation), _schema(item.manifest)))
        judged = before.settled.get(item.key) == mark
        if mode is DriftMode.REPORT:
            judged = item.key in before.settled or _was_looked_at(observation)
        if judged or (not found and _was_looked_at(observation)):
            settled[item.key] = mark
            fields += [(item.key, difference) for difference in found]
        else:
            pending += [(item.key, difference) for difference in found] or [(item.key, None)]
    return Judged(tuple(sorted(fields, key=_place)), tuple(sorted(pending, key=_place)), settled)


def status(judged: Judged, before: DriftStatus, mode: DriftMode) -> DriftStatus:
    """Returns what is said of `judged`, and of what was repaired since `before` was said."""
    fields = listed(judged.fields)
    return DriftStatus(
        fields=fields[:MAX_DRIFTED],
        repaired=_repaired(fields, judged, before)[:MAX_DRIFTED] if mode is DriftMode.REPAIR else [],
        pending=sorted({key for key, _ in judged.pending})[:MAX_DRIFTED],
        settled=dict(judged.settled or {}),
    )


def listed(found: Iterable[tuple[str, Difference]]) -> list[DriftedField]:
    """Returns differences as a status lists them."""
    return [
        DriftedField(resource=key, field=difference.path, wanted=text(difference.wanted), real=text(difference.real))
        for key, difference in found
    ]


def parse(status: Mapping[str, Any]) -> DriftStatus:
    """Returns status.drift of an XR; an empty one where there is none, or none that this version reads."""
    try:
        return DriftStatus.parse(status.get("drift") or {})
    except ValidationError:
        return DriftStatus()


def text(value: Any) -> str:  # noqa: ANN401
    """Returns a value as people read it, in one line and not for ever."""
    if value is None:
        return "(none)"
    shown = value if isinstance(value, str) else json.dumps(whole(value), sort_keys=True, ensure_ascii=False)
    return one_line(shown, _LONGEST)


def _repaired(fields: list[DriftedField], judged: Judged, before: DriftStatus) -> list[DriftedField]:
    """Returns what was found drifted and is as it is wanted; it stands until the next drift is found."""
    own = [entry for entry in before.fields if "/" not in entry.resource]
    now = {(entry.resource, entry.field) for entry in fields}
    settled = judged.settled or {}
    mended = [
        entry
        for entry in own
        # Where another manifest is wanted meanwhile, nobody knows what became of the drift.
        if (entry.resource, entry.field) not in now
        and settled.get(entry.resource) == before.settled.get(entry.resource, "")
    ]
    earlier = [entry for entry in before.repaired if "/" not in entry.resource] if own or not fields else []
    found = {(entry.resource, entry.field): entry for entry in (*earlier, *mended)}
    return [entry for place, entry in sorted(found.items()) if place not in now]


def _is_ours(manifest: Mapping[str, Any]) -> bool:
    """Returns whether a manifest is of a resource of AWS that we make; one that is only looked at is another's."""
    in_aws = manifest["apiVersion"].partition("/")[0] != GROUP
    return in_aws and bool(manifest["spec"].get("managementPolicies") != OBSERVE)


def _was_looked_at(observation: Observation) -> bool:
    """Returns whether the provider has made the resource, and has told of it."""
    synced, ready = observation.condition("Synced"), observation.condition("Ready")
    told = observation.field("status", "atProvider", "id")
    return bool(told and synced and synced.status == "True" and ready and ready.status == "True")


def _asked(observation: Observation) -> Read:
    return lambda field: observation.field("spec", "forProvider", field)


def _real(observation: Observation) -> Read:
    return lambda field: observation.field("status", "atProvider", field)


def _schema(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    known = schemas().get((manifest["apiVersion"].partition("/")[0], manifest["kind"]))
    return known.for_provider if known else {}


def _place(found: tuple[str, Difference | None]) -> tuple[str, str]:
    key, difference = found
    return key, difference.path if difference else ""
