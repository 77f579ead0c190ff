"""What was decided, told twice: a line in the log and a count in the metrics, one of each a decision.

The line has just the fields of Decision. Nothing of the object goes into it but its name: tags and the like are nobody
else's business.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

from tap_api.policy import Violation
from tap_operator.metrics import Metrics
from tap_operator.reviews import BY_PLURAL

_LOG = logging.getLogger(__name__)
#: Longest name in a line. Kubernetes holds names of objects to 253, and those of users to nothing.
_LONGEST = 253


@dataclass
class Decision:
    """A decision.

    Attributes:
        who: The user who asked, as Kubernetes names users.
        kind: Kind of the object.
        namespace: Its namespace.
        name: Its name.
        operation: CREATE, UPDATE or DELETE.
        allowed: Whether it may be stored.
        codes: The rules of tap_api.policy that it breaks.
        ms: Milliseconds from the whole request to the answer.
    """

    who: str
    kind: str
    namespace: str
    name: str
    operation: str
    allowed: bool = False
    codes: list[str] = field(default_factory=list)
    ms: float = 0.0


_present: ContextVar[Decision | None] = ContextVar("decision", default=None)


def begin(request: Mapping[str, Any]) -> Decision:
    """Returns the decision on a review's `request`, which what is noted from now on goes into."""
    body = request.get("object") or request.get("oldObject") or {}
    metadata = body.get("metadata") or {}
    decision = Decision(
        who=_short(request["userInfo"].get("username")),
        kind=BY_PLURAL[request["resource"]["resource"]].kind,
        namespace=_short(metadata.get("namespace") or request.get("namespace")),
        name=_short(metadata.get("name") or request.get("name")),
        operation=request["operation"],
    )
    _present.set(decision)
    return decision


def note(violations: Iterable[Violation]) -> None:
    """Notes the rules that are broken, for the decision that is being made."""
    decision = _present.get()
    if decision is not None:
        decision.codes = sorted({violation.code for violation in violations})


def tell(decision: Decision, metrics: Metrics, *, allowed: bool, seconds: float) -> None:
    """Logs and counts a decision."""
    decision.allowed, decision.ms = allowed, round(seconds * 1000, 1)
    fields = asdict(decision)
    # As text where logs are text; where they are JSON, as an object too.
    words = " ".join(f"{name}={_word(value)}" for name, value in fields.items())
    _LOG.info("decision %s", words, extra={"decision": fields})
    metrics.decided(decision.kind, decision.operation, decision.codes, allowed=allowed, seconds=seconds)


def _short(value: object) -> str:
    return str(value or "")[:_LONGEST]


def _word(value: object) -> str:
    """Returns a value as one word: what could break a line, or pass for another field, is quoted and escaped."""
    if isinstance(value, str):
        return value if value.isascii() and value.replace("-", "").replace(".", "").isalnum() else json.dumps(value)
    return ",".join(value) if isinstance(value, list) else json.dumps(value)
