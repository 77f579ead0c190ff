import io
from typing import Any

import pytest
from rich.console import Console

from tap_api.errors import TapError
from tap_cli import status
from tap_cli.snapshot import Snapshot
from tap_cli.tree import tree

REGIONS = [{"name": "us-east-1", "cidr": "10.0.0.0/16"}, {"name": "us-east-2", "cidr": "10.1.0.0/16"}]


def environment(version: str = "1", *, regions: Any = REGIONS, **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "prod", "namespace": "tap-prod", "uid": "e", "resourceVersion": version},
        "spec": {"primaryRegion": "us-east-1", "regions": regions},
        "status": status,
    }


REGION = {
    "metadata": {"name": "prod-us-east-1", "uid": "r", "resourceVersion": "1"},
    "status": {
        "resources": {"desired": 68, "created": 64, "ready": 2, "withheld": 4},
        "conditions": [{"type": "Ready", "status": "False"}],
        "waiting": [],
        "parts": [
            {
                "name": "network",
                "ready": False,
                "resources": {"desired": 60, "created": 57, "ready": 0, "withheld": 3},
                "message": "flow-log waits for the key's ARN",
            },
            {"name": "database", "ready": False, "message": "not built in this version"},
        ],
    },
}


def printed(snapshot: Snapshot, width: int = 120) -> str:
    console = Console(width=width, no_color=True, highlight=False, force_terminal=False)
    with console.capture() as capture:
        console.print(tree(snapshot))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def test_the_tree_shows_regions_parts_counts_and_what_each_waits_for() -> None:
    snapshot = Snapshot(
        environment(
            conditions=[{"type": "Ready", "status": "False", "message": "us-east-1: network is not ready"}],
            resources={"desired": 68, "created": 64, "ready": 2},
        ),
        [REGION],
    )
    assert printed(snapshot) == (
        "○ tap-prod/prod  64 of 68 created, 2 ready  us-east-1: network is not ready\n"
        "├── ○ us-east-1  Primary  10.0.0.0/16  64 of 68 created, 2 ready, 4 withheld\n"
        "│   ├── ○ network     57 of 60 created, 0 ready, 3 withheld  flow-log waits for the key's ARN\n"
        "│   └── ○ database    nothing composed  not built in this version\n"
        "└── us-east-2  no RegionalTap yet"
    )


def test_an_environment_that_nobody_has_seen_says_so() -> None:
    assert (
        printed(Snapshot(environment(regions=[]))) == "○ tap-prod/prod  nothing composed  not seen by the operator yet"
    )


class Clock:
    """A test double of `time`: sleeping is what moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(status, "time", made)
    return made


def quiet_console() -> Console:
    return Console(file=io.StringIO(), force_terminal=False)


def test_it_has_settled_after_ten_seconds_without_a_change(clock: Clock) -> None:
    def look() -> list[Snapshot]:
        return [Snapshot(environment("1" if clock.now < 5 else "2", regions=[]))]

    status.follow(look, quiet_console(), deadline=100)
    assert clock.now == 15


def test_what_is_missing_is_named_when_time_is_up(clock: Clock) -> None:
    with pytest.raises(
        TapError, match="not settled in time; missing: prod/us-east-1: RegionalTap, prod/us-east-2: RegionalTap"
    ):
        status.follow(lambda: [Snapshot(environment())], quiet_console(), deadline=30)
    assert clock.now == 31


def test_nothing_at_all_never_settles(clock: Clock) -> None:
    with pytest.raises(TapError, match="missing: anything"):
        status.follow(list, quiet_console(), deadline=30)
    assert clock.now == 31
