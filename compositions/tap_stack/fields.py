"""Paths of fields, what tells items of a list apart, and values: as plans and reports of drift spell them. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[\w-]+", re.ASCII)
#: Fields that tell the items of a list apart, in lists of AWS and of ours.
_NAMES = ("id", "sid", "name", "regionName", "region", "key")


def step(path: str, key: str) -> str:
    """Returns the path of a field; a name that is not plain is quoted, so that a path is read in one way only."""
    if _PLAIN.fullmatch(key):
        return f"{path}.{key}" if path else key
    return f'{path}["{key}"]'


def plain(path: str) -> str:
    """Returns a path without what tells items apart: as a schema has it."""
    return re.sub(r"\[[^\]]*\]", "", path)


def telling(*lists: Sequence[Any]) -> str:
    """Returns the field that tells the items of each of the lists apart; empty where there is none."""
    return next((name for name in _NAMES if all(_tells(name, items) for items in lists)), "")


def _tells(name: str, items: Sequence[Any]) -> bool:
    if not all(isinstance(item, Mapping) and isinstance(item.get(name), str) for item in items):
        return False
    return len({item[name] for item in items}) == len(items)


def whole(value: Any) -> Any:  # noqa: ANN401
    """Returns a value with whole numbers as people write them."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    return [whole(item) for item in value] if isinstance(value, list) else value
