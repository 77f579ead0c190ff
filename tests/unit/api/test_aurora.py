import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_api import aurora

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.mark.parametrize(
    ("backup", "maintenance", "overlap"),
    [
        ("03:00-04:00", "sun:04:30-sun:05:30", False),
        ("03:00-04:30", "sun:04:30-sun:05:30", False),
        ("03:00-04:31", "sun:04:30-sun:05:30", True),
        ("05:30-06:00", "sun:04:30-sun:05:30", False),
        ("05:29-06:00", "sun:04:30-sun:05:30", True),
        ("04:00-06:00", "sun:04:30-sun:05:30", True),
        ("04:45-05:15", "sun:04:30-sun:05:30", True),
        ("23:30-00:30", "mon:00:15-mon:00:45", True),
        ("23:30-00:30", "mon:00:30-mon:01:00", False),
        ("00:00-00:30", "sun:23:45-mon:00:15", True),
        ("12:00-12:30", "sat:22:00-sun:02:00", False),
        ("12:00-12:30", "sat:13:00-sun:13:00", True),
    ],
)
def test_a_daily_window_meets_a_weekly_one_or_not(backup: str, maintenance: str, overlap: bool) -> None:  # noqa: FBT001
    assert aurora.overlap(backup, maintenance) is overlap


def _time(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


@given(st.integers(0, 1439), st.integers(30, 600), st.integers(0, 10079), st.integers(30, 600))
def test_windows_overlap_where_they_share_a_minute(daily: int, long: int, weekly: int, wide: int) -> None:
    backup = f"{_time(daily)}-{_time(daily + long)}"
    end = weekly + wide
    maintenance = f"{DAYS[weekly // 1440]}:{_time(weekly)}-{DAYS[end // 1440 % 7]}:{_time(end)}"
    backups = {(day * 1440 + daily + minute) % 10080 for day in range(7) for minute in range(long)}
    shared = backups & {(weekly + minute) % 10080 for minute in range(wide)}
    assert aurora.overlap(backup, maintenance) is bool(shared)


@pytest.mark.parametrize(
    ("version", "low", "high", "fault"),
    [
        ("8.0.mysql_aurora.3.10.0", 0, 256, ""),
        ("8.0.mysql_aurora.3.08.0", 0, 256, ""),
        ("8.0.mysql_aurora.3.07.1", 0.5, 256, ""),
        (
            "8.0.mysql_aurora.3.07.1",
            0,
            1,
            "8.0.mysql_aurora.3.07.1 cannot pause at 0 ACU; use 3.08.0 or later, or a minCapacity of 0.5",
        ),
        ("8.0.mysql_aurora.3.05.2", 0.5, 128, ""),
        (
            "8.0.mysql_aurora.3.05.2",
            0.5,
            128.5,
            "8.0.mysql_aurora.3.05.2 goes up to 128 ACU, not 128.5; use 3.06.0 or later",
        ),
        ("8.0.mysql_aurora.3.01.1", 1, 2, "8.0.mysql_aurora.3.01.1 has no Serverless v2; use 3.02.0 or later"),
    ],
)
def test_a_capacity_is_to_be_had_with_a_version_or_not(version: str, low: float, high: float, fault: str) -> None:
    assert aurora.capacity_fault(version, low, high) == fault
