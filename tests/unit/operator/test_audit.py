"""What is stored is judged again: the metric counts it, and a condition tells whoever wrote a region by hand."""

from typing import Any

import aiohttp
import pytest

from policy_cases import ALONE, GOOD, HOUSE, OWNED, edited
from tap_api.base import Json
from tap_api.policy import Organisation
from tap_operator.audit import Gauges, audit
from tap_operator.errors import ClusterError
from tap_operator.health import Health
from unit.operator.double import InMemoryCluster

ETAPS, RTAPS = "environmenttaps", "regionaltaps"
NOW, LATER = "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"


@pytest.fixture
def cluster() -> InMemoryCluster:
    return InMemoryCluster()


async def look(cluster: InMemoryCluster, organisation: Organisation, now: str = NOW) -> tuple[int, dict[Any, int]]:
    judged, broken = await audit(cluster, organisation, now=lambda: now)
    return judged, dict(broken)


def conditions(cluster: InMemoryCluster, name: str = "alone") -> list[Json]:
    found: list[Json] = cluster.objects[RTAPS, "tap-dev", name].get("status", {}).get("conditions", [])
    return found


async def test_objects_that_keep_every_rule_are_counted_and_left_alone(cluster: InMemoryCluster) -> None:
    cluster.put(GOOD, ETAPS)
    cluster.put(ALONE, RTAPS)
    assert await look(cluster, Organisation()) == (2, {})
    assert cluster.writes == []


async def test_a_rule_that_is_broken_is_counted_once_an_object(cluster: InMemoryCluster) -> None:
    cluster.put(edited(GOOD, spec__tags={"aws:a": "x", "aws:b": "y"}), ETAPS)
    cluster.put(edited(GOOD, metadata__name="open", spec__api={"authorization": "None"}, spec__tags={}), ETAPS)
    assert await look(cluster, Organisation()) == (
        2,
        {
            ("EnvironmentTap", "TagMissing", "error"): 2,
            ("EnvironmentTap", "TagReserved", "error"): 1,
            ("EnvironmentTap", "OpenApi", "warning"): 1,
        },
    )
    assert cluster.writes == []


async def test_a_region_of_a_persons_is_told_what_the_organisation_asks_for(cluster: InMemoryCluster) -> None:
    cluster.put(ALONE, RTAPS)
    await look(cluster, HOUSE)
    assert conditions(cluster) == [
        {
            "type": "OrganisationCompliant",
            "status": "False",
            "reason": "RulesBroken",
            "message": "Change the spec: spec.tags.Owner: is required by your organisation; add it (OrganisationTag)",
            "lastTransitionTime": NOW,
        }
    ]
    cluster.writes.clear()
    await look(cluster, HOUSE, LATER)
    assert cluster.writes == []


async def test_a_region_that_was_mended_is_told_so_and_the_time_is_that_of_the_change(cluster: InMemoryCluster) -> None:
    cluster.put(ALONE, RTAPS)
    await look(cluster, HOUSE)
    cluster.edit(RTAPS, "tap-dev", "alone", {"spec": {"tags": OWNED | {"Owner": "me"}}})
    await look(cluster, HOUSE, LATER)
    assert [(c["status"], c["lastTransitionTime"]) for c in conditions(cluster)] == [("False", NOW)]
    assert "OrganisationTagValue" in conditions(cluster)[0]["message"]
    cluster.edit(RTAPS, "tap-dev", "alone", {"spec": {"tags": OWNED}})
    await look(cluster, HOUSE, LATER)
    assert [(c["status"], c["reason"], c["lastTransitionTime"]) for c in conditions(cluster)] == [
        ("True", "RulesKept", LATER)
    ]


async def test_a_region_of_an_environment_is_judged_as_that_one_is(cluster: InMemoryCluster) -> None:
    owner = {"apiVersion": "tap.platform/v1alpha1", "kind": "EnvironmentTap", "name": "e", "uid": "1"}
    cluster.put(edited(ALONE, metadata__ownerReferences=[{**owner, "controller": True}]), RTAPS)
    assert await look(cluster, HOUSE) == (0, {})
    assert cluster.writes == []
    # An owner that controls nothing, as anyone may add, hides nothing.
    cluster.edit(RTAPS, "tap-dev", "alone", {"metadata": {"ownerReferences": [owner]}})
    assert (await look(cluster, HOUSE))[0] == 1


async def test_one_that_went_meanwhile_ends_no_round_and_another_failure_does(cluster: InMemoryCluster) -> None:
    cluster.put(ALONE, RTAPS)
    cluster.put(edited(ALONE, metadata__name="beside"), RTAPS)
    cluster.refuse["apply", RTAPS, "alone"] = ClusterError(409, "Conflict", "uid mismatch")
    assert (await look(cluster, HOUSE))[0] == 2
    assert conditions(cluster, "beside")
    cluster.refuse["apply", RTAPS, "alone"] = ClusterError(500, "InternalError", "no")
    with pytest.raises(ClusterError):
        await look(cluster, HOUSE)


async def test_prometheus_is_told_on_the_port_of_the_probes(cluster: InMemoryCluster, unused_tcp_port: int) -> None:
    cluster.put(edited(GOOD, spec__tags={}), ETAPS)
    gauges = Gauges()

    async def fine() -> str:
        return ""

    health = Health(live=fine, ready=fine, metrics=gauges.text)
    await health.start("127.0.0.1", unused_tcp_port)
    try:
        gauges.set(*await audit(cluster, Organisation()))
        assert await told(unused_tcp_port, "TagMissing") == 1
        cluster.edit(ETAPS, "tap-prod", "prod", {"spec": {"tags": OWNED}})
        gauges.set(*await audit(cluster, Organisation()))
        assert await told(unused_tcp_port, "TagMissing") == 0
    finally:
        await health.stop()


async def told(port: int, code: str) -> float:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        lines = (await answer.text()).splitlines()
    assert "tap_policy_judged_objects 1.0" in lines
    (line,) = [line for line in lines if f'code="{code}",kind="EnvironmentTap"' in line]
    return float(line.rpartition(" ")[2])
