"""What is applied of a claim: the whole of it, or one region of it beside what the cluster has. Pure."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tap_api.base import Json, own_spec
from tap_api.errors import TapError
from tap_api.kinds import ENVIRONMENT_TAP
from tap_api.naming import MANAGER
from tap_cli.choose import no_region, regions_of
from tap_stack.plan.difference import applied_fields, differences, is_applied

_NOTES = ("labels", "annotations")
#: The file's own fields are looked at alone: what the apiserver filled in is no difference.
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Intent:
    """What is applied.

    Attributes:
        document: The claim, as it is applied.
        live: The object that is there, None where there is none.
        left_out: What the file asks for beside the chosen region, which is not applied.
    """

    document: Json
    live: Json | None = None
    left_out: tuple[str, ...] = ()


def intent(document: Mapping[str, Any], live: Json | None, region: str | None = None) -> Intent:
    """Returns what is applied of a claim.

    With a region, its entry in `spec.regions` alone is the file's; all else stays as the cluster has it. Where the
    environment is not there yet, it is made with that region alone.

    Raises:
        TapError: the file does not have that region.
    """
    kind, metadata = document["kind"], document["metadata"]
    meta = {key: metadata[key] for key in ("name", "namespace", *_NOTES) if metadata.get(key)}
    whole = {"apiVersion": document["apiVersion"], "kind": kind, "metadata": meta, "spec": deepcopy(document["spec"])}
    if region is None:
        return Intent(whole, live)
    entries = regions_of(whole)
    if region not in entries:
        raise TapError(no_region(region, metadata["name"], sorted(entries)))
    if kind != ENVIRONMENT_TAP.kind:
        return Intent(whole, live)
    if live is None:
        return Intent({**whole, "spec": {**whole["spec"], "regions": [entries[region]]}})
    spec = deepcopy(live["spec"])
    there = [item["name"] for item in spec["regions"]]
    spec["regions"] = [entries[region] if item["name"] == region else item for item in spec["regions"]]
    spec["regions"] += [] if region in there else [entries[region]]
    others = {**whole["spec"], "regions": [item for name, item in entries.items() if name != region]}
    stored = {**live["spec"], "regions": [item for item in live["spec"]["regions"] if item["name"] != region]}
    kept = held(live)
    notes = [(f"metadata.{name}", live["metadata"].get(name) or {}, meta.get(name) or {}) for name in _NOTES]
    left_out = tuple(
        field.path
        for path, old, new in [*notes, ("spec", stored, others)]
        for field in differences(old, new, _NOTHING, path)
    )
    return Intent({**whole, "metadata": kept, "spec": spec}, live, left_out)


def stored(live: Mapping[str, Any]) -> Json:
    """Returns the claim that a stored object is, without what Crossplane keeps in a spec."""
    head = {key: live[key] for key in ("apiVersion", "kind", "metadata")}
    return {**head, "spec": own_spec(live["spec"])}


def held(live: Mapping[str, Any]) -> Json:
    """Returns the metadata with which labels and annotations of a claim stay as they are: those that `tap` applied."""
    meta, ours = live["metadata"], applied_fields(live).get("metadata", {})
    notes = {
        name: {key: value for key, value in (meta.get(name) or {}).items() if key in ours.get(name, {})}
        for name in _NOTES
    }
    return {"name": meta["name"], "namespace": meta["namespace"], **{k: found for k, found in notes.items() if found}}


def taken_over(entries: Sequence[Mapping[str, Any]]) -> list[Json] | None:
    """Returns managed fields in which what was edited in a spec by hand is ours; None where nothing was.

    What the file no longer has would stay otherwise, as another manager's: `kubectl apply` and `kubectl edit` own what
    they write. It is what kubectl itself does once it applies server-side (client-go, csaupgrade). Another manager that
    applies is left alone: that is a conflict, and the apiserver says so. What Crossplane keeps in the spec of an XR is
    nobody's edit: that stays Crossplane's.
    """
    kept: list[Json] = []
    ours: Json = {"manager": MANAGER, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}}
    found = False
    for entry in deepcopy(list(entries)):
        made: Json = dict(entry)
        if is_applied(made):
            ours = {**made, "fieldsV1": _union(ours["fieldsV1"], made["fieldsV1"])}
            continue
        fields = made.get("fieldsV1") or {}
        if made.get("operation") == "Update" and not made.get("subresource") and (edited := _edited(fields)):
            found = True
            ours["fieldsV1"] = _union(ours["fieldsV1"], {"f:spec": edited})
            ours = {**ours, "apiVersion": made["apiVersion"]}
        if fields:
            kept.append(made)
    return [*kept, ours] if found else None


def _edited(fields: Json) -> Json:
    """Takes out of managed fields what of a spec they hold, Crossplane's own left aside, and returns it."""
    spec = fields.pop("f:spec", None) or {}
    own = {key: spec.pop(key) for key in [*spec] if key == "f:crossplane"}
    if own:
        fields["f:spec"] = own
    return spec


def _union(one: Json, other: Mapping[str, Any]) -> Json:
    for key, value in other.items():
        one[key] = _union(one[key], value) if key in one else value
    return one
