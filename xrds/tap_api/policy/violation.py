"""A rule that a manifest breaks, as data: where, which, what is wrong and what to do."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tap_api.partial import PartialOf


class Severity(StrEnum):
    """What breaking a rule comes to."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, order=True)
class Violation:
    """A rule that a manifest breaks.

    Attributes:
        path: The field, such as `spec.regions[1].cidr`.
        code: Stable name of the rule, such as `CidrOverlap`.
        message: What is wrong and what to do.
        severity: Whether it is refused, or warned of.
    """

    path: str
    code: str
    message: str
    severity: Severity = field(default=Severity.ERROR, compare=False)

    def __str__(self) -> str:
        """Returns the line that people read."""
        return f"{self.path}: {self.message} ({self.code})"


def shape_violations(
    error: ValidationError, root: str = "spec", model: type[BaseModel] | None = None
) -> list[Violation]:
    """Returns the faults of shape that pydantic found, by field path.

    Args:
        error: What it found.
        root: Path of what was parsed.
        model: What it was parsed as, so that a field that is misspelled is told with the one that is meant.
    """
    return [
        Violation(field_path(root, fault["loc"]), "Schema", _said(fault, model))
        for fault in error.errors(include_url=False)
    ]


def _said(fault: ErrorDetails, model: type[BaseModel] | None) -> str:
    if fault["type"] == "missing":
        return "is required"
    if fault["type"] == "extra_forbidden":
        *above, name = fault["loc"]
        return misspelled(str(name), _fields(model, above))
    words = _FAULTS.get(fault["type"])
    said = words.format(**fault.get("ctx", {})) if words else fault["msg"]
    quote = ", so quote it" if fault["type"] == "string_type" and isinstance(fault["input"], bool | int | float) else ""
    return f"{said}{quote}; got {shown(fault['input'])}"


#: What pydantic finds, in the words of who writes YAML; it speaks of Python.
_FAULTS = {
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type", "mapping_type"), "must be an object"),
    "list_type": "must be a list",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "string_pattern_mismatch": "must match {pattern}",
}


def _fields(model: type[BaseModel] | None, location: Iterable[str | int]) -> list[str]:
    """Returns the fields of the object at `location` below a model; none where it is not one of ours."""
    for step in location:
        if model is not None and isinstance(step, str):
            found = (info for name, info in model.model_fields.items() if step == (info.alias or name))
            model = next(map(_below, found), None)
    return [info.alias or name for name, info in model.model_fields.items()] if model else []


def _below(info: FieldInfo) -> type[BaseModel] | None:
    part = (mark.model for mark in info.metadata if isinstance(mark, PartialOf))
    return next(part, None) or _model(info.annotation)


def _model(annotation: object) -> type[BaseModel] | None:
    """Returns the model in a type such as `list[Region] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model(inner))), None)


_UNKNOWN = "is not a field of this kind; check its spelling"


def misspelled(name: str, known: Iterable[str]) -> str:
    """Returns what to say of a field that is none of those known: the nearest of them, where one is near."""
    from difflib import get_close_matches  # It takes as long to import as a small claim takes to judge.

    close = get_close_matches(name, known, n=1)
    return f"{_UNKNOWN}; did you mean {close[0]}?" if close else _UNKNOWN


def field_path(root: str, location: Iterable[str | int]) -> str:
    """Returns the path of a field below `root`, in the way of `kubectl`."""
    return root + "".join(map(_step, location))


def _step(step: str | int) -> str:
    """Returns one step of a field path; what is not a plain word is quoted, so that a path is always one line."""
    if isinstance(step, str) and re.fullmatch(r"[\w-]{1,128}", step, re.ASCII):
        return f".{step}"
    return f"[{shown(step)}]"


def shown(value: object) -> str:
    """Returns a value as a message shows it: on one line, and cut."""
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
