"""What a provider says of a resource that fails: AWS's words, without what is another one each time."""

import re
from collections.abc import Mapping
from typing import Any

#: Conditions that name a cause where they are False: Crossplane's and upjet's.
TELLING = ("Synced", "LastAsyncOperation")
#: What differs each time that AWS refuses the same thing. Left in, every retry would change the status.
_NOISE = re.compile(
    r",? ?(?:RequestID|HostID|Request ID|Host ID): ?[^\s,]+|,? ?Encoded authorization failure message: ?\S+"
)
#: What upjet puts before the cause in `Synced` and not in `LastAsyncOperation`. While it tries again, `Synced` is True
#: and the other one tells the cause, so the two spellings would take turns for as long as AWS refuses.
_FRAME = re.compile(r"^(?:create|update|delete) failed: (?=async )")
_MAX_CAUSE = 500


def words(text: str) -> str:
    """Returns the message of a condition, the same for the same cause."""
    return _NOISE.sub("", _FRAME.sub("", text))[:_MAX_CAUSE]


def complaint(conditions: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns what the conditions of a resource, by type, complain of; empty where they do not."""
    for type_ in TELLING:
        condition = conditions.get(type_)
        if condition and condition["status"] == "False":
            return words(str(condition.get("message") or condition.get("reason") or ""))
    return ""
