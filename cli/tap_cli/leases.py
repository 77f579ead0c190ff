"""The edge of locks: Leases, and the Event of one that was broken. What to write is for tap_api.locks to say."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tap_api.base import Json
from tap_api.kinds import ENVIRONMENT_TAP
from tap_api.locks import API_VERSION, LABEL, Lock, break_lock, lock_name, micro_time, read, release, take
from tap_api.naming import digest
from tap_cli.choose import the_one
from tap_cli.connection import ClusterError
from tap_cli.raw import RawCluster, RefusedError, path_of

#: Somebody else was quicker: what is there now is read, and judged again.
_LOST = ("Conflict", "AlreadyExists")
_TRIES = 5


class Leases:
    """The locks of a cluster."""

    def __init__(self, kubeconfig: Path | None, context: str | None) -> None:
        """Args: as of tap_cli.cluster.Cluster."""
        self._cluster = RawCluster(kubeconfig, context)

    def locks(self, name: str | None, namespace: str | None) -> list[Lock]:
        """Returns the lock of each environment, of one alone where it is named; those that nobody locks too."""
        environments = self._cluster.environments(namespace)
        chosen = [the_one(environments, name, namespace)] if name else environments
        if name:
            namespace = chosen[0]["metadata"]["namespace"]
        leases = self._cluster.items(path_of(API_VERSION, "leases", namespace or ""), LABEL)
        known = {(lock.namespace, lock.environment): lock for lock in map(read, leases) if lock}
        return [known.get(_key(environment)) or Lock.of_nobody(*_key(environment)) for environment in chosen]

    def take(self, name: str, namespace: str | None, *, why: str, seconds: int, now: datetime) -> Lock:
        """Takes or renews the lock; see tap_api.locks.take."""
        environment, user = self._who(name, namespace)
        return self._written(
            environment, lambda lease: take(lease, environment, user=user, why=why, seconds=seconds, now=now)
        )

    def release(self, name: str, namespace: str | None, *, now: datetime) -> Lock:
        """Gives the lock up; see tap_api.locks.release."""
        environment, user = self._who(name, namespace)
        return self._written(environment, lambda lease: release(lease, environment, user=user, now=now))

    def break_lock(self, name: str, namespace: str | None, *, why: str, now: datetime) -> tuple[Lock, str]:
        """Breaks another one's lock; returns it, and what to warn of. See tap_api.locks.break_lock."""
        environment, user = self._who(name, namespace)
        lock = self._written(environment, lambda lease: break_lock(lease, environment, user=user, why=why, now=now))
        try:
            self._cluster.create(path_of("v1", "events", lock.namespace), event(environment, lock, now))
        except ClusterError as error:
            return lock, f"no Event tells of it ({error}); the Lease {lock_name(name)} does"
        return lock, ""

    def _who(self, name: str, namespace: str | None) -> tuple[Json, str]:
        environment = the_one(self._cluster.environments(namespace), name, namespace)
        user = self._cluster.me()
        if not user:
            message = "the cluster does not say who you are (SelfSubjectReview); a lock needs a name"
            raise ClusterError(message)
        return environment, user

    def _written(self, environment: Json, change: Callable[[Json | None], Json]) -> Lock:
        """Writes what `change` makes of the Lease that is there; of another, where somebody was quicker."""
        namespace, name = _key(environment)
        leases = path_of(API_VERSION, "leases", namespace)
        place = path_of(API_VERSION, "leases", namespace, lock_name(name))
        for _ in range(_TRIES):
            there = self._cluster.get(place)
            wanted = change(there)
            try:
                stored = self._cluster.replace(place, wanted) if there else self._cluster.create(leases, wanted)
            except RefusedError as error:
                if error.reason in _LOST:
                    continue
                raise
            return read(stored) or Lock.of_nobody(namespace, name)
        message = f"the lock of {namespace}/{name} changed at each of {_TRIES} tries; try again"
        raise ClusterError(message)


def event(environment: Json, lock: Lock, now: datetime) -> Json:
    """Returns the Event that tells of a broken lock on the EnvironmentTap that it was of."""
    meta, told = environment["metadata"], str(lock.broken)
    time = micro_time(now)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{meta['name']}.{digest(told, 16)}", "namespace": meta["namespace"]},
        "involvedObject": {
            "apiVersion": environment["apiVersion"],
            "kind": ENVIRONMENT_TAP.kind,
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
        },
        "type": "Warning",
        "reason": "LockBroken",
        "action": "Unlock",
        "message": told[:1024],
        "source": {"component": "tap"},
        "reportingComponent": "tap",
        "reportingInstance": "tap",
        "eventTime": time,
        "firstTimestamp": f"{time[:19]}Z",
        "lastTimestamp": f"{time[:19]}Z",
        "count": 1,
    }


def _key(environment: Json) -> tuple[str, str]:
    return environment["metadata"]["namespace"], environment["metadata"]["name"]
