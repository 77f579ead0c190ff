"""What a check of `tap doctor` says, and what it says it of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What was found."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """A finding.

    Attributes:
        check: The check that found it.
        verdict: How bad it is; only a problem makes `tap doctor` fail.
        text: What was found.
        mend: What to do; empty where there is nothing to.
    """

    check: str
    verdict: Verdict
    text: str
    mend: str = ""


#: What installs the operator and all that keeps claims right (docs/packages.md).
INSTALL = "helm upgrade --install operator charts/operator --namespace tap-system --create-namespace"
#: Verdict, what was found, what mends it.
Said = tuple[Verdict, str, str]


@dataclass(frozen=True)
class Answer:
    """What the apiserver answered to one question.

    Attributes:
        found: The object, or the list; None: there is none.
        right: What one may not do, where that is why nothing was found.
    """

    found: Any = None
    right: str = ""


class NotReadError(Exception):
    """A check needs what nobody was allowed to read; the message is the right that is missing."""


@dataclass(frozen=True)
class Facts:
    """All that was read, for the checks to judge.

    Attributes:
        answers: Name of a question, or the URL of an object that another one names -> what was answered.
        now: The time.
        version: Version of this `tap`.
        webhook: What the apiserver said to a claim that only the webhook refuses, as a dry run; None: it was stored.
        certificate: When the certificate that the webhook shows expires, or why that cannot be seen.
    """

    answers: Mapping[str, Answer]
    now: datetime
    version: str
    webhook: Answer = field(default_factory=Answer)
    certificate: datetime | str = ""

    def read(self, question: str) -> Any:  # noqa: ANN401  (JSON of any shape)
        """Returns what was found; None where there is none.

        Raises:
            NotReadError: nobody was allowed to look.
        """
        answer = self.answers.get(question, Answer())
        if answer.right:
            raise NotReadError(answer.right)
        return answer.found

    def items(self, question: str) -> list[Any]:
        """Returns the items of a list; none where it is not served."""
        return list((self.read(question) or {}).get("items") or ())


def condition(item: Mapping[str, Any], kind: str) -> tuple[str, str]:
    """Returns status and message of a condition; empty where there is none."""
    found: Mapping[str, Any] = next(
        (c for c in (item.get("status") or {}).get("conditions") or () if c.get("type") == kind), {}
    )
    return str(found.get("status", "")), str(found.get("message") or found.get("reason") or "")


def tag_of(reference: str) -> str:
    """Returns the tag of an image or a package, whether it is asked for by its digest too or not; empty without one."""
    return reference.partition("@")[0].rpartition(":")[2]


def semver(text: str) -> tuple[int, int, int] | None:
    """Returns the first version in a text such as `v2.4.0` or `2.4.0-rc.1`; None where there is none."""
    found = re.search(r"(?<![\w.])v?(\d+)\.(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def holds(wanted: Any, there: Any) -> bool:  # noqa: ANN401
    """Returns whether all that is wanted is there; an apiserver adds defaults of its own."""
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(key in there and holds(wanted[key], there[key]) for key in wanted)
    if isinstance(wanted, list):
        return isinstance(there, list) and len(wanted) == len(there) and all(map(holds, wanted, there))
    return bool(wanted == there)
