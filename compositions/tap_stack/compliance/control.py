"""What a control is, and what it sees: the AWS resources that one XR asks for."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tap_stack.assembly import Assembly
from tap_stack.values import Ref, Unknown

_OBSERVED = ["Observe"]


@dataclass(frozen=True)
class Item:
    """An AWS resource that is asked for, or that will be.

    Attributes:
        key: Its key.
        kind: Its service and kind, such as `s3.Bucket`: kinds of two services share a name.
        name: Name of its object.
        fields: What is wanted of it. A value that is not known yet is a values.Unknown.
        planned: It is withheld: siblings count on it, and it is judged once it is asked for.
    """

    key: str
    kind: str
    name: str
    fields: Mapping[str, Any]
    planned: bool = False

    def get(self, *path: str) -> Any:  # noqa: ANN401  (JSON)
        """Returns the value at `path`, None where there is none."""
        node: Any = self.fields
        for step in path:
            node = node.get(step) if isinstance(node, Mapping) else None
        return node

    def has(self, *path: str) -> bool:
        """Returns whether there is a value at `path`; one that is not known yet is one."""
        return self.get(*path) not in (None, "", [], {})

    def statements(self, name: str = "policy") -> list[Mapping[str, Any]]:
        """Returns the statements of the policy document in a field; none where it is not known yet, or not one."""
        text = self.get(name)
        try:
            found = json.loads(text)["Statement"] if isinstance(text, str) else []
        except (ValueError, KeyError, TypeError):
            return []
        listed = found if isinstance(found, list) else [found]
        return [statement for statement in listed if isinstance(statement, Mapping)]


@dataclass(frozen=True)
class Inventory:
    """What one XR asks for."""

    items: tuple[Item, ...]

    @property
    def unjudged(self) -> list[str]:
        """What is to be said in place of a verdict where nothing is there to be judged."""
        return [] if any(not item.planned for item in self.items) else ["no resource exists yet"]

    def of(self, *kinds: str) -> Iterator[Item]:
        """Yields what is asked for of some kinds; what is withheld is not there to be judged yet."""
        yield from (item for item in self.items if item.kind in kinds and not item.planned)

    def about(self, kind: str, field: str, item: Item) -> Iterator[Item]:
        """Yields the resources of `kind`, planned ones too, whose reference `field` names `item`."""
        for other in self._by_kind.get(kind, ()):
            if _named(other.get(field)) in (item.name, item.key):
                yield other

    @cached_property
    def _by_kind(self) -> Mapping[str, list[Item]]:
        found: dict[str, list[Item]] = {}
        for item in self.items:
            found.setdefault(item.kind, []).append(item)
        return found


def _named(reference: object) -> object:
    """Returns the name in a reference; the key where it is one to a sibling that is withheld too."""
    if isinstance(reference, Ref):
        return reference.key
    return reference.get("name") if isinstance(reference, Mapping) else None


def inventory(assembly: Assembly) -> Inventory:
    """Returns the AWS resources of an assembly. What another resource makes, and we only look at, is not ours."""
    emitted = [_item(entry.key, entry.manifest, planned=False) for entry in assembly.emitted]
    withheld = [_item(entry.key, entry.manifest, planned=True) for entry in assembly.withheld]
    return Inventory(tuple(item for item in (*emitted, *withheld) if item))


def _item(key: str, manifest: Mapping[str, Any], *, planned: bool) -> Item | None:
    spec = manifest.get("spec")
    if not isinstance(spec, Mapping) or "forProvider" not in spec or spec.get("managementPolicies") == _OBSERVED:
        return None
    fields = {**(spec.get("initProvider") or {}), **spec["forProvider"]}
    service = str(manifest["apiVersion"]).partition(".")[0]
    return Item(key, f"{service}.{manifest['kind']}", str(manifest["metadata"]["name"]), fields, planned)


#: The item, and what is wrong with it.
Finding = tuple[Item, str]


@dataclass(frozen=True)
class Exemption:
    """What a control does not ask for, and why; every one is named here and on the page.

    Attributes:
        what: What is exempt, for a person.
        why: Why nothing better can be had.
    """

    what: str
    why: str


@dataclass(frozen=True)
class Control:
    """A rule about what is composed.

    Attributes:
        code: Its stable name.
        kinds: The kinds that it judges.
        find: Yields the resources that break it.
        purpose: What it is for, and so what is to be true.
        exemptions: What it does not ask for.
    """

    code: str
    kinds: tuple[str, ...]
    find: Callable[[Inventory], Iterable[Finding]]
    purpose: str
    exemptions: tuple[Exemption, ...] = field(default=())


def is_true(value: object) -> bool:
    """Returns whether a value is true, or will be told."""
    return value is True or isinstance(value, Unknown)


def is_private(statement: Mapping[str, Any]) -> bool:
    """Returns whether a statement gives nothing to everybody."""
    principal = statement.get("Principal")
    everybody = principal == "*" or (isinstance(principal, Mapping) and "*" in many(principal.get("AWS")))
    return statement.get("Effect") != "Allow" or not everybody or bool(statement.get("Condition"))


def refuses_plain_text(item: Item) -> bool:
    """Returns whether a policy refuses everybody who does not come over TLS; one that is not known yet will."""
    if isinstance(item.get("policy"), Unknown):
        return True
    return any(
        statement.get("Effect") == "Deny"
        and statement.get("Principal") == "*"
        and (statement.get("Condition") or {}).get("Bool") == {"aws:SecureTransport": "false"}
        for statement in item.statements()
    )


def many(value: object) -> list[Any]:
    """Returns what may be one or many as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
