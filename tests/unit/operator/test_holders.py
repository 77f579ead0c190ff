"""What admission says of ranges that others hold: from live reads, and never more than a courtesy."""

import asyncio
from copy import deepcopy
from typing import Any

import pytest

from tap_api.base import Json
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP
from tap_api.policy import RULES
from tap_operator import holders
from tap_operator.cluster import Resource
from tap_operator.errors import ClusterError
from tap_operator.holders import CODE, taken
from tap_operator.reservations import reserve
from unit.api.test_claims import held, wish
from unit.operator.double import InMemoryCluster
from unit.operator.test_admission import GOOD


class Counting(InMemoryCluster):
    """A cluster that counts what it is asked."""

    def __init__(self, error: Exception | None = None, *, slow: bool = False) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._error, self._slow = error, slow

    async def get(self, what: Resource, namespace: str, name: str, *, must_be_served: bool = False) -> Json | None:
        self.asked.append(name)
        if self._slow:
            await asyncio.sleep(60)
        if self._error:
            raise self._error
        return await super().get(what, namespace, name, must_be_served=must_be_served)


def claiming(*cidrs: str, **spec: Any) -> Json:
    made = deepcopy(GOOD)
    names = ("us-east-1", "us-east-2", "eu-west-1")
    regions = [{"name": name, "cidr": cidr} for name, cidr in zip(names, cidrs, strict=False)]
    made["spec"].update({"environment": "dev", "regions": regions, **spec})
    return made


async def test_the_holder_of_a_range_is_named_at_its_field() -> None:
    cluster = Counting()
    await reserve(cluster, wish(held("10.1.0.0/20", "other")))
    [violation], warnings = await taken(cluster, ENVIRONMENT_TAP, claiming("10.0.0.0/16", "10.1.0.0/16"), None)
    assert (violation.path, violation.code) == ("spec.regions[1].cidr", "CidrTaken")
    assert violation.message.startswith(
        "10.1.0.0/16 overlaps 10.1.0.0/20 of EnvironmentTap tap/other (RegionalTap other-us-east-1)"
    )
    assert warnings == []


async def test_every_slash_sixteen_is_read_once_however_many_ranges_lie_in_it() -> None:
    cluster = Counting()
    assert await taken(cluster, ENVIRONMENT_TAP, claiming("10.0.0.0/20", "10.0.16.0/20", "10.1.0.0/16"), None) == (
        [],
        [],
    )
    assert cluster.asked == ["dev-10-0", "dev-10-1"]


async def test_what_was_asked_for_before_is_not_judged_again() -> None:
    cluster = Counting()
    await reserve(cluster, wish(held("10.0.0.0/16", "other")))
    cluster.asked.clear()
    before, after = claiming("10.0.0.0/16"), claiming("10.0.0.0/16", tags={"CostCenter": "another"})
    assert await taken(cluster, ENVIRONMENT_TAP, after, before) == ([], [])
    assert cluster.asked == []


@pytest.mark.parametrize("spec", [{"peeringGroup": "shared"}, {"environment": "staging"}])
async def test_another_peering_group_has_ranges_of_its_own(spec: Json) -> None:
    cluster = Counting()
    await reserve(cluster, wish(held("10.0.0.0/16", "other")))
    assert await taken(cluster, ENVIRONMENT_TAP, claiming("10.0.0.0/16", **spec), None) == ([], [])


@pytest.mark.parametrize("cluster", [Counting(ClusterError(403, "Forbidden", "no")), Counting(slow=True)])
async def test_what_cannot_be_read_in_time_is_let_pass_with_a_warning(
    cluster: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holders, "_DEADLINE", 0.01)
    violations, [warning] = await taken(cluster, ENVIRONMENT_TAP, claiming("10.0.0.0/16"), None)
    assert violations == []
    assert "the condition CidrReserved tells" in warning


async def test_a_range_that_was_left_in_aws_is_warned_of_since_a_restore_may_take_it_up() -> None:
    cluster = Counting()
    mine = {"kind": "EnvironmentTap", "namespace": "tap-prod", "name": "prod", "uid": "old"}
    there = held("10.0.0.0/16", "prod", protected=True)
    tap = there.regional_tap.model_copy(update={"namespace": "tap-prod"})
    owner = type(there.owner).parse(mine)
    await reserve(cluster, wish(there.model_copy(update={"owner": owner, "regional_tap": tap})))
    violations, [warning] = await taken(cluster, ENVIRONMENT_TAP, claiming("10.0.0.0/16"), None)
    assert violations == []
    assert warning.startswith("spec.regions[0].cidr: 10.0.0.0/16 was an earlier RegionalTap's of this name")


@pytest.mark.parametrize("broken", [{}, {"spec": []}, {"spec": {"cidr": 7}}])
async def test_what_has_no_shape_is_left_to_policy(broken: Json) -> None:
    cluster = Counting()
    for kind in (ENVIRONMENT_TAP, REGIONAL_TAP):
        assert await taken(cluster, kind, broken, None) == ([], [])
    assert cluster.asked == []


def test_the_rule_has_its_place_in_the_table() -> None:
    assert [rule.doors for rule in RULES if rule.code == CODE] == [("admission",)]
