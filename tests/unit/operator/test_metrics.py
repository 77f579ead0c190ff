"""What the operator tells Prometheus of taps, and of its own work."""

import asyncio
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from policy_cases import ALONE
from tap_api.base import Json
from tap_operator import audit, fanout
from tap_operator.apiserver import ApiCluster
from tap_operator.audit import Gauges
from tap_operator.conditions import ConditionMetrics, standing_alone
from tap_operator.errors import ClusterError
from tap_operator.passes import Pass
from tap_operator.told import TapMetrics
from tap_operator.waiting import Waiting
from tap_operator.work import WorkMetrics
from tap_operator.workqueue import Key, WorkQueue
from unit.operator.double import InMemoryCluster
from unit.operator.test_reconcile import ETAPS, PROD, RTAPS

WHAT = ("EnvironmentTap", "tap-prod", "prod")
Samples = dict[tuple[str, ...], float]


def samples(registry: CollectorRegistry, prefix: str) -> Samples:
    """Returns the samples of a metric: values of its labels, in their order by name, and the value."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.startswith(prefix) and not sample.name.endswith(("_created", "_bucket"))
    }


def counted(registry: CollectorRegistry, name: str) -> Samples:
    """Returns those samples of a counter that anything was counted in."""
    return {labels: value for labels, value in samples(registry, name).items() if value}


def condition(type_: str, status: str, reason: str) -> Json:
    return {"type": type_, "status": status, "reason": reason}


def test_a_condition_is_shown_as_it_is_now_and_by_one_reason_at_a_time() -> None:
    registry = CollectorRegistry()
    metrics = ConditionMetrics(registry)
    metrics.set(WHAT, {"conditions": [condition("Ready", "False", "Creating"), condition("Drifted", "Unknown", "No")]})
    at = ("EnvironmentTap", "prod", "tap-prod")
    assert samples(registry, "tap_condition") == {
        ("tap_condition", "Ready", *at, "Creating"): 0,
        ("tap_condition", "Drifted", *at, "No"): -1,
    }
    metrics.set(WHAT, {"conditions": [condition("Ready", "True", "Available")]})
    assert samples(registry, "tap_condition") == {("tap_condition", "Ready", *at, "Available"): 1}
    metrics.set(WHAT, {})
    metrics.set(WHAT, {})
    assert samples(registry, "tap_") == {}


def test_regions_are_shown_with_what_is_wanted_of_them() -> None:
    registry = CollectorRegistry()
    metrics = ConditionMetrics(registry)
    regions = [{"name": "us-east-1", "state": "Present", "ready": True}, {"name": "us-east-2", "state": "Paused"}]
    metrics.set(WHAT, {"regions": regions})
    at = ("EnvironmentTap", "prod", "tap-prod")
    assert samples(registry, "tap_region_ready") == {
        ("tap_region_ready", *at, "us-east-1", "Present"): 1,
        ("tap_region_ready", *at, "us-east-2", "Paused"): 0,
    }


def test_a_region_that_stands_alone_is_shown_as_an_environment_of_one() -> None:
    region = {"name": ALONE["spec"]["region"], "state": "Present"}
    assert standing_alone(ALONE) == {"conditions": [], "regions": [{**region, "ready": False}]}
    ready = [condition("Ready", "True", "Available")]
    found = standing_alone({**ALONE, "status": {"conditions": ready}})
    assert found == {"conditions": ready, "regions": [{**region, "ready": True}]}


async def passed_over(
    monkeypatch: pytest.MonkeyPatch, cluster: InMemoryCluster, registry: CollectorRegistry, key: Key
) -> None:
    """Lets the queue of the fan-out pass over an object once."""
    metrics, passed = TapMetrics(registry), asyncio.Event()
    count = metrics.work.passed

    def counted(*what: Any) -> None:
        count(*what)
        passed.set()

    monkeypatch.setattr(metrics.work, "passed", counted)
    queue = fanout.work(cluster, Waiting(), metrics=metrics)
    queue.add(key, delay=0)
    running = asyncio.create_task(queue.run())
    async with asyncio.timeout(10):
        await passed.wait()
    running.cancel()


async def test_a_pass_tells_what_it_found_and_how_it_went(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, registry = InMemoryCluster(), CollectorRegistry()
    cluster.put(PROD, ETAPS)
    await passed_over(monkeypatch, cluster, registry, Key("tap-prod", "prod"))
    assert counted(registry, "tap_operator_passes_total") == {
        ("tap_operator_passes_total", "EnvironmentTap", "done"): 1
    }
    conditions = {labels[1]: value for labels, value in samples(registry, "tap_condition").items()}
    assert conditions["Ready"] == 0
    assert {labels[4] for labels in samples(registry, "tap_region_ready")} == {
        region["name"] for region in PROD["spec"]["regions"]
    }
    assert samples(registry, "tap_operator_pass_duration_seconds_count")
    assert samples(registry, "tap_operator_lag_seconds_count")


async def test_a_pass_that_fails_is_counted_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, registry = InMemoryCluster(), CollectorRegistry()
    cluster.put(PROD, ETAPS)
    cluster.refuse["apply", RTAPS, "prod-us-east-1"] = ClusterError(500, "InternalError", "no")
    await passed_over(monkeypatch, cluster, registry, Key("tap-prod", "prod"))
    assert counted(registry, "tap_operator_passes_total") == {
        ("tap_operator_passes_total", "EnvironmentTap", "failed"): 1
    }


async def test_how_late_a_pass_began_is_how_long_it_waited_for_a_worker() -> None:
    lags: dict[str, float] = {}
    done = asyncio.Event()

    async def handle(_: Key) -> None:
        await asyncio.sleep(0.2)

    def passed(key: Key, lag: float, _seconds: float, _error: Exception | None) -> None:
        lags[key.name] = lag
        if len(lags) > 1:
            done.set()

    queue = WorkQueue(handle, workers=1, on_pass=passed)
    for name in "ab":
        queue.add(Key("ns", name), delay=0)
    running = asyncio.create_task(queue.run())
    async with asyncio.timeout(10):
        await done.wait()
    running.cancel()
    assert lags["b"] - lags["a"] > 0.1


async def test_claims_are_counted_by_peering_group() -> None:
    cluster, gauges = InMemoryCluster(), Gauges()
    claims = [{"cidr": f"10.{i}.0.0/16"} for i in range(2)]
    for name, group, held in (("a", "prod", claims[:1]), ("b", "prod", claims[1:]), ("c", "dev", [])):
        block = {"kind": "CidrBlock", "metadata": {"name": name}, "spec": {"peeringGroup": group, "claims": held}}
        cluster.put(block, "cidrblocks")
    gauges.claimed(await audit.claims(cluster))
    assert samples(gauges.registry, "tap_cidr_claims") == {
        ("tap_cidr_claims", "prod"): 2,
        ("tap_cidr_claims", "dev"): 0,
    }
    gauges.claimed(await audit.claims(InMemoryCluster()))
    assert samples(gauges.registry, "tap_cidr_claims") == {}


@pytest.mark.parametrize(
    ("path", "plural"),
    [
        ("/apis/tap.platform/v1alpha1/namespaces/tap-prod/regionaltaps/prod-us-east-1/status", "regionaltaps"),
        ("/apis/tap.platform/v1alpha1/environmenttaps", "environmenttaps"),
        ("/apis/tap.platform/v1alpha1/cidrblocks/prod-10-0", "cidrblocks"),
        ("/api/v1/namespaces/tap-prod", "namespaces"),
        ("/api/v1/namespaces/tap-prod/events", "events"),
        ("/api/v1/namespaces", "namespaces"),
        ("/apis/kms.aws.m.upbound.io/v1beta1", "discovery"),
    ],
)
def test_a_request_is_counted_by_what_it_asks_for(path: str, plural: str) -> None:
    assert ApiCluster.plural(path) == plural


def test_requests_are_counted_by_their_answers() -> None:
    registry = CollectorRegistry()
    metrics = WorkMetrics(registry)
    for code in (200, 200, 409):
        metrics.asked("PATCH", "regionaltaps", code)
    assert samples(registry, "tap_operator_requests_total") == {
        ("tap_operator_requests_total", "200", "PATCH", "regionaltaps"): 2,
        ("tap_operator_requests_total", "409", "PATCH", "regionaltaps"): 1,
    }


def test_whether_it_acts_and_whether_it_is_stuck_is_shown_when_it_is_asked() -> None:
    registry = CollectorRegistry()
    metrics, seconds = WorkMetrics(registry), [0.0]
    metrics.watch(lambda: seconds[0])
    assert samples(registry, "tap_operator_leader") == {("tap_operator_leader",): 0}
    metrics.leads()
    seconds[0] = 61.0
    assert samples(registry, "tap_operator_leader") == {("tap_operator_leader",): 1}
    assert samples(registry, "tap_operator_stuck_seconds") == {("tap_operator_stuck_seconds",): 61.0}


def test_an_object_that_is_gone_is_shown_no_more() -> None:
    registry = CollectorRegistry()
    metrics, key = TapMetrics(registry), Key("tap-prod", "prod")
    status: dict[str, Any] = {"conditions": [condition("Ready", "True", "Available")]}
    metrics.found(key, Pass(drifted={"us-east-1": 0}, status=status))
    assert samples(registry, "tap_condition")
    metrics.found(key, Pass())
    assert samples(registry, "tap_condition") == samples(registry, "tap_drifted") == {}
