"""What taps say of themselves, for Prometheus: their conditions, and which regions are ready.

Labels are names of objects and words of ours; nothing of AWS, and no message.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Gauge

from tap_api.base import Json
from tap_operator.drift import Object

_STATES = {"True": 1.0, "False": 0.0}
_UNKNOWN = -1.0


class ConditionMetrics:
    """What the passes found."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Args: registry: where they are shown."""
        self._conditions = Gauge(
            "tap_condition",
            "Conditions of EnvironmentTaps and of RegionalTaps that stand alone: 1 True, 0 False, -1 Unknown.",
            ("kind", "namespace", "name", "condition", "reason"),
            registry=registry,
        )
        self._regions = Gauge(
            "tap_region_ready",
            "Regions, and whether all of each is ready; `state` is what is wanted of it: Present, Paused or Absent.",
            ("kind", "namespace", "name", "region", "state"),
            registry=registry,
        )
        self._known: dict[Object, set[tuple[Gauge, tuple[str, str]]]] = {}

    def set(self, what: Object, status: Mapping[str, Any]) -> None:
        """Shows what the status of an object says; an empty one: it is gone."""
        now: dict[tuple[Gauge, tuple[str, str]], float] = {}
        conditions: Sequence[Mapping[str, str]] = status.get("conditions") or ()
        for one in conditions:
            value = _STATES.get(one["status"], _UNKNOWN)
            now[self._conditions, (one["type"], one.get("reason", ""))] = value
        for region in status.get("regions") or ():
            now[self._regions, (region["name"], region.get("state", ""))] = float(bool(region.get("ready")))
        for gauge, labels in self._known.pop(what, set()) - now.keys():
            gauge.remove(*what, *labels)
        for (gauge, labels), value in now.items():
            gauge.labels(*what, *labels).set(value)
        if now:
            self._known[what] = set(now)


def standing_alone(tap: Json) -> Json:
    """Returns the status of a RegionalTap that stands alone, as an environment of that one region would have it."""
    conditions = (tap.get("status") or {}).get("conditions") or []
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    region = {"name": tap["spec"]["region"], "state": tap["spec"].get("state", "Present"), "ready": ready}
    return {"conditions": conditions, "regions": [region]}
