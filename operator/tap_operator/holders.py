"""Who holds the ranges that a claim asks for: one live read for each /16, no cache, the same cost however many taps.

A courtesy of admission: two claims that are judged at the same moment both pass here, and the operator's own write
decides. So what cannot be read is let pass, with a warning.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from tap_api.claims import Conflict, claim
from tap_api.kinds import Kind
from tap_api.policy import Violation
from tap_api.tenure import asked
from tap_operator.cluster import Cluster
from tap_operator.errors import ClusterError
from tap_operator.reservations import CIDR_BLOCKS

_LOG = logging.getLogger(__name__)
CODE = "CidrTaken"
#: Seconds for all reads: the apiserver waits three for the whole answer (charts/operator).
_DEADLINE = 1.5


async def taken(
    cluster: Cluster, kind: Kind, new: Mapping[str, Any], old: Mapping[str, Any] | None
) -> tuple[list[Violation], list[str]]:
    """Returns the ranges of `new`, not of `old` already, that others hold; and what to warn of."""
    before = [wish for _, wish in asked(kind, old or {})]
    wishes = [(path, wish) for path, wish in asked(kind, new) if wish not in before]
    names = sorted({wish.block for _, wish in wishes})
    try:
        async with asyncio.timeout(_DEADLINE):
            found = await asyncio.gather(*(cluster.get(CIDR_BLOCKS, "", name) for name in names))
    except (ClusterError, TimeoutError) as error:
        _LOG.warning("who holds %s cannot be read: %s", ", ".join(names), error or "too slow")
        return [], [
            "whether its address ranges are free could not be looked up; the condition CidrReserved tells once it is"
            " stored"
        ]
    blocks = dict(zip(names, found, strict=True))
    violations: list[Violation] = []
    warnings: list[str] = []
    for path, wish in wishes:
        answer = claim(blocks[wish.block], wish)
        if isinstance(answer, Conflict) and answer.reason == "Retained":
            # It may be a restore, whose VPC object is still to come: the operator looks for that.
            warnings.append(f"{path}: {answer.message}")
        elif isinstance(answer, Conflict):
            violations.append(Violation(path, CODE, answer.message))
    return violations, warnings
