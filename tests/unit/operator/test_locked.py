"""Admission and locks: one live read for a change of an EnvironmentTap, and no answer is a refusal."""

import asyncio
from copy import deepcopy
from datetime import UTC, datetime

import pytest

from tap_api.base import Json
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP
from tap_api.locks import CODE, take
from tap_api.policy import RULES
from tap_operator import locked as module
from tap_operator.cluster import LEASES
from tap_operator.errors import ClusterError
from tap_operator.locked import locked
from unit.operator.test_admission import GOOD
from unit.operator.test_holders import Counting


async def held() -> Counting:
    cluster = Counting()
    prod = deepcopy(GOOD)
    prod["metadata"]["uid"] = "u"
    await cluster.create(LEASES, take(None, prod, user="alice", why="", seconds=60, now=datetime.now(UTC)))
    return cluster


async def test_a_change_by_another_one_is_refused_and_the_holder_is_named() -> None:
    [violation] = await locked(await held(), ENVIRONMENT_TAP, GOOD, GOOD, "bob")
    assert (violation.path, violation.code) == ("spec", "Locked")
    assert violation.message.startswith("is locked by alice (no reason given; until ")


async def test_a_change_by_its_holder_passes() -> None:
    assert await locked(await held(), ENVIRONMENT_TAP, GOOD, GOOD, "alice") == []


@pytest.mark.parametrize(("kind", "old"), [(ENVIRONMENT_TAP, None), (REGIONAL_TAP, GOOD)])
async def test_a_creation_and_other_kinds_read_nothing(kind: object, old: Json | None) -> None:
    cluster = await held()
    assert await locked(cluster, kind, GOOD, old, "bob") == []  # type: ignore[arg-type]
    assert cluster.asked == []


async def test_an_environment_without_a_lock_costs_one_read() -> None:
    cluster = Counting()
    assert await locked(cluster, ENVIRONMENT_TAP, GOOD, GOOD, "bob") == []
    assert cluster.asked == ["tap-lock-prod"]


@pytest.mark.parametrize("cluster", [Counting(ClusterError(403, "Forbidden", "no")), Counting(slow=True)])
async def test_a_lock_that_cannot_be_read_refuses(cluster: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DEADLINE", 0.01)
    async with asyncio.timeout(5):
        [violation] = await locked(cluster, ENVIRONMENT_TAP, GOOD, GOOD, "alice")
    assert (violation.path, violation.code) == ("spec", "Locked")
    assert violation.message.startswith("whether it is locked could not be looked up; try again")


def test_the_rule_has_its_place_in_the_table() -> None:
    assert [(rule.doors, rule.kinds) for rule in RULES if rule.code == CODE] == [(("admission",), ("EnvironmentTap",))]
