"""Drift, for Prometheus: how many fields AWS has otherwise than is wanted, and how often that was found.

Labels are names of objects: an environment (or a RegionalTap that stands alone) and its regions, and nothing of AWS.
"""

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from tap_api.regional import drifted_fields

_LABELS = ("kind", "namespace", "name", "region")
#: Kind, namespace and name of an object.
Object = tuple[str, str, str]
#: Region -> fields that differ.
Counts = Mapping[str, int]


class DriftMetrics:
    """What the passes found."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Args: registry: where they are shown."""
        self._fields = Gauge(
            "tap_drifted_fields",
            "Fields that AWS has otherwise than is wanted, by environment (or RegionalTap) and region; fifty at most.",
            _LABELS,
            registry=registry,
        )
        self._found = Counter(
            "tap_drift_found",
            "Drifted fields that were found. What is repaired between two scrapes shows here alone.",
            _LABELS,
            registry=registry,
        )
        self._known: dict[Object, dict[str, int]] = {}

    def set(self, what: Object, now: Counts) -> None:
        """Shows what a pass over an environment, or a RegionalTap that stands alone, found; nothing: it is gone."""
        before = self._known.get(what, {})
        for region, count in now.items():
            self._fields.labels(*what, region).set(count)
            self._found.labels(*what, region).inc(max(0, count - before.get(region, 0)))
        for region in before.keys() - now.keys():
            self._fields.remove(*what, region)
            self._found.remove(*what, region)
        if now:
            self._known[what] = dict(now)
        else:
            self._known.pop(what, None)


def of_status(status: Mapping[str, Any]) -> dict[str, int]:
    """Returns what the status of an EnvironmentTap tells, by region."""
    return {region["name"]: int(region.get("driftedFields") or 0) for region in status.get("regions") or ()}


def of_regional_tap(tap: Mapping[str, Any]) -> dict[str, int]:
    """Returns what a RegionalTap tells, by its one region."""
    return {tap["spec"]["region"]: drifted_fields(tap.get("status") or {})}
