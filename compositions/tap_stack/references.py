"""References by name, and the values that a provider resolved them to: both are asked for as they are observed.

A provider writes what it resolves by server-side apply, and its patch holds no more than what changed
(crossplane-runtime#655). So whatever it resolved before and does not write again is removed, unless somebody else asks
for it too. It also sorts a list of references by their values (a list that is resolved `Always` in every pass), so
ours in another order would be changed back and forth for ever: seen with provider-aws against moto, where a Lambda
function left its VPC in between. A pure function of what is wanted and of what is observed.
"""

from collections.abc import Mapping
from typing import Any

from tap_api.base import Json

_NOTHING: Mapping[str, Any] = {}


def hold(wanted: Json, observed: object) -> Json:
    """Returns `wanted` with its references in the order that is observed, and with what they were resolved to.

    Args:
        wanted: A node of `spec.forProvider`, resolved (values.resolve).
        observed: The same node as it is observed; anything but a mapping says nothing.
    """
    there = observed if isinstance(observed, Mapping) else _NOTHING
    held: Json = {}
    for field, value in wanted.items():
        if field.endswith("Refs") and isinstance(value, list):
            held.update(_many(field, value, there))
        elif field.endswith("Ref") and isinstance(value, dict):
            held.update(_one(field, value, there))
        else:
            held[field] = hold(value, there.get(field)) if isinstance(value, dict) else value
    return held


def filled(field: str) -> str:
    """Returns the field that a reference fills, such as `subnetIds` of `subnetIdRefs`; empty for what is none."""
    if field.endswith("Refs"):
        return f"{field.removesuffix('Refs')}s"
    return field.removesuffix("Ref") if field.endswith("Ref") else ""


def _one(field: str, reference: Json, there: Mapping[str, Any]) -> Json:
    target = filled(field)
    known = target in there and _name(there.get(field, reference)) == _name(reference)
    return {field: reference, **({target: there[target]} if known else {})}


def _many(field: str, references: list[Json], there: Mapping[str, Any]) -> Json:
    target = filled(field)
    seen, values = there.get(field, references), there.get(target)
    order = [_name(one) for one in seen] if isinstance(seen, list) else []
    ours = {_name(one): one for one in references}
    if len(order) != len(ours) or set(order) != set(ours):
        return {field: references}  # Others than before: what those were resolved to says nothing of these.
    # As many: a set would keep what somebody else asks for, so one value too many is left to the provider.
    known = isinstance(values, list) and len(values) == len(references)
    return {field: [ours[name] for name in order], **({target: values} if known else {})}


def _name(reference: object) -> str | None:
    """Returns what a reference means: its policy has a field that the apiserver fills in."""
    return reference.get("name") if isinstance(reference, Mapping) else None
