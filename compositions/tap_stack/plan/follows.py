"""What changes in a resource because another one does, in a value that AWS tells only then."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tap_stack import aws
from tap_stack.fields import plain
from tap_stack.observation import DictObservation
from tap_stack.plan.change import Field
from tap_stack.processor.code import FUNCTION
from tap_stack.processor.function import ALIAS
from tap_stack.references import filled
from tap_stack.values import Unknown

_FOR_PROVIDER = "spec.forProvider."
#: A path to a reference, or into it: where it is, and its field.
_REFERENCE = re.compile(r"(spec\.forProvider\.(?:\w+\.)*?)(\w+Refs?)(?:[.\[].*)?")
#: Fields of a function that are none of a version: terraform-provider-aws publishes one for all the others (`publish`;
#: internal/service/lambda/function.go: needsFunctionConfigUpdate, needsFunctionCodeUpdate).
_OF_NO_VERSION = frozenset({"tags", "reservedConcurrentExecutions", "publish", "replaceSecurityGroupsOnDestroy"})


def of_update(resource: Mapping[str, Any], key: str, fields: Sequence[Field]) -> Iterator[tuple[str, Field]]:
    """Yields what `fields` of a resource change in others of its XR: their key, and the field, its old value not in it.

    Args:
        resource: The resource, as it is asked for.
        key: Its key.
        fields: What changes of it.
    """
    if key != FUNCTION or resource["kind"] != aws.FUNCTION.kind or not resource["spec"]["forProvider"].get("publish"):
        return
    changed = {plain(f.path).removeprefix(_FOR_PROVIDER).partition(".")[0] for f in fields if _is_asked(f)}
    if changed - _OF_NO_VERSION:
        version = Unknown("the version that AWS publishes of the function")
        yield ALIAS, Field(f"{_FOR_PROVIDER}functionVersion", None, version)


def of_references(fields: Sequence[Field], stored: Mapping[str, Any]) -> Iterator[Field]:
    """Yields the fields into which the provider has resolved what `fields` change, and resolves it anew."""
    found = [_REFERENCE.fullmatch(field.path) for field in fields]
    for where, reference in dict.fromkeys((match[1], match[2]) for match in found if match):
        path = f"{where}{filled(reference)}"
        old = DictObservation(stored).field(*path.split("."))
        if old is not None:
            yield Field(path, old, Unknown(f"the provider has resolved {reference}"))


def _is_asked(field: Field) -> bool:
    return field.path.startswith(_FOR_PROVIDER)
