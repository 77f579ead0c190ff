"""What a Lease says of an environment, and what becomes of it: pure functions, by whole values."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tap_api import locks
from tap_api.base import Json
from tap_api.locks import Break, Lock, LockError, break_lock, read, refusal, release, take

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
PROD: Json = {"metadata": {"name": "prod", "namespace": "tap-prod", "uid": "u"}}


def taken(user: str = "alice", why: str = "moving", lease: Json | None = None, now: datetime = NOW) -> Json:
    return take(lease, PROD, user=user, why=why, seconds=3600, now=now)


def test_the_lease_of_a_lock_names_its_holder_and_goes_with_its_environment() -> None:
    assert taken() == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": "tap-lock-prod",
            "namespace": "tap-prod",
            "labels": {"tap.platform/lock": "prod"},
            "annotations": {"tap.platform/lock-why": "moving"},
            "ownerReferences": [
                {"apiVersion": "tap.platform/v1alpha1", "kind": "EnvironmentTap", "name": "prod", "uid": "u"}
            ],
        },
        "spec": {
            "holderIdentity": "alice",
            "leaseDurationSeconds": 3600,
            "acquireTime": "2026-11-24T15:00:00.000000Z",
            "renewTime": "2026-11-24T15:00:00.000000Z",
            "leaseTransitions": 1,
        },
    }


def test_what_was_written_is_read_back() -> None:
    until = NOW + timedelta(hours=1)
    assert read(taken()) == Lock("tap-prod", "prod", "alice", "moving", NOW, until)


def test_a_holder_renews_keeping_since_when_and_why() -> None:
    later = NOW + timedelta(minutes=30)
    lock = read(taken(why="", lease=taken(), now=later))
    assert lock == Lock("tap-prod", "prod", "alice", "moving", NOW, later + timedelta(hours=1))
    assert taken(lease=taken(), now=later)["spec"]["leaseTransitions"] == 1


def test_another_one_does_not_take_it_and_is_told_whom_to_ask() -> None:
    with pytest.raises(LockError) as raised:
        taken(user="bob", lease=taken())
    assert str(raised.value) == (
        "tap-prod/prod is locked by alice (moving; until 2026-11-24 16:00 UTC); wait for `tap unlock prod -n tap-prod` "
        "by its holder, or break it on record with --break --why TEXT"
    )


def test_a_stale_lock_refuses_all_the_same_and_says_how_it_is_broken() -> None:
    after = NOW + timedelta(hours=1)
    found = refusal(read(taken()), "bob", after)
    assert found is not None
    assert str(found) == (
        "spec: is locked by alice (moving; stale since 2026-11-24 16:00 UTC); its time is over: if nobody is at work, "
        "break it on record with `tap unlock prod -n tap-prod --break --why TEXT` (Locked)"
    )
    with pytest.raises(LockError):
        taken(user="bob", lease=taken(), now=after)


@pytest.mark.parametrize("lease", [None, release(taken(), PROD, user="alice", now=NOW)])
def test_nobody_is_refused_where_nobody_holds_it(lease: Json | None) -> None:
    assert refusal(read(lease), "bob", NOW) is None


def test_its_holder_is_not_refused() -> None:
    assert refusal(read(taken()), "alice", NOW + timedelta(days=9)) is None


def test_a_lock_that_was_given_up_is_taken_by_the_next_one() -> None:
    free = release(taken(), PROD, user="alice", now=NOW)
    assert (free["spec"]["holderIdentity"], free["metadata"]["annotations"]) == ("", {})
    assert taken(user="bob", why="mine", lease=free)["spec"]["leaseTransitions"] == 2


def test_a_break_is_on_record_and_the_record_outlives_the_next_lock() -> None:
    broken = break_lock(taken(), PROD, user="bob", why="on  leave\n", now=NOW)
    record = Break("bob", "alice", "2026-11-24T15:00:00.000000Z", "on leave")
    lock = read(broken)
    assert lock and (lock.holder, lock.broken) == ("", record)
    assert str(record) == "the lock of alice was broken by bob at 2026-11-24T15:00:00.000000Z: on leave"
    again = read(taken(user="carol", lease=broken))
    assert again and (again.holder, again.broken) == ("carol", record)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda: release(None, PROD, user="alice", now=NOW), "is not locked; there is nothing to unlock"),
        (lambda: release(taken(), PROD, user="bob", now=NOW), "is locked by alice"),
        (lambda: break_lock(None, PROD, user="bob", why="x", now=NOW), "is not locked; there is nothing to break"),
        (
            lambda: break_lock(taken(), PROD, user="alice", why="x", now=NOW),
            "is yours; give it up with `tap unlock prod",
        ),
        (lambda: break_lock(taken(), PROD, user="bob", why=" ", now=NOW), "say why the lock is broken, with --why"),
        (lambda: taken(lease={"metadata": {"name": "tap-lock-prod"}}), "Lease tap-lock-prod is no lock of TAP's"),
    ],
)
def test_what_cannot_be_is_said_with_what_to_do(change: Any, said: str) -> None:
    with pytest.raises(LockError, match=said):
        change()


@pytest.mark.parametrize(
    "metadata",
    [{"name": "tap-lock-prod"}, {"name": "other", "labels": {locks.LABEL: "prod"}}, {"name": "x", "labels": None}],
)
def test_a_lease_without_label_or_name_locks_nothing(metadata: Json) -> None:
    lease = taken()
    assert read({**lease, "metadata": metadata}) is None


@pytest.mark.parametrize("spec", [{}, None, {"holderIdentity": "alice", "renewTime": "soon"}])
def test_a_lease_that_says_nothing_of_its_time_is_stale(spec: Json | None) -> None:
    lock = read({**taken(), "spec": spec})
    assert lock is not None
    assert (lock.until, lock.is_stale(NOW)) == (datetime.fromtimestamp(0, UTC), bool(spec))


def test_a_reason_is_one_line_that_fits_a_message() -> None:
    lock = read(taken(why="a\nb " + "x" * 500))
    assert lock is not None
    assert lock.why.startswith("a b xxx")
    assert len(lock.why) == locks.LONGEST_WHY
