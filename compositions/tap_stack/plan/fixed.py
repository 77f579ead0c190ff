"""Fields of a claim that the apiserver keeps as they are: its CEL rules, answered without an apiserver.

Two forms of rule are enough, and tests hold that there are no others that look at the old object: a field that equals
its old self, and one that is there if and only if it was.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tap_api.base import Json
from tap_api.kinds import KINDS
from tap_api.policy import Violation
from tap_api.schema import structural

CODE = "Immutable"
SAME = "self == oldSelf"
THERE = re.compile(r"has\(self\.(\w+)\) == has\(oldSelf\.\1\)")


def fixed(kind: str, claim: Mapping[str, Any], old: Mapping[str, Any]) -> list[Violation]:
    """Returns every field of `claim` that differs from `old` and cannot, sorted by path."""
    schema = structural(KINDS[kind].spec)
    return sorted(_found(schema, claim["spec"], old["spec"], "spec"))


def _found(schema: Json, new: Any, old: Any, path: str) -> Iterator[Violation]:  # noqa: ANN401
    for rule in schema.get("x-kubernetes-validations", []):
        there = THERE.fullmatch(rule["rule"])
        if rule["rule"] == SAME and new != old:
            yield Violation(path, CODE, f"{rule['message']} (it is {old!r})")
        elif there and (there[1] in new) != (there[1] in old):
            yield Violation(f"{path}.{there[1]}", CODE, rule["message"])
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        for name, below in schema.get("properties", {}).items():
            if name in new and name in old:
                yield from _found(below, new[name], old[name], f"{path}.{name}")
    elif isinstance(new, list) and isinstance(old, list) and schema.get("x-kubernetes-list-type") == "map":
        keys = schema["x-kubernetes-list-map-keys"]
        before = {tuple(item.get(key) for key in keys): item for item in old}
        for index, item in enumerate(new):
            same = before.get(tuple(item.get(key) for key in keys))
            if same is not None:
                yield from _found(schema["items"], item, same, f"{path}[{index}]")
