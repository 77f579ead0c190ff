"""What differs between an object as it is stored and as it is asked for, field by field. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tap_api.base import Json
from tap_api.naming import MANAGER
from tap_stack.fields import step, telling
from tap_stack.observation import COMPOSED
from tap_stack.plan.change import Field
from tap_stack.values import Ref, Unknown

_NOTHING: Mapping[str, Any] = {}
_GONE = object()

IsSet = Callable[[str], bool]


def differences(
    stored: Any,  # noqa: ANN401
    wanted: Any,  # noqa: ANN401
    owned: Any,  # noqa: ANN401
    path: str = "",
    is_set: IsSet = lambda _: False,
) -> Iterator[Field]:
    """Yields the fields in which `stored` would change if `wanted` were applied over it.

    What is stored and not wanted stays, as server-side apply leaves it (a provider fills in what AWS chose, and what
    references are resolved to), unless it is ours alone: then it goes.

    Args:
        stored: The value as it is stored.
        wanted: The value that is asked for.
        owned: A value that has the fields of `stored` that are ours alone; of its values only the nesting says
            something.
        path: Path of the value.
        is_set: Tells whether the order of the list at a path says nothing.
    """
    if isinstance(stored, Mapping) and isinstance(wanted, Mapping):
        for key, value in wanted.items():
            below = _below(owned, key)
            yield from differences(stored.get(key, _GONE), value, below, step(path, key), is_set)
        for key in stored:
            if key not in wanted and isinstance(owned, Mapping) and key in owned:
                yield from _going(stored[key], owned[key], step(path, key))
    elif isinstance(stored, list) and isinstance(wanted, list):
        yield from _of_lists(stored, wanted, owned, path, is_set)
    elif not _same(stored, wanted):
        yield Field(path, None if stored is _GONE else stored, wanted)


def is_applied(entry: Mapping[str, Any]) -> bool:
    """Returns whether an entry of managed fields is of what `tap` has applied."""
    return (entry.get("manager"), entry.get("operation")) == (MANAGER, "Apply") and not entry.get("subresource")


def applied_fields(stored: Mapping[str, Any]) -> Json:
    """Returns what of a stored claim `tap` applied and nobody else holds: it goes where a file has it no more."""
    return _held(stored, is_applied)


def owned_fields(stored: Mapping[str, Any], emitted_before: Mapping[str, Any] | None) -> Json:
    """Returns what of a stored object is ours alone: by its managed fields, and by what its old claim composes.

    `kubectl get -o yaml` leaves managed fields out; only they know of what an older version of ours asked for, and of
    what somebody else asks for too, such as the provider: server-side apply leaves that where it is.
    """
    return _held(stored, lambda entry: str(entry.get("manager", "")).startswith(COMPOSED), emitted_before)


def unknowns(wanted: Any, path: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """Yields the path and the source of every value of a manifest that is not known yet."""
    # Most of a manifest is text: a call for each of thousands of them is what a plan would take longest for.
    if isinstance(wanted, Unknown):
        yield path, wanted.source
    elif isinstance(wanted, dict):
        for key, value in wanted.items():
            if not isinstance(value, str):
                yield from unknowns(value, step(path, key))
    elif isinstance(wanted, list):
        for index, value in enumerate(wanted):
            if not isinstance(value, str):
                yield from unknowns(value, f"{path}[{index}]")


def known(wanted: Any, names: Callable[[str], str]) -> Any:  # noqa: ANN401
    """Returns a manifest without what is not known yet; references have names."""
    if isinstance(wanted, Ref):
        return {"name": names(wanted.key), **({"policy": {"resolve": "Always"}} if wanted.always else {})}
    if isinstance(wanted, dict):
        return {
            key: value if isinstance(value, str) else known(value, names)
            for key, value in wanted.items()
            if not isinstance(value, Unknown)
        }
    if isinstance(wanted, list):
        return [known(value, names) for value in wanted if not isinstance(value, Unknown)]
    return wanted


def _held(
    stored: Mapping[str, Any], is_ours: Callable[[Mapping[str, Any]], bool], emitted: Mapping[str, Any] | None = None
) -> Json:
    """Returns what of a stored object is ours alone: by its managed fields, and by what we are known to ask for."""
    ours: Json = {}
    others: Json = {}
    for entry in stored.get("metadata", {}).get("managedFields") or ():
        _merge(ours if is_ours(entry) else others, _nesting(entry.get("fieldsV1") or {}))
    return _without(_merge(ours, emitted or {}), others)


def _of_lists(
    stored: list[Any],
    wanted: list[Any],
    owned: Any,  # noqa: ANN401
    path: str,
    is_set: IsSet,
) -> Iterator[Field]:
    name = telling(stored, wanted)
    if name and stored and wanted:
        yield from _of_named(name, stored, wanted, owned, path, is_set)
        return
    if len(stored) == len(wanted) and all(isinstance(item, Mapping) for item in (*stored, *wanted)):
        items = owned if isinstance(owned, list) and len(owned) == len(stored) else [_NOTHING] * len(stored)
        for index, (old, new, ours) in enumerate(zip(stored, wanted, items, strict=True)):
            yield from differences(old, new, ours, f"{path}[{index}]", is_set)
    elif stored != wanted and not (is_set(path) and sorted(map(str, stored)) == sorted(map(str, wanted))):
        yield Field(path, stored, wanted)


def _of_named(  # noqa: PLR0913, PLR0917  (as `differences`, and the name)
    name: str,
    stored: list[Any],
    wanted: list[Any],
    owned: Any,  # noqa: ANN401
    path: str,
    is_set: IsSet,
) -> Iterator[Field]:
    """Yields the differences of two lists whose items are told apart by their field `name`."""
    old, new = ({item[name]: item for item in items} for items in (stored, wanted))
    ours = {item.get(name): item for item in owned} if isinstance(owned, list) else {}
    found: list[Field] = []
    for key, item in new.items():
        below = f"{path}[{name}={key}]"
        if key in old:
            found += differences(old[key], item, ours.get(key, _NOTHING), below, is_set)
        else:
            found.append(Field(below, None, item))
    found += [Field(f"{path}[{name}={key}]", item, None) for key, item in old.items() if key not in new]
    if not found and list(old) != list(new) and not is_set(path):
        found.append(Field(path, stored, wanted))
    yield from found


def _going(stored: Any, owned: Any, path: str) -> Iterator[Field]:  # noqa: ANN401
    """Yields what goes of a value that is not asked for any more: all of it, or what others do not hold."""
    if isinstance(owned, _Part):
        for key in stored if isinstance(stored, Mapping) else ():
            if key in owned:
                yield from _going(stored[key], owned[key], step(path, key))
    else:
        yield Field(path, stored, None)


class _Part(dict[str, Any]):
    """Fields of a value that are ours alone, where others hold some of the value."""


def _without(ours: Mapping[str, Any], others: Mapping[str, Any]) -> _Part:
    """Returns the fields of `ours` that are none of `others`."""
    found = _Part()
    for key, value in ours.items():
        below = others.get(key)
        if below is None:
            found[key] = value
        elif below and isinstance(value, Mapping) and value:
            found[key] = _without(value, below)
    return found


def _same(stored: object, wanted: object) -> bool:
    return stored == wanted and isinstance(stored, bool) == isinstance(wanted, bool)


def _below(owned: Any, key: str) -> Any:  # noqa: ANN401
    return owned.get(key, _NOTHING) if isinstance(owned, Mapping) else _NOTHING


def _nesting(fields: Mapping[str, Any]) -> Json:
    """Returns managed fields (`f:spec`) as a nesting of names. A list's items are no names, so a list ends it."""
    return {key[2:]: _nesting(below) for key, below in fields.items() if key.startswith("f:")}


def _merge(into: Json, other: Mapping[str, Any]) -> Json:
    for key, value in other.items():
        if isinstance(value, Mapping):
            below = into.get(key)
            into[key] = _merge(below if isinstance(below, dict) else {}, value)
        elif key not in into or isinstance(value, list):
            into[key] = value
    return into
