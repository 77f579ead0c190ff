"""What is watched in a region: alarms, the topic that tells of them, a dashboard, and reports of changes by others."""

from typing import Any

from tap_api.kinds import RegionalMonitoringSpec
from tap_stack.composed import Condition
from tap_stack.monitoring import alarms, changes, dashboard, logs, topic, trail
from tap_stack.monitoring.scope import Monitoring
from tap_stack.resource import Resources
from tap_stack.subject import Subject


def resources(subject: Subject[RegionalMonitoringSpec]) -> Resources:
    """Yields the resources of monitoring, in the order in which they refer to one another."""
    monitoring = Monitoring(subject)
    yield from topic.resources(monitoring)
    yield from alarms.resources(monitoring)
    yield from logs.resources(monitoring)
    yield from dashboard.resources(monitoring)
    yield from trail.resources(monitoring)
    yield from changes.resources(monitoring)


def outputs(_subject: Subject[Any]) -> dict[str, str | None]:
    """Returns nothing: an application needs nothing of it."""
    return {}


def conditions(subject: Subject[RegionalMonitoringSpec]) -> tuple[Condition, ...]:
    """Returns whether changes made outside this system are reported."""
    return (changes.condition(subject.spec.monitoring, recording=trail.records(subject.observed)),)
