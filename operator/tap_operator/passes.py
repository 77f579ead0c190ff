"""What a pass over an object comes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tap_operator.drift import Counts
from tap_operator.errors import ClusterError


@dataclass
class Pass:
    """What a pass came to.

    Attributes:
        again: Seconds after which to look again; None: when something changes.
        failures: What could not be done, to be tried again soon.
        blocks: CidrBlocks whose next change makes another pass worth while.
        lagging: CidrBlocks to look at: a claim in them is still marked protected, though that was lifted.
        drifted: Fields that AWS has otherwise than is wanted, by region; empty where the object is gone.
        status: What the object says of itself, for the metrics; empty where it is gone.
    """

    again: float | None = None
    failures: list[ClusterError] = field(default_factory=list)
    blocks: set[str] = field(default_factory=set)
    lagging: set[str] = field(default_factory=set)
    drifted: Counts = field(default_factory=dict, compare=False)
    status: Mapping[str, Any] = field(default_factory=dict, compare=False)


def utc_now() -> str:
    """Returns the time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
