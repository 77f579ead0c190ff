"""What AWS has against what is wanted of one resource, field by field. Pure; it knows how the provider tells of both.

`status.atProvider` calls a field what `spec.forProvider` calls it (upjet makes both from one schema). A field that it
leaves out was not reported, and that is no difference; so is what AWS, or the provider, adds. Where the two spell the
same thing in two ways, they are the same: policies by their meaning, names and ids against ARNs, lists in any order.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tap_stack import documents
from tap_stack.fields import step, telling
from tap_stack.references import filled

#: Where the paths of all differences begin: the field that a person would look for.
ROOT = "spec.forProvider"
#: What the provider is told and AWS is not, or what AWS is told once and does not give back; its echo of our own words
#: in status.atProvider would say nothing of AWS. From the argument lists of the Terraform provider that it wraps.
_NOT_READ = frozenset(
    {
        "acl",  # s3.Object: GetObject does not return it, and a bucket that enforces its owner has none.
        "applyImmediately",
        "applyMethod",  # rds.ClusterParameterGroup: how a value is set, not what it is (provider-upjet-aws#1286).
        "autoGeneratePassword",
        "content",
        "contentBase64",
        "deleteAutomatedBackups",
        "deletionWindowInDays",
        "finalSnapshotIdentifier",
        "forceDestroy",
        "publish",
        "replaceSecurityGroupsOnDestroy",
        "s3Bucket",  # lambda.Function: where its code came from; `codeSha256` is what AWS has.
        "s3Key",
        "s3ObjectVersion",
        "skipFinalSnapshot",
    }
)
_REFERENCES = ("SecretRef", "Selector")
#: Fields whose values are a person's own: somebody may have put a secret there.
_PRIVATE = ".environment.variables."
NOT_SHOWN = "(a value that is not shown)"

Read = Callable[[str], Any]


@dataclass(frozen=True)
class Difference:
    """A field that AWS has otherwise than is wanted.

    Attributes:
        path: Its path, such as `spec.forProvider.tags.CostCenter`.
        wanted: What is wanted; None where it is not wanted at all.
        real: What AWS has; None where it has none.
    """

    path: str
    wanted: Any
    real: Any


def differences(wanted: Mapping[str, Any], real: Read, schema: Mapping[str, Any]) -> Iterator[Difference]:
    """Yields what AWS has otherwise than is wanted.

    Args:
        wanted: What is wanted, as `resolved` returns it.
        real: Returns a field of `status.atProvider`; None where it is not reported.
        schema: The schema of `spec.forProvider` (tap_stack.schemas).
    """
    known = schema.get("properties", {})
    for field, value in wanted.items():
        found = real(field)
        if found is not None:
            yield from _of_value(value, found, step(ROOT, field), known.get(field, {}))


def resolved(wanted: Mapping[str, Any], asked: Read) -> dict[str, Any]:
    """Returns what is wanted, with the values that references mean; without what is not read, or not known yet.

    Args:
        wanted: `spec.forProvider` as it is composed, references by name in it.
        asked: Returns a field of `spec.forProvider` as it is stored: the provider puts there what references mean.
    """
    found: dict[str, Any] = {}
    for field, value in wanted.items():
        if field in _NOT_READ or field.endswith(_REFERENCES):
            continue
        target = filled(field)
        if target:
            value = asked(target)  # noqa: PLW2901  (the same field, under the name that has its value)
        elif isinstance(value, Mapping) and any(map(filled, value)):
            within = asked(field)
            value = resolved(value, within.get if isinstance(within, Mapping) else lambda _: None)  # noqa: PLW2901
        if value is not None:
            found[target or field] = value
    return found


def _of_value(wanted: Any, real: Any, path: str, schema: Mapping[str, Any]) -> Iterator[Difference]:  # noqa: ANN401
    if isinstance(wanted, Mapping):
        # Kinds of the plugin framework have lists of one where others have an object (05, section 1).
        found = real[0] if isinstance(real, list) and len(real) == 1 else real
        if isinstance(found, Mapping):
            yield from _of_object(wanted, found, path, schema)
        else:
            yield _difference(path, wanted, real)
    elif isinstance(wanted, list):
        yield from _of_list(wanted, real if isinstance(real, list) else [real], path, schema.get("items", {}))
    elif not same(wanted, real):
        yield _difference(path, wanted, real)


def _of_object(
    wanted: Mapping[str, Any], real: Mapping[str, Any], path: str, schema: Mapping[str, Any]
) -> Iterator[Difference]:
    is_map = "additionalProperties" in schema
    known = schema.get("properties", {})
    for key, value in wanted.items():
        if not is_map and (key in _NOT_READ or key.endswith(_REFERENCES)):
            continue
        found = real.get(key)
        if found is not None:
            yield from _of_value(value, found, step(path, key), known.get(key, {}))
        elif is_map:
            yield _difference(step(path, key), value, None)
    if is_map and path != f"{ROOT}.tags":  # Tags of others are their own.
        yield from (_difference(step(path, key), None, real[key]) for key in sorted(real) if key not in wanted)


def _of_list(wanted: list[Any], real: list[Any], path: str, schema: Mapping[str, Any]) -> Iterator[Difference]:
    if not all(isinstance(item, Mapping) for item in (*wanted, *real)):
        # In no list of ours does the order say anything; AWS keeps to none.
        if len(_unmatched(wanted, real, same)) or len(_unmatched(real, wanted, same)):
            yield _difference(path, wanted, real)
        return
    name = telling(wanted, real) if wanted else ""
    if name:
        there = {item[name]: item for item in real}
        for item in wanted:
            below = f"{path}[{name}={item[name]}]"
            if item[name] in there:
                yield from _of_object(item, there[item[name]], below, schema)
            else:
                yield _difference(below, item, None)
        ours = {item[name] for item in wanted}
        yield from (_difference(f"{path}[{name}={key}]", None, there[key]) for key in sorted(there.keys() - ours))
        return

    def alike(item: Any, found: Any) -> bool:  # noqa: ANN401
        return next(_of_object(item, found, path, schema), None) is None

    missing = _unmatched(wanted, real, alike)
    others = _unmatched(real, wanted, lambda found, item: alike(item, found))
    for index, (item, found) in enumerate(zip(missing, others, strict=False)):
        yield from _of_object(item, found, f"{path}[{index}]", schema)
    yield from (_difference(f"{path}[{i}]", item, None) for i, item in enumerate(missing) if i >= len(others))
    yield from (_difference(f"{path}[{i}]", None, item) for i, item in enumerate(others) if i >= len(missing))


def _unmatched(items: list[Any], others: list[Any], alike: Callable[[Any, Any], bool]) -> list[Any]:
    """Returns the items that no other stands for, each of which stands for one alone."""
    left, found = list(others), []
    for item in items:
        index = next((i for i, other in enumerate(left) if alike(item, other)), None)
        if index is None:
            found.append(item)
        else:
            del left[index]
    return found


def _difference(path: str, wanted: Any, real: Any) -> Difference:  # noqa: ANN401
    if _PRIVATE in path and real is not None:
        return Difference(path, wanted, NOT_SHOWN)
    inner = documents.first_difference(wanted, real) if isinstance(wanted, str) and isinstance(real, str) else None
    if inner is None:
        return Difference(path, wanted, real)
    where, old, new = inner
    return Difference(path, f"{where}: {_text(old)}", f"{where}: {_text(new)}")


def _text(value: Any) -> str:  # noqa: ANN401
    return "(none)" if value is None else json.dumps(value, sort_keys=True)


def same(wanted: Any, real: Any) -> bool:  # noqa: ANN401
    """Returns whether two values mean the same: of numbers, of ARNs and of policies there are several spellings."""
    if isinstance(wanted, bool) or isinstance(real, bool):
        return str(wanted).lower() == str(real).lower()
    if wanted == real:
        return True
    one, other = str(wanted), str(real)
    numbers = isinstance(wanted, (int, float)) or isinstance(real, (int, float))
    return (_number(one) is not None and _number(one) == _number(other)) if numbers else _same_text(one, other)


def _same_text(one: str, other: str) -> bool:
    if one == other:
        return True
    if one.startswith("{"):
        return documents.same(one, other)
    # A log group's ARN has been told with and without the star of its streams.
    one, other = one.removesuffix(":*"), other.removesuffix(":*")
    return one == other or _means(one, other) or _means(other, one)


def _means(arn: str, name: str) -> bool:
    """Returns whether an ARN is that of the resource of a name or an id, and says no more than it."""
    if not arn.startswith("arn:") or name.startswith("arn:") or not name:
        return False
    resource = arn.split(":", 5)[-1]
    return resource == name or resource.endswith((f"/{name}", f":{name}"))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
