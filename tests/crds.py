"""CustomResourceDefinitions as validators that miss nothing: unknown fields, and what the provider's CEL requires."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs

from golden.world import Composing
from tap_api import manifest
from tap_api.base import Json
from tap_stack.catalogue import catalogue

#: The provider's CEL: a field is needed in forProvider or initProvider, unless the resource is only observed.
_REQUIRED = re.compile(r"spec\.forProvider\.(\w+) is a required parameter")


class Schema:
    """A kind's schema."""

    def __init__(self, schema: Json) -> None:
        """Args: schema: openAPIV3Schema of a CRD or an XRD."""
        spec = schema["properties"]["spec"]
        rules = [rule.get("message", "") for rule in spec.get("x-kubernetes-validations", [])]
        self.required = [match[1] for rule in rules if (match := _REQUIRED.fullmatch(rule))]
        self._validator = jsonschema_rs.Draft4Validator(_strict(schema))

    def faults(self, resource: Json) -> list[str]:
        """Returns what is wrong with a resource."""
        found = [
            f"{'.'.join(map(str, error.instance_path))}: {error.message}"
            for error in self._validator.iter_errors(resource)
        ]
        spec = resource["spec"]
        given = {**spec.get("initProvider", {}), **spec.get("forProvider", {})}
        return found + [f"spec.forProvider.{name} is missing" for name in self.required if name not in given]


def of_crd(path: Path, name: str = "") -> Schema:
    """Returns the schema of a CRD, read from its file: of its only version, or of the one that is named."""
    (crd,) = manifest.read(path)
    (version,) = (found for found in crd["spec"]["versions"] if name in ("", found["name"]))
    return Schema(version["schema"]["openAPIV3Schema"])


def of_provider(crds: Path) -> dict[tuple[str, str], Schema]:
    """Returns the schemas of the kinds that are composed, by apiVersion and kind."""
    found = {}
    for entry in catalogue().values():
        found[entry.api_version, entry.kind] = of_crd(crds / f"{entry.group}_{entry.plural}.yaml")
    return found


def unknown_references(resource: Json) -> Iterator[str]:
    """Yields the values of fields called `...Ref` that are not a name with, perhaps, a policy; of a Secret, a key."""
    for field, value in resource["spec"].get("forProvider", {}).items():
        if field.endswith("Ref") and set(value) - {"name", "key" if field.endswith("SecretRef") else "policy"}:
            yield f"{field}: {value}"


def _strict(node: Any) -> Any:
    """Returns a schema that refuses unknown fields, which a CRD would silently prune."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    strict = {key: _strict(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and not node.get("x-kubernetes-preserve-unknown-fields"):
        strict.setdefault("additionalProperties", False)
    return strict


def faults(turned: list[Composing], schemas: dict[tuple[str, str], Schema]) -> Iterator[str]:
    """Yields every fault of everything that is emitted, and every name that is used twice."""
    names: Counter[tuple[str, str, str]] = Counter()
    for _, composed in turned:
        for item in composed.resources:
            resource = item.manifest
            kind = (resource["apiVersion"], resource["kind"])
            names[(*kind, resource["metadata"]["name"])] += 1
            for fault in [*schemas[kind].faults(resource), *unknown_references(resource)]:
                yield f"{resource['metadata']['name']}: {fault}"
            if len(resource["metadata"]["name"]) > 63:
                yield f"{resource['metadata']['name']} is longer than 63 characters"
    yield from (f"{name} is used twice" for name, count in names.items() if count > 1)
