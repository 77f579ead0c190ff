import io
import json
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from typing import Any

import pytest
from rich.console import Console

from tap_api.errors import TapError
from tap_cli import follow
from tap_cli.snapshot import Snapshot
from tap_cli.tree import tree

REGIONS = [{"name": "us-east-1", "cidr": "10.0.0.0/16"}, {"name": "us-east-2", "cidr": "10.1.0.0/16"}]


def environment(version: str = "1", *, regions: Any = REGIONS, **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "prod", "namespace": "tap-prod", "uid": "e", "resourceVersion": version},
        "spec": {"primaryRegion": "us-east-1", "regions": regions},
        "status": status,
    }


REGION: dict[str, Any] = {
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
    monkeypatch.setattr(follow, "time", made)
    return made


def quiet_screen() -> AbstractContextManager[follow.Show[Snapshot]]:
    return follow.pictures(Console(file=io.StringIO(), force_terminal=False))


def test_it_has_settled_after_ten_seconds_without_a_change(clock: Clock) -> None:
    def look() -> list[Snapshot]:
        return [Snapshot(environment("1" if clock.now < 5 else "2", regions=[]))]

    follow.follow(look, quiet_screen(), deadline=100)
    assert clock.now == 15


def test_what_is_missing_is_named_when_time_is_up(clock: Clock) -> None:
    with pytest.raises(
        TapError, match="not settled in time; missing: prod/us-east-1: RegionalTap, prod/us-east-2: RegionalTap"
    ):
        follow.follow(lambda: [Snapshot(environment())], quiet_screen(), deadline=30)
    assert clock.now == 31


@pytest.mark.parametrize("absent", ["no EnvironmentTap 'prd' in tap-prod", "no EnvironmentTap in any namespace"])
def test_what_is_not_there_is_told_at_once_and_waited_for_a_short_while(
    clock: Clock, capsys: pytest.CaptureFixture[str], absent: str
) -> None:
    with pytest.raises(TapError, match=f"^{absent}$"):
        follow.follow(list, quiet_screen(), deadline=600, absent=absent)
    told = capsys.readouterr()
    assert (clock.now, told.out, told.err) == (10, "", f"{absent}; waiting for it, 10 seconds\n")


def test_what_appears_in_that_while_is_followed(clock: Clock) -> None:
    def look() -> list[Snapshot]:
        return [Snapshot(environment(regions=[]))] if clock.now >= 9 else []

    assert [s.name for s in follow.follow(look, quiet_screen(), deadline=600)] == ["prod"]
    assert clock.now == 19


def test_it_does_not_settle_while_the_operator_has_not_looked(clock: Clock) -> None:
    def look() -> list[Snapshot]:
        seen = environment(regions=[], observedGeneration=2)
        return [Snapshot({**seen, "metadata": {**seen["metadata"], "generation": 3}})]

    message = r"prod/the operator has not looked at its latest spec \(generation 3, seen 2\)"
    with pytest.raises(TapError, match=message):
        follow.follow(look, quiet_screen(), deadline=30)
    assert clock.now == 31


def test_the_tree_says_when_an_environment_ends() -> None:
    at = "2026-11-27T12:00:00Z"
    seen = environment(regions=[], observedGeneration=1, expiration={"ttl": "72h", "at": at})
    assert printed(Snapshot(seen, []), width=200).startswith(f"○ tap-prod/prod  ends {at}  nothing composed")


def test_the_tree_says_who_has_not_looked_at_the_latest_spec() -> None:
    ready = [{"type": "Ready", "status": "True"}]
    seen = environment(regions=REGIONS[:1], observedGeneration=2, conditions=ready)
    behind = [{"type": "Synced", "status": "True", "observedGeneration": 4}]
    region: dict[str, Any] = {
        "metadata": {**REGION["metadata"], "generation": 5},
        "status": {"conditions": behind, "waiting": [{"key": "a", "source": "b"}]},
    }
    assert printed(Snapshot({**seen, "metadata": {**seen["metadata"], "generation": 3}}, [region]), width=200) == (
        "● tap-prod/prod  nothing composed  the operator has not looked at its latest spec (generation 3, seen 2)\n"
        "└── ○ us-east-1  Primary  10.0.0.0/16  nothing composed  "
        "Crossplane has not looked at its latest spec (generation 5, seen 4); a waits for b"
    )


CLUSTER = """
from tap_cli import cluster, follow
from tap_cli.main import main
from tap_cli.snapshot import Snapshot
class Cluster:
    def __init__(self, *args):
        pass
    def environments(self, namespace):
        return [{"metadata": {"name": "prod", "namespace": "n", "uid": "e", "resourceVersion": "1"}, "spec": {"regions": []}}]
    def snapshot(self, environment, *, resources):
        return Snapshot(environment)
cluster.Cluster = Cluster
follow.QUIET_SECONDS = follow.ABSENT_SECONDS = follow._POLL_SECONDS = 0.01
main()
"""


def status(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CLUSTER, "status", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_json_until_settled_is_the_only_thing_on_standard_output() -> None:
    done = status("prod", "--until-settled", "-o", "json")
    row = {"namespace": "n", "name": "prod", "status": {}, "missing": []}
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, {"version": 1, "environments": [row]}, "")


def test_how_long_nothing_may_change_can_be_said() -> None:
    """AWS can be busy for a minute and show nothing."""
    started = time.monotonic()
    assert status("prod", "--until-settled", "--quiet-for", "2", "-o", "json").returncode == 0
    assert time.monotonic() - started > 2


def test_json_of_what_is_not_there_is_nothing() -> None:
    done = status("prd", "--until-settled", "-o", "json")
    absent = "no EnvironmentTap 'prd' in any namespace"
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{absent}; waiting for it, 0.01 seconds\nerror: {absent}\n"


@pytest.mark.parametrize("args", [["--watch"], ["--watch", "--until-settled"]])
def test_watching_in_json_is_refused(args: list[str]) -> None:
    done = status("prod", *args, "-o", "json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--watch shows a picture that changes; for JSON take --until-settled, or neither" in done.stderr
