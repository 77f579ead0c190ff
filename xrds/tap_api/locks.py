"""Locks of environments: a Lease that says who alone may change an EnvironmentTap for now, and why. Pure.

A lock does not end by itself: once its time is over it is stale, and refuses all the same until it is broken on
purpose. The apiserver holds who may write what of it (charts/operator, policy tap-locks), admission holds the changes
of the spec, and policy tap-locked-deletion the deletion.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tap_api.base import API_VERSION as TAP_VERSION
from tap_api.base import GROUP, Json
from tap_api.errors import TapError
from tap_api.kinds import ENVIRONMENT_TAP
from tap_api.policy.violation import Violation
from tap_api.text import one_line

CODE = "Locked"
API_VERSION = "coordination.k8s.io/v1"
#: On the Lease; its value is the name of the EnvironmentTap. Without it a Lease locks nothing.
LABEL = f"{GROUP}/lock"
WHY = f"{GROUP}/lock-why"
#: Who broke whose lock last, when and why. Policy tap-locks lets them be written with a break, and at no other time.
BROKEN_BY, BROKEN_HOLDER, BROKEN_AT, BROKEN_WHY = (
    f"{GROUP}/lock-broken-{word}" for word in ("by", "holder", "at", "why")
)
LONGEST_WHY = 200
_NO_TIME = datetime.fromtimestamp(0, UTC)


class LockError(TapError):
    """A lock that cannot be taken, given up or broken."""


@dataclass(frozen=True)
class Break:
    """A lock that was broken.

    Attributes:
        by: Who broke it, as Kubernetes names users.
        holder: Whose it was.
        at: When, as text.
        why: Why.
    """

    by: str
    holder: str
    at: str
    why: str

    def __str__(self) -> str:
        """Returns the sentence that people read."""
        return f"the lock of {self.holder} was broken by {self.by} at {self.at}: {self.why}"


@dataclass(frozen=True)
class Lock:
    """What a Lease says of an environment.

    Attributes:
        namespace: Namespace of the EnvironmentTap.
        environment: Its name.
        holder: Who holds the lock, as Kubernetes names users; empty: nobody.
        why: Why, in their words.
        since: Since when.
        until: When it becomes stale.
        broken: The last time that it was broken; None: never.
    """

    namespace: str
    environment: str
    holder: str
    why: str
    since: datetime
    until: datetime
    broken: Break | None = None

    @classmethod
    def of_nobody(cls, namespace: str, environment: str) -> "Lock":
        """Returns the lock of an environment that nobody ever locked."""
        return cls(namespace, environment, "", "", _NO_TIME, _NO_TIME)

    def is_stale(self, now: datetime) -> bool:
        """Returns whether its time is over."""
        return bool(self.holder) and now >= self.until

    def told(self, now: datetime) -> str:
        """Returns who holds it, why and until when."""
        time = f"{'stale since' if self.is_stale(now) else 'until'} {minute(self.until)}"
        return f"{self.holder} ({self.why or 'no reason given'}; {time})"


def lock_name(environment_tap: str) -> str:
    """Returns the name of the Lease of an EnvironmentTap: `tap-lock-<environmenttap>`."""
    return f"tap-lock-{environment_tap}"


def read(lease: Mapping[str, Any] | None) -> Lock | None:
    """Returns what a Lease says; None where it is no lock of an environment."""
    if lease is None:
        return None
    meta = lease["metadata"]
    environment = (meta.get("labels") or {}).get(LABEL)
    if not environment or meta["name"] != lock_name(environment):
        return None
    spec, notes = lease.get("spec") or {}, meta.get("annotations") or {}
    renewed = _time(spec.get("renewTime"))
    return Lock(
        namespace=meta["namespace"],
        environment=environment,
        holder=spec.get("holderIdentity") or "",
        why=_line(notes.get(WHY, "")),
        since=_time(spec.get("acquireTime")),
        until=renewed + timedelta(seconds=spec.get("leaseDurationSeconds") or 0),
        broken=_broken(notes),
    )


def refusal(lock: Lock | None, user: str, now: datetime) -> Violation | None:
    """Returns why `user` may not change the spec of the environment; None where they may."""
    if lock is None or lock.holder in ("", user):
        return None
    command = f"`tap unlock {lock.environment} -n {lock.namespace}"
    mend = (
        f"its time is over: if nobody is at work, break it on record with {command} --break --why TEXT`"
        if lock.is_stale(now)
        else f"wait for {command}` by its holder, or break it on record with --break --why TEXT"
    )
    return Violation("spec", CODE, f"is locked by {lock.told(now)}; {mend}")


def take(  # noqa: PLR0913  (what a record holds)
    lease: Mapping[str, Any] | None,
    environment: Mapping[str, Any],
    *,
    user: str,
    why: str,
    seconds: int,
    now: datetime,
) -> Json:
    """Returns the Lease by which `user` holds the lock of an EnvironmentTap from now on; a holder's own is renewed.

    Raises:
        LockError: another one holds it, or a Lease of that name is none of ours.
    """
    meta = environment["metadata"]
    lock = _ours(lease, meta["name"])
    _refuse_others(lock, meta, user, now)
    spec = dict((lease or {}).get("spec") or {})
    mine = lock is not None and lock.holder == user
    record = {
        "holderIdentity": user,
        "leaseDurationSeconds": seconds,
        "acquireTime": spec.get("acquireTime") if mine and spec.get("acquireTime") else micro_time(now),
        "renewTime": micro_time(now),
        "leaseTransitions": int(spec.get("leaseTransitions") or 0) + (not mine),
    }
    notes = {WHY: _line(why)} if why else {WHY: lock.why} if mine and lock and lock.why else {}
    return _written(lease or _new(meta), record, notes)


def release(lease: Mapping[str, Any] | None, environment: Mapping[str, Any], *, user: str, now: datetime) -> Json:
    """Returns the Lease after its holder gave it up.

    Raises:
        LockError: nobody holds it, or another one does.
    """
    meta = environment["metadata"]
    lock = _ours(lease, meta["name"])
    if lease is None or lock is None or not lock.holder:
        message = f"{meta['namespace']}/{meta['name']} is not locked; there is nothing to unlock"
        raise LockError(message)
    _refuse_others(lock, meta, user, now)
    return _written(lease, _given_up(lease), {})


def break_lock(
    lease: Mapping[str, Any] | None, environment: Mapping[str, Any], *, user: str, why: str, now: datetime
) -> Json:
    """Returns the Lease after `user` broke another one's lock: nobody's, with the record of it.

    Raises:
        LockError: nobody holds it, or `user` does; or there is no reason given.
    """
    meta = environment["metadata"]
    lock = _ours(lease, meta["name"])
    command = f"`tap unlock {meta['name']} -n {meta['namespace']}`"
    if lease is None or lock is None or not lock.holder:
        message = f"{meta['namespace']}/{meta['name']} is not locked; there is nothing to break"
        raise LockError(message)
    if lock.holder == user:
        message = f"the lock of {meta['namespace']}/{meta['name']} is yours; give it up with {command}"
        raise LockError(message)
    if not _line(why):
        message = "say why the lock is broken, with --why; it goes on record"
        raise LockError(message)
    record = {BROKEN_BY: user, BROKEN_HOLDER: lock.holder, BROKEN_AT: micro_time(now), BROKEN_WHY: _line(why)}
    return _written(lease, _given_up(lease), record)


def micro_time(now: datetime) -> str:
    """Returns a time as Kubernetes writes a MicroTime."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def minute(time: datetime) -> str:
    """Returns a time as people read it."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _ours(lease: Mapping[str, Any] | None, name: str) -> Lock | None:
    lock = read(lease)
    if lease is not None and lock is None:
        message = f"Lease {lock_name(name)} is no lock of TAP's (label {LABEL} is missing); remove or rename it"
        raise LockError(message)
    return lock


def _refuse_others(lock: Lock | None, environment: Mapping[str, Any], user: str, now: datetime) -> None:
    refused = refusal(lock, user, now)
    if refused:
        message = f"{environment['namespace']}/{environment['name']} {refused.message}"
        raise LockError(message)


def _new(environment: Mapping[str, Any]) -> Json:
    owner = {
        "apiVersion": TAP_VERSION,
        "kind": ENVIRONMENT_TAP.kind,
        "name": environment["name"],
        "uid": environment["uid"],
    }
    metadata = {
        "name": lock_name(environment["name"]),
        "namespace": environment["namespace"],
        "labels": {LABEL: environment["name"]},
        "ownerReferences": [owner],
    }
    return {"apiVersion": API_VERSION, "kind": "Lease", "metadata": metadata}


def _given_up(lease: Mapping[str, Any]) -> Json:
    """Returns the spec of a Lease that nobody holds, as client-go leaves it: without a holder, a moment long."""
    return {**lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}


def _written(lease: Mapping[str, Any], spec: Json, notes: Mapping[str, str]) -> Json:
    """Returns a Lease with another spec and other words; the record of the last break stays."""
    meta = lease["metadata"]
    kept = {key: value for key, value in (meta.get("annotations") or {}).items() if key != WHY}
    return {**lease, "metadata": {**meta, "annotations": {**kept, **notes}}, "spec": spec}


def _broken(notes: Mapping[str, str]) -> Break | None:
    if not notes.get(BROKEN_BY):
        return None
    by, holder, at, why = (_line(notes.get(key, "")) for key in (BROKEN_BY, BROKEN_HOLDER, BROKEN_AT, BROKEN_WHY))
    return Break(by, holder, at, why)


def _line(text: str) -> str:
    """Returns a text of a person's on one line, and cut: it goes into messages."""
    return one_line(text, LONGEST_WHY)


def _time(text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text)) if text else _NO_TIME
    except ValueError:
        return _NO_TIME
