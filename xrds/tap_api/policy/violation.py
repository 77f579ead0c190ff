"""A rule that a manifest breaks, as data: where, which, what is wrong and what to do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import ValidationError


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


def shape_violations(error: ValidationError, root: str = "spec") -> list[Violation]:
    """Returns the faults of shape that pydantic found, by field path."""
    return [
        Violation(field_path(root, fault["loc"]), "Schema", f"{fault['msg']}; got {shown(fault['input'])}")
        if fault["type"] not in ("missing", "extra_forbidden")
        else Violation(field_path(root, fault["loc"]), "Schema", _SHAPES[fault["type"]])
        for fault in error.errors(include_url=False)
    ]


_SHAPES = {"missing": "is required", "extra_forbidden": "is not a field of this kind; check its spelling"}


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
    text = {True: "true", False: "false"}.get(value, repr(value)) if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
