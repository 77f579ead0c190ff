"""From a model to the structural schema that an apiserver takes, and from a kind to its CRD or XRD.

pydantic writes JSON Schema 2020-12; a CustomResourceDefinition takes a dialect without references, nulls and a few
more (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/). Whatever has
no counterpart is an error here and not a surprise there.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from tap_api import checks
from tap_api.base import GROUP, VERSION, Json
from tap_api.kinds import CIDR_BLOCK, ENVIRONMENT_TAP, XRS, Kind

#: Keywords that say nothing to an apiserver.
_NOISE = ("title", "examples", "deprecated", "discriminator", "additionalProperties")
#: Keywords that a structural schema cannot hold.
_FORBIDDEN = ("prefixItems", "uniqueItems", "oneOf", "allOf", "not", "const", "$ref", "$defs")


class SchemaError(TypeError):
    """A model that no structural schema can describe."""


class _Generator(GenerateJsonSchema):
    """pydantic's generator, without `null`: in Kubernetes an optional field is one that may be absent."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        if made.get("default", ...) is None:
            del made["default"]
        elif "default" in made:
            made["default"] = _without_nulls(made["default"])
        return made


def structural(model: type[BaseModel]) -> Json:
    """Returns the structural schema of `model`: references inlined, keywords in a fixed order.

    Raises:
        SchemaError: the model needs what a structural schema cannot say (a cycle, a tuple, a union).
    """
    schema = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    return _inline(schema, schema.get("$defs", {}), ())


