"""How long an environment lives: `spec.ttl`, counted from its creation. Pure functions of the object and the time.

When it ends is told (`status.expiration`) before anything is deleted, and what was told stays. A life that is set, or
made shorter, on an environment that is older already is over no sooner than GRACE after that was told, or than its own
length.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tap_api.status import Expiration

#: The least time between the word that an environment ends and its end: for who sets a life that is over already.
GRACE = timedelta(minutes=10)
_TTL = re.compile(r"[1-9][0-9]{0,4}[mhd]")
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
#: The condition of an environment that ends by itself.
EXPIRING = "Expiring"


def expiration(environment_tap: Mapping[str, Any], now: str) -> Expiration | None:
    """Returns when an environment ends; None where nobody set a life.

    Args:
        environment_tap: The object, as the apiserver has it; what its status tells stays while its life does.
        now: The time (RFC 3339, in seconds, UTC).
    """
    ttl = (environment_tap.get("spec") or {}).get("ttl")
    if not isinstance(ttl, str) or not _TTL.fullmatch(ttl):
        return None  # Of another shape it was stored past the schema, and policy refuses it.
    told = (environment_tap.get("status") or {}).get("expiration") or {}
    if told.get("ttl") == ttl:
        return Expiration.parse(told)
    born = _time(environment_tap["metadata"]["creationTimestamp"])
    life = int(ttl[:-1]) * _UNITS[ttl[-1]]
    end = max(born + life, _time(now) + min(life, GRACE))
    return Expiration(ttl=ttl, at=end.strftime(_FORMAT))


def seconds_left(ending: Expiration, now: str) -> float:
    """Returns the seconds until an environment ends; negative once that is past."""
    return (_time(ending.at) - _time(now)).total_seconds()


def _time(text: str) -> datetime:
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
