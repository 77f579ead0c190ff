"""Whether somebody else holds the lock of an EnvironmentTap: one live read for each change of a spec.

No courtesy, unlike the look at ranges: nothing behind it would hold the lock. So it fails closed, and a lock that
cannot be read refuses as one that is held does.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tap_api.kinds import ENVIRONMENT_TAP, Kind
from tap_api.locks import CODE, lock_name, read, refusal
from tap_api.policy import Violation
from tap_operator.cluster import LEASES, Cluster
from tap_operator.errors import ClusterError

_LOG = logging.getLogger(__name__)
#: Seconds. The apiserver waits three for the whole answer (charts/operator); a machine that is busy needs most of them.
_DEADLINE = 2.5


async def locked(
    cluster: Cluster, kind: Kind, new: Mapping[str, Any], old: Mapping[str, Any] | None, user: str
) -> list[Violation]:
    """Returns what keeps `user` from changing an EnvironmentTap: another one's lock, or that nobody can tell."""
    if kind is not ENVIRONMENT_TAP or old is None:
        return []  # A creation: the Lease belongs to the EnvironmentTap, and goes with it.
    meta = new["metadata"]
    try:
        async with asyncio.timeout(_DEADLINE):
            lease = await cluster.get(LEASES, meta.get("namespace", ""), lock_name(meta.get("name", "")))
    except (ClusterError, TimeoutError) as error:
        _LOG.warning("the lock of %s/%s cannot be read: %s", meta.get("namespace"), meta.get("name"), error or "slow")
        message = (
            "whether it is locked could not be looked up; try again, and if that lasts look at the log of admission"
        )
        return [Violation("spec", CODE, message)]
    found = refusal(read(lease), user, datetime.now(UTC))
    return [found] if found else []
