"""Protobuf in: an XR as JSON, and its composed resources as they are, read field by field.

To turn sixty observed resources into dictionaries takes longer than all the rest of a call (08, section 1), and a
composer wants two or three fields of each.
"""

from collections.abc import Mapping
from typing import Any

from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf import struct_pb2 as structpb

from tap_api.base import Json
from tap_api.kinds import CIDR_BLOCK
from tap_stack.observation import Observation, ObservedCondition

#: What composing an XR looks at. Its metadata holds managedFields too, which can be the larger part of it.
_METADATA = ("name", "namespace", "labels", "ownerReferences")


class StructObservation:
    """An observed object that stays protobuf."""

    def __init__(self, struct: structpb.Struct) -> None:
        """Args: struct: the object."""
        self._struct = struct

    def field(self, *path: str) -> Any:  # noqa: ANN401
        """Returns the value at `path`; see Observation."""
        value = _at(self._struct, path)
        return None if value is None else to_json(value)

    def condition(self, type_: str) -> ObservedCondition | None:
        """Returns the condition of that type; see Observation."""
        conditions = _at(self._struct, ("status", "conditions"))
        for item in conditions.list_value.values if conditions is not None else ():
            fields = item.struct_value.fields
            # `in` first: a map of messages makes the entry that it is asked for.
            if "type" in fields and fields["type"].string_value == type_:
                status, reason, message = (_text(fields, name) for name in ("status", "reason", "message"))
                generation = fields["observedGeneration"].number_value if "observedGeneration" in fields else 0
                return ObservedCondition(status, reason, message, int(generation))
        return None


def observed(state: fnv1.State) -> dict[str, Observation]:
    """Returns the observed composed resources, by key."""
    return {key: StructObservation(resource.resource) for key, resource in state.resources.items()}


def composite(state: fnv1.State) -> dict[str, Any]:
    """Returns the XR, as far as composing it looks at it."""
    fields = state.composite.resource.fields
    xr = {name: to_json(fields[name]) for name in ("apiVersion", "kind", "spec", "status") if name in fields}
    metadata = fields["metadata"].struct_value.fields if "metadata" in fields else {}
    return {**xr, "metadata": {name: to_json(metadata[name]) for name in _METADATA if name in metadata}}


def blocks(request: fnv1.RunFunctionRequest) -> dict[str, Json]:
    """Returns the CidrBlocks that were required and are there, by name."""
    found = [
        to_json(structpb.Value(struct_value=item.resource))
        for required in request.required_resources.values()
        for item in required.items
    ]
    return {block["metadata"]["name"]: block for block in found if block.get("kind") == CIDR_BLOCK.kind}


def to_json(value: structpb.Value) -> Any:  # noqa: ANN401
    """Returns a value as JSON; whole numbers as int, for protobuf knows no other number than double."""
    match value.WhichOneof("kind"):
        case "struct_value":
            return {key: to_json(item) for key, item in value.struct_value.fields.items()}
        case "list_value":
            return [to_json(item) for item in value.list_value.values]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _at(struct: structpb.Struct, path: tuple[str, ...]) -> structpb.Value | None:
    value: structpb.Value | None = None
    fields: Mapping[str, structpb.Value] = struct.fields
    for step in path:
        if step not in fields:
            return None
        value = fields[step]
        fields = value.struct_value.fields
    return value


def _text(fields: Mapping[str, structpb.Value], name: str) -> str:
    return fields[name].string_value if name in fields else ""
