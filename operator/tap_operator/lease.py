"""One active replica: the holder of a Lease acts, the others wait.

An efficiency, not a safety device: every write is a server-side apply of the same intent, so two holders at once do no
harm. Times are client-go's: a lease of 15 s, given up after 10 s without a renewal, tried every 2 s. The other holder's
clock is never trusted: a lease has expired when its record has not changed for its duration on *our* clock.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tap_api.base import Json
from tap_operator.cluster import LEASES, Cluster
from tap_operator.errors import ClusterError, LeaseLostError

_LOG = logging.getLogger(__name__)
DURATION = 15.0
RENEW_DEADLINE = 10.0
RETRY = 2.0


@dataclass(frozen=True)
class _Seen:
    """A record of the lease, and when it was first seen like that."""

    record: Json
    at: float


class Lease:
    """A Lease that this process wants to hold."""

    def __init__(self, cluster: Cluster, namespace: str, name: str, identity: str) -> None:
        """Args: where the Lease is, and what to call this process in it."""
        self._cluster = cluster
        self._head = {"namespace": namespace, "name": name}
        self._identity = identity
        self._seen: _Seen | None = None
        self._renewed = 0.0

    async def acquire(self) -> None:
        """Waits until this process holds the lease."""
        told = ""
        while not await self._try(_LOG.warning):
            holder = self._seen.record.get("holderIdentity", "") if self._seen else ""
            if holder != told:
                _LOG.info("waiting: %s holds the lease %s", holder or "nobody", self._head["name"])
                told = holder
            await asyncio.sleep(RETRY * random.uniform(1.0, 1.2))  # noqa: S311
        _LOG.info("holding the lease %s as %s", self._head["name"], self._identity)

    async def keep(self) -> None:
        """Renews the lease for as long as it can.

        Raises:
            LeaseLostError: another process holds it, or it could not be renewed in time.
        """
        while True:
            await asyncio.sleep(RETRY)
            held = await self._try(_LOG.debug)
            if not held and self._seen and self._seen.record.get("holderIdentity") != self._identity:
                message = f"the lease was taken over by {self._seen.record.get('holderIdentity') or 'nobody'}"
                raise LeaseLostError(message)
            if self._now() - self._renewed > RENEW_DEADLINE:
                message = f"the lease could not be renewed for {RENEW_DEADLINE:.0f} s"
                raise LeaseLostError(message)

    async def release(self) -> None:
        """Gives the lease up, so that nobody waits for it to expire. Does nothing if it cannot."""
        try:
            lease = await self._cluster.get(LEASES, self._head["namespace"], self._head["name"])
            if lease and lease.get("spec", {}).get("holderIdentity") == self._identity:
                lease["spec"] = {**lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
                await self._cluster.replace(LEASES, lease)
        except ClusterError as error:
            _LOG.debug("the lease is left to expire: %s", error)

    async def _try(self, say: Callable[..., None]) -> bool:
        """Takes or renews the lease; returns whether this process holds it now."""
        try:
            async with asyncio.timeout(RENEW_DEADLINE / 2):
                stored = await self._write()
        except TimeoutError:
            say("the lease %s cannot be had: the apiserver is slow", self._head["name"])
            return False
        except ClusterError as error:
            if error.reason not in ("Conflict", "AlreadyExists"):
                say("the lease %s cannot be had: %s", self._head["name"], error)
            return False
        if stored is None:
            return False
        self._renewed = self._now()
        self._seen = _Seen(stored["spec"], self._renewed)
        return True

    async def _write(self) -> Json | None:
        """Writes our record where it may stand; returns what is stored, None where another holds the lease."""
        lease = await self._cluster.get(LEASES, self._head["namespace"], self._head["name"])
        if lease is None:
            body = {"apiVersion": LEASES.api_version, "kind": "Lease", "metadata": self._head}
            return await self._cluster.create(LEASES, {**body, "spec": self._record({})})
        before = lease.get("spec") or {}
        return (
            await self._cluster.replace(LEASES, {**lease, "spec": self._record(before)}) if self._free(before) else None
        )

    def _free(self, record: Json) -> bool:
        """Returns whether the lease is ours already, or nobody's, or has not been renewed in its time."""
        if self._seen is None or self._seen.record != record:
            self._seen = _Seen(record, self._now())
        expired = self._now() - self._seen.at > float(record.get("leaseDurationSeconds") or DURATION)
        return record.get("holderIdentity") in (None, "", self._identity) or expired

    def _record(self, before: Json) -> Json:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        ours = before.get("holderIdentity") == self._identity
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(DURATION),
            "acquireTime": before.get("acquireTime", now) if ours else now,
            "renewTime": now,
            "leaseTransitions": int(before.get("leaseTransitions") or 0) + (0 if ours else 1),
        }

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
