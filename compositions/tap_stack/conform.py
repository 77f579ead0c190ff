"""Whether a composed resource is one that the provider's CRD takes: held against the packed schemas, offline. Pure.

Of JSON schema the provider's CRDs use a handful of words, and these are all that is understood here (a test holds that
no other is packed).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_stack.plan.state import is_looked_at
from tap_stack.schemas import Schema, schemas
from tap_stack.values import Ref, Unknown

#: The words of a schema that `faults` acts on, and those that say nothing of a single value.
WORDS = frozenset({"type", "enum", "required", "properties", "additionalProperties", "items"})
SILENT = frozenset({"default", "x-kubernetes-map-type", "x-kubernetes-list-type"})
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
#: Path of a field, and what is wrong with it.
Fault = tuple[str, str]
_FIELD = "spec.forProvider"


def conforms(resource: Mapping[str, Any]) -> Iterator[Fault]:
    """Yields what the provider's CRD would refuse of a resource of AWS, or prune from it without a word."""
    group, kind = resource["apiVersion"].partition("/")[0], resource["kind"]
    schema = schemas().get((group, kind))
    if schema is None:
        yield "kind", f"{kind} of {group} is no kind of the provider's that is known here"
        return
    given = resource["spec"].get("forProvider", {})
    yield from faults(schema.for_provider, given, _FIELD)
    yield from _needed(schema, resource, given)


def faults(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[Fault]:  # noqa: ANN401
    """Yields what is wrong with a value; one that is known only later is taken for good."""
    if isinstance(value, Unknown | Ref):
        return
    wanted = schema.get("type")
    if wanted and not _is(value, wanted):
        yield path, f"{value!r} is not of type {wanted}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield path, f"{value!r} is none of {', '.join(map(str, schema['enum']))}"
    if isinstance(value, dict):
        yield from _of_object(schema, value, path)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from faults(schema.get("items", {}), item, f"{path}[{i}]")


def _is(value: object, wanted: str) -> bool:
    """Returns whether a value is of a type; for Python a boolean is a number, and for JSON 1.0 is an integer."""
    if isinstance(value, bool):
        return wanted == "boolean"
    if wanted == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[wanted])


def _of_object(schema: Mapping[str, Any], value: Mapping[str, Any], path: str) -> Iterator[Fault]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{path}.{name}", "is missing"
    for name, item in value.items():
        if name in known:
            yield from faults(known[name], item, f"{path}.{name}")
        elif isinstance(others, Mapping):
            yield from faults(others, item, f"{path}.{name}")
        elif known and not others:
            yield f"{path}.{name}", "is no field of it"


def _needed(schema: Schema, resource: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Fault]:
    there = {**resource["spec"].get("initProvider", {}), **given}
    if not is_looked_at(resource):
        yield from ((f"{_FIELD}.{name}", "is missing") for name in schema.needs if name not in there)