def _without_nulls(value: Any) -> Any:  # noqa: ANN401
    """Returns a default without what is unset: `null` is not a value of a structural schema."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


def _inline(node: Json, definitions: Mapping[str, Json], trail: tuple[str, ...]) -> Json:
    reference = node.get("$ref")
    if reference is not None:
        name = str(reference).rpartition("/")[2]
        if name in trail:
            message = f"a structural schema cannot hold the cycle {' -> '.join((*trail, name))}"
            raise SchemaError(message)
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _inline(_merge(definitions[name], beside), definitions, (*trail, name))
    return _ordered(_translate(node, definitions, trail))


def _merge(definition: Json, beside: Json) -> Json:
    """Returns a definition under what its user says of it; CEL rules of both hold."""
    rules = [*definition.get("x-kubernetes-validations", []), *beside.get("x-kubernetes-validations", [])]
    return {**definition, **beside, **({"x-kubernetes-validations": rules} if rules else {})}


def _translate(node: Json, definitions: Mapping[str, Json], trail: tuple[str, ...]) -> Json:
    made: Json = {}
    rules: list[Json] = list(node.get("x-kubernetes-validations", []))
    for key, value in node.items():
        if key == "properties":
            made[key] = {name: _inline(schema, definitions, trail) for name, schema in value.items()}
        elif key == "items":
            made[key] = _inline(value, definitions, trail)
        elif key == "additionalProperties" and isinstance(value, Mapping):
            made[key] = _inline(dict(value), definitions, trail)
        elif key == "description":
            made[key] = " ".join(str(value).split())
        elif key in ("exclusiveMinimum", "exclusiveMaximum"):
            made[key.replace("exclusiveM", "m")] = value
            made[key] = True
        elif key == "multipleOf":
            # kube-openapi compares integers with the factor cut to an integer, so 0.5 refuses every whole number
            # ("factor MultipleOf declared for minCapacity must be positive: 0", kube-apiserver 1.36.4).
            rule = f"self / {value} == double(int(self / {value}))"
            rules.append({"rule": rule, "message": f"must be a multiple of {value} (Schema)"})
        elif key not in (*_NOISE, "$defs"):
            made[key] = value
    if rules:
        made["x-kubernetes-validations"] = rules
    unknown = [key for key in made if key in _FORBIDDEN or key == "anyOf"]
    if unknown:
        message = f"a structural schema cannot hold {', '.join(unknown)} (in {node.get('title', trail)})"
        raise SchemaError(message)
    return made


_ORDER = ("description", "type", "format", "default", "enum", "required", "properties", "items", "additionalProperties")


def _ordered(node: Json) -> Json:
    head = {key: node[key] for key in _ORDER if key in node}
    return {**head, **{key: node[key] for key in sorted(node) if key not in head}}


def crd(kind: Kind) -> Json:
    """Returns the CustomResourceDefinition of a kind that our operator owns."""
    schema = _object_schema(kind)
    schema["properties"] = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, **schema["properties"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{GROUP}",
            # Deleting a CRD deletes every object of it: `helm uninstall` must not.
            "annotations": {"helm.sh/resource-policy": "keep"},
        },
        "spec": {
            "group": GROUP,
            "scope": kind.scope,
            "names": {**_names(kind), "listKind": f"{kind.kind}List", "singular": kind.singular},
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    **({"subresources": {"status": {}}} if kind.status else {}),
                    "additionalPrinterColumns": _columns(kind),
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def xrd(kind: Kind) -> Json:
    """Returns the CompositeResourceDefinition of a kind that Crossplane composes."""
    return {
        "apiVersion": "apiextensions.crossplane.io/v2",
        "kind": "CompositeResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": _names(kind),
            "defaultCompositionRef": {"name": f"{kind.plural}.{GROUP}"},
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "referenceable": True,
                    "additionalPrinterColumns": _columns(kind),
                    "schema": {"openAPIV3Schema": _object_schema(kind)},
                }
            ],
        },
    }


def _names(kind: Kind) -> Json:
    return {
        "kind": kind.kind,
        "plural": kind.plural,
        "shortNames": list(kind.short_names),
        "categories": ["tap", "crossplane"] if kind in XRS else ["tap"],
    }


#: Another name would be a second object that decides the same range (tap_api.blocks.block_name).
_NAMED_AFTER_ITS_RANGE = {
    "rule": "self.metadata.name == self.spec.peeringGroup + '-' + self.spec.cidr.split('.')[0] + '-' "
    "+ self.spec.cidr.split('.')[1]",
    "message": "the name must be <peeringGroup>-<first>-<second number of spec.cidr>, such as prod-10-0",
}


def _object_schema(kind: Kind) -> Json:
    made: Json = {
        "description": kind.description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "metadata": {"type": "object"},
            "spec": structural(kind.spec),
            **({"status": structural(kind.status)} if kind.status else {}),
        },
    }
    if kind is CIDR_BLOCK:
        return {**made, "x-kubernetes-validations": [_NAMED_AFTER_ITS_RANGE]}
    if kind is ENVIRONMENT_TAP:
        return made  # Its name is left to the webhook; tap_api.checks says why.
    return {**made, "x-kubernetes-validations": checks.names()}


def _columns(kind: Kind) -> list[Json]:
    """Returns the columns of `kubectl get`. Crossplane puts SYNCED, READY, COMPOSITION and AGE to an XR's own."""
    columns: list[tuple[str, str, Any]]
    if kind is ENVIRONMENT_TAP:
        columns = [
            ("Environment", ".spec.environment", 0),
            ("Primary", ".spec.primaryRegion", 0),
            ("Regions", ".status.readyRegions", 0),
            ("Ready", ".status.conditions[?(@.type=='Ready')].status", 0),
            ("Created", ".status.resources.created", 0),
            ("Desired", ".status.resources.desired", 0),
            ("Paused", ".status.resources.paused", 0),
            ("Message", ".status.conditions[?(@.type=='Ready')].message", 1),
            ("Age", ".metadata.creationTimestamp", 0),
        ]
    elif kind is CIDR_BLOCK:
        columns = [
            ("Group", ".spec.peeringGroup", 0),
            ("Range", ".spec.cidr", 0),
            ("Claims", ".spec.summary", 0),
            ("Age", ".metadata.creationTimestamp", 0),
        ]
    else:
        columns = [
            ("Region", ".spec.region", 0),
            *([] if kind.part else [("Role", ".spec.role", 0), ("CIDR", ".spec.cidr", 0), ("State", ".spec.state", 0)]),
            ("Created", ".status.resources.created", 0),
            ("Desired", ".status.resources.desired", 0),
        ]
    return [_column(name, path, priority) for name, path, priority in columns]


def _column(name: str, path: str, priority: int) -> Json:
    kinds = {"Created": "integer", "Desired": "integer", "Paused": "integer", "Age": "date"}
    made = {"name": name, "type": kinds.get(name, "string"), "jsonPath": path}
    return {**made, "priority": priority} if priority else made
