"""A second opinion on what may be accepted: the published schema, and the rules that matter most written down again.

It shares no code with what it judges but the names of the kinds and the schema that the apiserver is given.
"""

import re
from functools import cache
from typing import Any

import jsonschema_rs

from tap_api.base import Json
from tap_api.kinds import KINDS
from tap_api.regions import ZONES
from tap_api.schema import structural

_TAG = re.compile(r"[^\W]|[ .:/=+\-@]")
_PRIVATE = (("10.0.0.0", 8), ("172.16.0.0", 12), ("192.168.0.0", 16))


def wrong(kind: str, manifest: Json) -> str:
    """Returns why `manifest` may never be accepted; empty where nothing here speaks against it."""
    spec = _pruned({key: value for key, value in manifest.get("spec", {}).items() if key != "crossplane"})
    schema = _schema(kind)
    if not schema.is_valid(spec):
        return f"schema: {next(schema.iter_errors(spec)).message}"
    found = [("name", _name(manifest["metadata"].get("name", ""), 24 if kind == "EnvironmentTap" else 63))]
    regions = spec["regions"] if kind == "EnvironmentTap" else [{"name": spec["region"], "cidr": spec["cidr"]}]
    found += [("region", region["name"] in ZONES) for region in regions]
    found += [("cidr", _range(region["cidr"]) is not None) for region in regions]
    ranges = [_range(region["cidr"]) or range(0) for region in regions]
    found += [("overlap", _apart(a, b)) for i, a in enumerate(ranges) for b in ranges[:i]]
    found += [("regions twice", len({region["name"] for region in regions}) == len(regions))]
    found += [("CostCenter", bool(spec.get("tags", {}).get("CostCenter", "").strip()))]
    found += [("tag", _tag(key, value)) for key, value in spec.get("tags", {}).items()]
    if kind == "EnvironmentTap":
        found += [("primary", spec["primaryRegion"] in {region["name"] for region in regions})]
        states = {region["name"]: region.get("state", "Present") for region in regions}
        replicas = [name for name, state in states.items() if name != spec["primaryRegion"] and state != "Absent"]
        found += [("state", states.get(spec["primaryRegion"], "Present") == "Present" or not replicas)]
    else:
        found += [("state", spec.get("state") != "Absent")]
    return ", ".join(what for what, good in found if not good)


def _pruned(value: Any) -> Any:
    """Returns what the apiserver stores: a null where none may be is dropped, but not from a map."""
    if isinstance(value, list):
        return [_pruned(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: item if key == "tags" else _pruned(item) for key, item in value.items() if item is not None}


@cache
def _schema(kind: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(_closed(structural(KINDS[kind].spec)))


def _closed(node: Any) -> Any:
    """Returns a schema without room for fields that it does not name, as the apiserver prunes them."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _closed(value) for key, value in node.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made["additionalProperties"] = False
    return made


def _name(name: str, longest: int) -> bool:
    good = "abcdefghijklmnopqrstuvwxyz"
    return (
        0 < len(name) <= longest
        and name[0] in good
        and name[-1] != "-"
        and all(letter in good + "0123456789-" for letter in name)
    )


def _range(text: str) -> range | None:
    """Returns the addresses of a VPC's range in its one spelling, as numbers."""
    address, slash, length = text.partition("/")
    if not slash or length not in {str(number) for number in range(16, 24)}:
        return None
    first, size = _number(address), 2 ** (32 - int(length))
    if first is None or first % size:
        return None
    private = any(first >> (32 - bits) == (_number(start) or 0) >> (32 - bits) for start, bits in _PRIVATE)
    return range(first, first + size) if private else None


def _number(address: str) -> int | None:
    parts = address.split(".")
    if len(parts) != 4 or not all(part in _BYTES for part in parts):
        return None
    a, b, c, d = map(int, parts)
    return ((a * 256 + b) * 256 + c) * 256 + d


_BYTES = {str(number) for number in range(256)}


def _apart(a: range, b: range) -> bool:
    return a.stop <= b.start or b.stop <= a.start


def _tag(key: str, value: str) -> bool:
    lower = key.lower()
    return (
        1 <= len(key) <= 128
        and len(value) <= 256
        and all(_TAG.fullmatch(letter) for letter in key + value)
        and not lower.startswith(("aws:", "crossplane-"))
        and lower not in {"environment", "region", "name"}
    )
