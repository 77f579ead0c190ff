"""The schemas of the kinds that are composed, and which of their fields AWS cannot change in place.

Generated into schemas.json and packed with the code, so that a plan needs neither a cluster nor the provider: the
schemas are those of the provider's CRDs (without words and without initProvider, which repeats forProvider), and what
AWS replaces is read from the Terraform provider that it wraps (compositions/forcenew.py). Never kept by hand.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any

from tap_api.base import Json

FILE = "schemas.json"
_WORDS = ("description", "title")
#: How upjet words the rule of a field that is needed.
_NEEDED = re.compile(r"spec\.forProvider\.(\w+) is a required parameter")


@dataclass(frozen=True)
class Schema:
    """What is known of a kind of the provider.

    Attributes:
        for_provider: Its schema of `spec.forProvider`.
        needs: Fields of `spec.forProvider` that its CEL asks for where a resource is not only looked at.
        replaces: Fields of `spec.forProvider`, such as `vpcConfig.vpcId`, that AWS changes only by making another one.
    """

    for_provider: Mapping[str, Any]
    replaces: Sequence[str]
    needs: Sequence[str] = ()

    @cached_property
    def _replaced(self) -> frozenset[str]:
        # A reference stands for the value that it is resolved to.
        return frozenset(f"{field}{end}" for field in self.replaces for end in ("", "Ref", "Refs"))

    def is_replaced(self, field: str) -> bool:
        """Returns whether a change of `field`, as of `replaces` and without the numbers of items, makes another one."""
        steps = field.split(".")
        return any(".".join(steps[:end]) in self._replaced for end in range(1, len(steps) + 1))

    def is_set(self, field: str) -> bool:
        """Returns whether `field` is a list in which order says nothing."""
        node: Mapping[str, Any] = self.for_provider
        for step in field.split("."):
            node = node.get("items", node).get("properties", {}).get(step, {})
        return node.get("x-kubernetes-list-type") == "set"


@cache
def schemas() -> Mapping[tuple[str, str], Schema]:
    """Returns the schemas, by group and kind."""
    text = resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    return {
        (entry["group"], entry["kind"]): Schema(entry["forProvider"], tuple(entry["replaces"]), tuple(entry["needs"]))
        for entry in json.loads(text)
    }


def describe(crd: Mapping[str, Any], replaces: Sequence[str]) -> Json:
    """Returns the entry of a kind, read from its CRD."""
    spec = crd["spec"]
    version = next(version for version in spec["versions"] if version["storage"])
    schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    rules = [rule.get("message", "") for rule in schema.get("x-kubernetes-validations") or ()]
    return {
        "group": spec["group"],
        "kind": spec["names"]["kind"],
        "replaces": list(replaces),
        "needs": [found[1] for found in map(_NEEDED.fullmatch, rules) if found],
        "forProvider": _pruned(schema["properties"]["forProvider"]),
    }


def dump(entries: Sequence[Json]) -> str:
    """Returns the file: a line for each kind, so that a change of one is seen as one."""
    ordered = sorted(entries, key=lambda entry: (entry["group"], entry["kind"]))
    return "[\n" + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in ordered) + "\n]\n"


def _pruned(node: Any) -> Any:  # noqa: ANN401
    """Returns a schema without words for people. A field may be called like one of them: then it is a schema."""
    if isinstance(node, dict):
        return {key: _pruned(item) for key, item in node.items() if key not in _WORDS or not isinstance(item, str)}
    return [_pruned(item) for item in node] if isinstance(node, list) else node
