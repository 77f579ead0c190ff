"""What the operator makes of drift: numbers for Prometheus, and an Event where it begins and where it ends."""

from collections.abc import Mapping
from itertools import pairwise

from prometheus_client import CollectorRegistry

from policy_cases import ALONE, edited
from tap_api.base import Json
from tap_operator.alone import reserve_alone
from tap_operator.drift import DriftMetrics, of_regional_tap, of_status
from tap_operator.events import transitions
from unit.operator.double import InMemoryCluster

PROD = ("EnvironmentTap", "tap-prod", "prod")
FIELDS = [{"resource": "vpc", "field": f"spec.forProvider.{name}", "wanted": "1", "real": "2"} for name in "ab"]
NOW = "2026-11-24T09:00:00Z"


def shown(registry: CollectorRegistry) -> dict[tuple[str, str, str], float]:
    """Returns the samples: name, object and region -> value."""
    return {
        (sample.name, sample.labels["name"], sample.labels["region"]): sample.value
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_fields_that_differ_are_shown_now_and_counted_for_ever() -> None:
    registry = CollectorRegistry()
    metrics = DriftMetrics(registry)
    for counts in ({"us-east-1": 0}, {"us-east-1": 2}, {"us-east-1": 2}, {"us-east-1": 3}, {"us-east-1": 0}):
        metrics.set(PROD, counts)
    assert shown(registry) == {
        ("tap_drifted_fields", "prod", "us-east-1"): 0,
        ("tap_drift_found_total", "prod", "us-east-1"): 3,
    }


def test_a_region_and_an_object_that_are_gone_are_shown_no_more_and_a_namesake_of_another_kind_is() -> None:
    registry = CollectorRegistry()
    metrics = DriftMetrics(registry)
    metrics.set(PROD, {"us-east-1": 1, "us-east-2": 1})
    metrics.set(("RegionalTap", "tap-prod", "prod"), {"eu-west-1": 1})
    metrics.set(PROD, {"us-east-1": 1})
    assert {place[1:] for place in shown(registry)} == {("prod", "us-east-1"), ("prod", "eu-west-1")}
    metrics.set(PROD, {})
    metrics.set(PROD, {})
    assert {place[1:] for place in shown(registry)} == {("prod", "eu-west-1")}


def test_what_is_shown_is_what_the_status_tells() -> None:
    regions = [{"name": "us-east-1", "driftedFields": 2}, {"name": "us-east-2"}]
    assert of_status({"regions": regions}) == {"us-east-1": 2, "us-east-2": 0}
    assert of_status({}) == {}
    assert of_regional_tap({"spec": {"region": "eu-west-1"}, "status": {"drift": {"fields": FIELDS}}}) == {
        "eu-west-1": 2
    }
    assert of_regional_tap({"spec": {"region": "eu-west-1"}}) == {"eu-west-1": 0}


async def test_a_region_that_stands_alone_is_counted_too() -> None:
    cluster = InMemoryCluster()
    cluster.put({**ALONE, "status": {"drift": {"fields": FIELDS}}}, "regionaltaps")
    assert (await reserve_alone(cluster, "tap-dev", "alone")).drifted == {"eu-west-1": 2}
    assert (await reserve_alone(cluster, "tap-dev", "gone")).drifted == {}


async def test_drift_is_a_warning_and_its_repair_is_none() -> None:
    cluster = InMemoryCluster()
    subject = {**edited(ALONE), "metadata": {**ALONE["metadata"], "uid": "u"}}

    def status(truth: str, reason: str) -> Mapping[str, object]:
        condition = {"type": "Drifted", "status": truth, "reason": reason, "message": "m", "lastTransitionTime": NOW}
        return {"conditions": [condition], "observedGeneration": 1}

    steps = [("False", "AsWanted"), ("True", "FieldsDiffer"), ("True", "FieldsDiffer"), ("False", "Repaired")]
    for before, after in pairwise(steps):
        await transitions(cluster, subject, status(*before), status(*after))
    told: list[Json] = [event for (plural, _, _), event in cluster.objects.items() if plural == "events"]
    assert [(event["type"], event["reason"], event["message"]) for event in told] == [
        ("Warning", "FieldsDiffer", "Drifted is True: m"),
        ("Normal", "Repaired", "Drifted is False: m"),
    ]
