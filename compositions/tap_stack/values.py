"""Values that a manifest holds before it is one: what is not known yet, and references to siblings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Unknown:
    """A value that only AWS can tell, or another resource.

    Attributes:
        source: What it waits for, in words that a person can act on.
        required: Whether a resource that holds it is withheld. One that is not required is left out until it is known.
    """

    source: str
    required: bool = True


@dataclass(frozen=True)
class Ref:
    """A reference by name to a resource of the same XR.

    Attributes:
        key: Key of that resource.
        always: Resolve it on every pass. A provider resolves a reference once and keeps the value (05, section 3,
            item 19: IfNotPresent, provider-upjet-aws#1242), which is wrong where the reference is meant to move.
    """

    key: str
    always: bool = False


def find(node: object, kind: type | tuple[type, ...]) -> list[Any]:
    """Returns every value of type `kind`, or of one of them, in a manifest, in its order."""
    found: list[Any] = []
    _collect([node], kind, found)
    return found


def _collect(node: dict[str, Any] | list[Any], kind: type | tuple[type, ...], found: list[Any]) -> None:
    # Called for what holds something and not for each thing: a region holds thousands, and is looked at at each change.
    for item in node.values() if isinstance(node, dict) else node:
        if isinstance(item, kind):
            found.append(item)
        elif isinstance(item, (dict, list)):
            _collect(item, kind, found)


_ABSENT = object()


def resolve(node: Any, names: Callable[[str], str], observed: Callable[[tuple[str, ...]], Any]) -> Any:  # noqa: ANN401
    """Returns a manifest in which references have names, and unknowns have the values that are observed.

    An unknown that is not observed either is left out. A list that holds an unknown is taken as it is observed, whole:
    a list is one value to server-side apply.

    Args:
        node: The manifest.
        names: Gives the name of the resource of a key.
        observed: Gives the observed value at a path, None where there is none.
    """
    return _resolve(node, names, observed, ())


def _resolve(
    node: Any,  # noqa: ANN401
    names: Callable[[str], str],
    observed: Callable[[tuple[str, ...]], Any],
    path: tuple[str, ...],
) -> Any:  # noqa: ANN401
    if isinstance(node, str):  # As most of a manifest is.
        return node
    if isinstance(node, Ref):
        return {"name": names(node.key), **({"policy": {"resolve": "Always"}} if node.always else {})}
    if isinstance(node, Unknown) or (isinstance(node, list) and find(node, Unknown)):
        value = observed(path)
        return _ABSENT if value is None else value
    if isinstance(node, dict):
        found = {}
        for key, item in node.items():
            value = item if isinstance(item, str) else _resolve(item, names, observed, (*path, key))
            if value is not _ABSENT:
                found[key] = value
        return found
    if isinstance(node, list):
        return [_resolve(item, names, observed, path) for item in node]
    return node
