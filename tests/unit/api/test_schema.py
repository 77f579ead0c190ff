from typing import Annotated, Any, Optional

import pytest
from pydantic import ConfigDict, Field

from tap_api.base import LIST_SET, ApiModel, Check, cel
from tap_api.kinds import KINDS, XRS
from tap_api.schema import SchemaError, crd, structural, xrd

#: What https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/ forbids.
FORBIDDEN = {
    "$ref",
    "$defs",
    "anyOf",
    "oneOf",
    "allOf",
    "not",
    "const",
    "prefixItems",
    "uniqueItems",
    "title",
    "multipleOf",
}


class Inner(ApiModel):
    """Something inside."""

    count: int = Field(1, gt=0, description="How many.")
    share: Annotated[float, Field(multiple_of=0.5)] = Field(1.0, description="How much.")


class Outer(ApiModel):
    """Something outside."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Check("Outer", "self.inner.count > 0", "outer", field=".inner", reason="FieldValueRequired")
        )
    )

    name: str | None = Field(None, max_length=5, description="A name.")
    inner: Inner = Field(Inner(), description="The inside.", json_schema_extra=cel(Check("Field", "true", "field")))
    words: list[str] = Field([], max_length=2, description="Words.", json_schema_extra=LIST_SET)


class Tuple(ApiModel):
    """What no structural schema can say."""

    pair: tuple[int, str]


class Union(ApiModel):
    """What no structural schema can say."""

    either: int | str


class Cycle(ApiModel):
    """What no structural schema can say."""

    again: Optional["Cycle"] = None


def test_references_are_inlined_and_nulls_and_noise_are_gone() -> None:
    assert structural(Outer) == {
        "description": "Something outside.",
        "type": "object",
        "properties": {
            "name": {"description": "A name.", "type": "string", "maxLength": 5},
            "inner": {
                "description": "The inside.",
                "type": "object",
                "default": {"count": 1, "share": 1.0},
                "properties": {
                    "count": {
                        "description": "How many.",
                        "type": "integer",
                        "default": 1,
                        "minimum": 0,
                        "exclusiveMinimum": True,
                    },
                    "share": {
                        "description": "How much.",
                        "type": "number",
                        "default": 1.0,
                        "x-kubernetes-validations": [
                            {
                                "rule": "self / 0.5 == double(int(self / 0.5))",
                                "message": "must be a multiple of 0.5 (Schema)",
                            }
                        ],
                    },
                },
                "x-kubernetes-validations": [{"rule": "true", "message": "field (Field)"}],
            },
            "words": {
                "description": "Words.",
                "type": "array",
                "default": [],
                "items": {"type": "string"},
                "maxItems": 2,
                "x-kubernetes-list-type": "set",
            },
        },
        "x-kubernetes-validations": [
            {
                "rule": "self.inner.count > 0",
                "message": "outer (Outer)",
                "fieldPath": ".inner",
                "reason": "FieldValueRequired",
            }
        ],
    }


@pytest.mark.parametrize("model", [Tuple, Union, Cycle])
def test_what_a_structural_schema_cannot_say_is_an_error(model: type[ApiModel]) -> None:
    with pytest.raises(SchemaError, match="a structural schema cannot hold"):
        structural(model)


def walk(node: Any) -> Any:
    """Yields every schema below `node`, itself included."""
    yield node
    for child in node.get("properties", {}).values():
        yield from walk(child)
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from walk(node[key])


SCHEMAS = [
    pytest.param(schema, id=f"{kind.kind}.{half}")
    for kind in KINDS.values()
    for half, schema in (("spec", structural(kind.spec)), ("status", structural(kind.status)))
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_string_list_and_map_is_bounded(schema: dict[str, Any]) -> None:
    for node in walk(schema):
        if node["type"] == "string":
            assert "maxLength" in node or "enum" in node, node
        if node["type"] == "array":
            assert "maxItems" in node, node
        if node["type"] == "object":
            assert "properties" in node or "maxProperties" in node, node


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_field_says_what_it_is_and_no_keyword_is_foreign(schema: dict[str, Any]) -> None:
    for node in walk(schema):
        assert not FORBIDDEN & set(node), node
        for name, field in node.get("properties", {}).items():
            assert field.get("description"), name


@pytest.mark.parametrize("schema", SCHEMAS)
def test_lists_of_objects_are_maps_by_a_key_they_require(schema: dict[str, Any]) -> None:
    for node in walk(schema):
        if node["type"] == "array" and node["items"]["type"] == "object":
            assert node["x-kubernetes-list-type"] == "map", node
            assert set(node["x-kubernetes-list-map-keys"]) <= set(node["items"]["required"])


def test_an_xrd_keeps_only_what_crossplane_copies() -> None:
    for kind in XRS:
        made = xrd(kind)
        [version] = made["spec"]["versions"]
        assert made["metadata"]["name"] == f"{kind.plural}.tap.platform"
        assert version["schema"]["openAPIV3Schema"]["properties"]["metadata"] == {"type": "object"}
        assert (made["spec"]["scope"], version["referenceable"]) == ("Namespaced", True)


def test_the_crd_is_kept_when_the_chart_goes() -> None:
    made = crd(KINDS["EnvironmentTap"])
    assert made["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert made["spec"]["versions"][0]["subresources"] == {"status": {}}
