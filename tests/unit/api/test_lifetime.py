from typing import Any

import pytest

from tap_api.base import Json
from tap_api.lifetime import expiration, seconds_left
from tap_api.rollup import Trouble, roll_up

BORN, NOW = "2026-11-01T00:00:00Z", "2026-11-24T12:00:00Z"


def tap(ttl: str | None, born: str = NOW, **status: Any) -> Json:
    spec = {"regions": [{"name": "us-east-1", "cidr": "10.0.0.0/16"}], "primaryRegion": "us-east-1"}
    return {
        "metadata": {"name": "dev", "namespace": "a", "uid": "u", "creationTimestamp": born, "generation": 1},
        "spec": {**spec, **({"ttl": ttl} if ttl else {})},
        "status": status,
    }


def ends(*args: Any, **more: Any) -> str | None:
    found = expiration(tap(*args, **more), NOW)
    return found.at if found else None


@pytest.mark.parametrize(
    ("ttl", "at"),
    [("1m", "2026-11-24T12:01:00Z"), ("72h", "2026-11-27T12:00:00Z"), ("99999d", "2300-09-08T12:00:00Z"), (None, None)],
)
def test_a_life_is_counted_from_the_creation(ttl: str | None, at: str | None) -> None:
    assert ends(ttl) == at


def test_a_life_that_is_over_when_it_is_set_ends_only_after_it_was_told() -> None:
    assert ends("72h", BORN) == "2026-11-24T12:10:00Z"
    assert ends("1m", BORN) == "2026-11-24T12:01:00Z"
    assert ends("30d", BORN) == "2026-12-01T00:00:00Z"


def test_what_was_told_stays_until_another_life_is_set() -> None:
    told = {"ttl": "72h", "at": "2026-11-24T11:00:00Z"}
    assert ends("72h", BORN, expiration=told) == told["at"]
    assert ends("24h", BORN, expiration=told) == "2026-11-24T12:10:00Z"
    assert ends(None, BORN, expiration=told) is None


def test_the_seconds_that_are_left_are_negative_once_it_is_over() -> None:
    found = expiration(tap("1m"), NOW)
    assert found
    assert [seconds_left(found, now) for now in (NOW, "2026-11-24T12:02:00Z")] == [60.0, -60.0]


def test_the_status_tells_when_it_ends_and_what_is_in_the_way() -> None:
    def said(ttl: str | None, trouble: Trouble | None = None) -> tuple[Any, Any]:
        status = roll_up(tap(ttl), {}, now=NOW, unexpired=trouble)
        found: Json = next((one for one in status["conditions"] if one["type"] == "Expiring"), {})
        return status.get("expiration"), (found.get("status"), found.get("reason"), found.get("message"))

    at = {"ttl": "72h", "at": "2026-11-27T12:00:00Z"}
    words = "is deleted at 2026-11-27T12:00:00Z, for spec.ttl is 72h; take spec.ttl away to keep it"
    assert said("72h") == (at, ("True", "Scheduled", words))
    blocked = "was to be deleted at 2026-11-27T12:00:00Z: ana holds the lock"
    assert said("72h", Trouble("ExpiryBlocked", "ana holds the lock")) == (at, ("True", "ExpiryBlocked", blocked))
    assert said(None) == (None, (None, None, None))
