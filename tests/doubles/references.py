"""References by name, resolved as a provider does: into the field that they fill, sorted, once or always.

A double, and named as one. Which kind a reference means is read from the provider's own CRDs, so a reference to a
resource of another kind never resolves here either.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from doubles.account import Key, key_of
from doubles.aws import external_name
from tap_api.base import Json

_MEANS = re.compile(r"References? to (?:a )?(\w+) in (\w+) to populate (\w+)\.")

#: Field that is filled -> what the provider's extractor takes of the resource; of others, its name (05, section 1.1).
_TAKES = {
    "iamRoleArn": "arn",
    "monitoringRoleArn": "arn",
    "logDestination": "arn",
    "arn": "arn",
    "queueUrl": "url",
}


@dataclass(frozen=True)
class Reference:
    """A reference of a kind of resource.

    Attributes:
        field: Name of the field that holds it, such as `vpcIdRef`.
        fills: Name of the field beside it that it fills, such as `vpcId`.
        kind: The kind that it means, such as `ec2.VPC`.
    """

    field: str
    fills: str
    kind: str


def of_schema(schema: Json) -> dict[str, Reference]:
    """Returns the references that a schema of forProvider knows, by field, at whatever depth they are."""
    found = {}
    for field, node in _properties(schema):
        means = _MEANS.search(" ".join(str(node.get("description", "")).split()))
        if means and re.search(r"Refs?$", field):
            found[field] = Reference(field, means[3], f"{means[2]}.{means[1]}")
    return found


def _properties(schema: Json) -> Iterator[tuple[str, Json]]:
    for field, node in schema.get("properties", {}).items():
        yield field, node
        yield from _properties(node)
    if "items" in schema:
        yield from _properties(schema["items"])


def pruned(node: Any, schema: Json) -> Any:
    """Returns a value without what its schema does not know: a provider tells no more than its CRD has."""
    if isinstance(node, list):
        return [pruned(item, schema.get("items", {})) for item in node]
    if not isinstance(node, dict) or "properties" not in schema:
        return node
    known = schema["properties"]
    return {name: pruned(value, known[name]) for name, value in node.items() if name in known}


class UnresolvedError(Exception):
    """A reference leads to nothing yet."""


def turned(node: Any, schema: Json, chance: random.Random) -> Any:
    """Returns what AWS says in another order, where its schema says that there is none (x-kubernetes-list-type)."""
    if isinstance(node, dict):
        within = schema.get("properties", {})
        return {name: turned(value, within.get(name, {}), chance) for name, value in node.items()}
    if isinstance(node, list):
        items = [turned(item, schema.get("items", {}), chance) for item in node]
        return chance.sample(items, len(items)) if schema.get("x-kubernetes-list-type") == "set" else items
    return node


def resolved(resource: Json, references: Mapping[str, Reference], find: Callable[[Key], Json | None]) -> Json:
    """Returns what is asked of a resource with its references resolved.

    Args:
        resource: The resource.
        references: The references that its kind knows.
        find: Gives the object of a kind and a name, None where there is none.

    Raises:
        UnresolvedError: one leads to nothing that is made yet; the message is the provider's.
    """
    spec: Json = deepcopy(resource["spec"]["forProvider"])
    _resolve(spec, references, find, key_of(resource)[0])
    return spec


def patch(resource: Json, spec: Json) -> Json:
    """Returns what a provider applies when it has resolved references: what changed and no more, as a merge patch.

    So what it applied before, and does not again, is its own no longer (crossplane-runtime#655).

    Args:
        resource: The resource as it is.
        spec: What is asked of it, resolved; empty fields of the patch are no part of it.
    """
    changed = _changed(resource["spec"]["forProvider"], spec)
    meta = {name: resource["metadata"][name] for name in ("name", "namespace")}
    head = {"apiVersion": resource["apiVersion"], "kind": resource["kind"], "metadata": meta}
    return {**head, "spec": {"forProvider": changed}} if changed else {}


def _changed(before: Json, after: Json) -> Json:
    found = {}
    for field, value in after.items():
        if isinstance(value, dict) and isinstance(before.get(field), dict):
            inner = _changed(before[field], value)
            found.update({field: inner} if inner else {})
        elif value != before.get(field):
            found[field] = value
    return found


def _resolve(node: Any, references: Mapping[str, Reference], find: Callable[[Key], Json | None], kind: str) -> None:
    if isinstance(node, list):
        for item in node:
            _resolve(item, references, find, kind)
    if not isinstance(node, dict):
        return
    for field, value in list(node.items()):
        if field in references and not field.endswith("SecretRef"):
            _fill(node, references[field], find, kind)
        else:
            _resolve(value, references, find, kind)


def _fill(node: Json, reference: Reference, find: Callable[[Key], Json | None], kind: str) -> None:
    value = node[reference.field]
    # IfNotPresent, unless the reference asks for more (05, section 3, item 19).
    asked = value if isinstance(value, list) else [value]
    always = any(one.get("policy", {}).get("resolve") == "Always" for one in asked)
    if node.get(reference.fills) and not always:
        return
    found = [_value(reference, one["name"], find, kind) for one in asked]
    if not isinstance(value, list):
        node[reference.fills] = found[0]
        return
    # By value, and the references with them (sortGenericMapByKeys of crossplane-runtime).
    order = sorted(range(len(found)), key=found.__getitem__)
    node[reference.fills], node[reference.field] = [found[i] for i in order], [asked[i] for i in order]


def _value(reference: Reference, name: str, find: Callable[[Key], Json | None], kind: str) -> str:
    target = find((reference.kind, name))
    where = f"cannot resolve references: mg.Spec.ForProvider.{reference.fills[0].upper()}{reference.fills[1:]}"
    if target is None:
        message = f'{where}: cannot get referenced resource: {reference.kind} "{name}" not found'
        raise UnresolvedError(message)
    made = target.get("status", {}).get("atProvider", {})
    if not made.get("id"):
        message = f"{where}: referenced field was empty (referenced resource may not yet be ready)"
        raise UnresolvedError(message)
    if reference.fills == "target":
        return f"integrations/{made['id']}"
    # A function takes its role by ARN, a policy of a role takes it by name.
    takes = "arn" if (reference.fills, kind) == ("role", "lambda.Function") else _TAKES.get(reference.fills)
    return str(made[takes] if takes else external_name(target) or made["id"])
