"""Regions of one environment, and the facts that travel between them: one global system, in AWS's own order."""

import pytest

from golden.world import Composing, Environment
from tap_api.base import Json
from tap_stack import parts

Turned = dict[str, list[Composing]]


@pytest.fixture(autouse=True)
def only_what_is_global(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that builds the database and the table alone, for speed."""
    monkeypatch.setattr(parts, "BUILT", {part: parts.BUILT[part] for part in ("network", "database", "sessions")})


def emitted(turned: list[Composing], kind: str) -> set[str]:
    return {item.key for xr, composed in turned if xr["kind"] == kind for item in composed.resources}


def first_turn_with(turns: list[Turned], region: str, kind: str, key: str) -> int:
    return next(i for i, turned in enumerate(turns) if key in emitted(turned[region], kind))


@pytest.fixture
def prod() -> tuple[Environment, list[Turned]]:
    environment = Environment("prod")
    return environment, [environment.turn() for _ in range(12)]


def test_a_secondary_joins_after_an_instance_of_the_primary_writes_05_trap_2(
    prod: tuple[Environment, list[Turned]],
) -> None:
    _, turns = prod
    order = [
        first_turn_with(turns, "us-east-1", "RegionalDatabase", "global-cluster"),
        first_turn_with(turns, "us-east-1", "RegionalDatabase", "cluster"),
        first_turn_with(turns, "us-east-1", "RegionalDatabase", "instance-a-1"),
        first_turn_with(turns, "us-east-2", "RegionalDatabase", "cluster"),
        first_turn_with(turns, "us-east-2", "RegionalDatabase", "instance-a-1"),
    ]
    assert order == sorted(set(order))


def test_a_secondary_looks_at_its_replica_after_the_primary_lists_it(prod: tuple[Environment, list[Turned]]) -> None:
    _, turns = prod
    order = [
        first_turn_with(turns, "us-east-1", "RegionalSessions", "table"),
        first_turn_with(turns, "eu-west-1", "RegionalSessions", "table"),
    ]
    assert order == sorted(set(order))


def test_the_facts_of_each_region_are_written_by_the_operator(prod: tuple[Environment, list[Turned]]) -> None:
    environment, _ = prod
    facts = {region: world.tap["spec"].get("facts") for region, world in environment.worlds.items()}
    keys = {
        region: world.objects[f"prod-{region}"]["key"]["status"]["atProvider"]["arn"]
        for region, world in environment.worlds.items()
    }

    def of_a_secondary(region: str) -> Json:
        return {
            "globalCluster": {
                "identifier": "prod-global-234a2353",
                "engineVersion": "8.0.mysql_aurora.3.10.0",
                "region": "us-east-1",
            },
            "sessionsTable": {"arn": f"arn:aws:dynamodb:{region}:123456789012:table/prod-sessions-234a2353"},
        }

    assert facts == {
        "us-east-1": {"replicas": [{"region": r, "keyArn": keys[r]} for r in ("eu-west-1", "us-east-2")]},
        "us-east-2": of_a_secondary("us-east-2"),
        "eu-west-1": of_a_secondary("eu-west-1"),
    }


def test_an_environment_comes_to_rest_with_every_database_and_table_ready(
    prod: tuple[Environment, list[Turned]],
) -> None:
    environment, _ = prod
    for turned in environment.settle().values():
        for xr, composed in turned:
            if xr["kind"] in ("RegionalDatabase", "RegionalSessions"):
                assert (composed.withheld, composed.ready, composed.ttl) == ((), None, 3600)
                assert all(item.ready for item in composed.resources)


def test_a_primary_that_falls_silent_takes_nothing_from_a_secondary(prod: tuple[Environment, list[Turned]]) -> None:
    environment, _ = prod
    before = {region: world.tap["spec"] for region, world in environment.worlds.items()}
    primary = environment.worlds["us-east-1"]
    del primary.tap["status"]
    primary.objects.clear()
    environment.turn()
    assert {region: world.tap["spec"] for region, world in environment.worlds.items()} == before


def test_dev_has_a_database_of_its_own_in_every_region_and_no_global_one() -> None:
    for turned in Environment("dev").settle().values():
        keys = emitted(turned, "RegionalDatabase")
        assert ("cluster" in keys, "global-cluster" in keys) == (True, False)
        assert "globalCluster" not in turned[0][1].status.get("facts", {})
