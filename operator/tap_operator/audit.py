"""The audit: what is stored, judged again by the rules of today.

Rules change, and objects that were stored before do not. An EnvironmentTap is judged in each of its passes (reconcile);
this goes over everything once a round for the metric, and tells a RegionalTap that a person wrote what the organisation
asks for (the function, which knows the platform's rules alone, tells it those). Nothing is changed but that condition.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from tap_api.base import Json
from tap_api.fanout import is_of_environment
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP, Kind
from tap_api.policy import RULES, Organisation, Severity, Violation, evaluate
from tap_operator.cluster import ENVIRONMENT_TAPS, Cluster, resource
from tap_operator.errors import ClusterError
from tap_operator.passes import utc_now
from tap_operator.report import write_status
from tap_operator.reservations import CIDR_BLOCKS

_LOG = logging.getLogger(__name__)
#: Seconds between two rounds.
INTERVAL = 300.0
CONDITION = "OrganisationCompliant"
_LONGEST = 4096
_ORGANISATIONAL = {rule.code for rule in RULES if rule.organisational}
_KINDS: tuple[tuple[Kind, Any], ...] = ((ENVIRONMENT_TAP, ENVIRONMENT_TAPS), (REGIONAL_TAP, resource(REGIONAL_TAP)))
#: Kind, code and severity of a rule -> how many objects break it.
Broken = Counter[tuple[str, str, str]]


class Gauges:
    """What the audit found, for Prometheus."""

    def __init__(self) -> None:
        """Starts with nothing found."""
        self.registry = CollectorRegistry()
        self._objects = Gauge(
            "tap_policy_violations",
            "Stored objects that break a rule of today, by kind, rule and severity; 0 once nobody does any more.",
            ["kind", "code", "severity"],
            registry=self.registry,
        )
        self._judged = Gauge("tap_policy_judged_objects", "Stored objects that were judged.", registry=self.registry)
        self._claims = Gauge(
            "tap_cidr_claims", "Claimed address ranges, by peering group.", ["group"], registry=self.registry
        )
        self._groups: set[str] = set()

    def set(self, judged: int, broken: Broken) -> None:
        """Shows what one round found."""
        self._judged.set(judged)
        for rule in RULES:
            for kind in rule.kinds:
                self._objects.labels(kind, rule.code, rule.severity.value).set(
                    broken[kind, rule.code, rule.severity.value]
                )

    def claimed(self, claims: Counter[str]) -> None:
        """Shows how many ranges are claimed in each peering group."""
        for group in self._groups - claims.keys():
            self._claims.remove(group)
        for group, count in claims.items():
            self._claims.labels(group).set(count)
        self._groups = set(claims)

    def text(self) -> tuple[bytes, str]:
        """Returns the metrics as Prometheus reads them, and of which type they are."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


async def rounds(cluster: Cluster, organisation: Organisation, gauges: Gauges, interval: float = INTERVAL) -> None:
    """Audits once an interval, for ever."""
    while True:
        try:
            gauges.set(*await audit(cluster, organisation))
            gauges.claimed(await claims(cluster))
        except ClusterError as error:
            _LOG.warning("this round of the audit is left out: %s", error)
        await asyncio.sleep(interval)


async def audit(
    cluster: Cluster, organisation: Organisation, *, now: Callable[[], str] = utc_now
) -> tuple[int, Broken]:
    """Judges everything that is stored; returns how much that is, and how many objects break each rule.

    Raises:
        ClusterError: what is stored could not be read, or a condition could not be written.
    """
    judged, broken = 0, Broken()
    for kind, what in _KINDS:
        async for stored in cluster.select(what):
            if kind is REGIONAL_TAP and is_of_environment(stored):
                continue  # It is judged as the EnvironmentTap that it came from.
            found = evaluate(kind.kind, stored, organisation=organisation)
            judged += 1
            broken.update({(kind.kind, violation.code, violation.severity.value) for violation in found})
            if kind is REGIONAL_TAP and not stored["metadata"].get("deletionTimestamp"):
                await _tell(cluster, stored, found, now())
    return judged, broken


async def claims(cluster: Cluster) -> Counter[str]:
    """Returns how many address ranges are claimed, by peering group.

    Raises:
        ClusterError: the CidrBlocks could not be read.
    """
    found: Counter[str] = Counter()
    async for block in cluster.select(CIDR_BLOCKS):
        found[block["spec"]["peeringGroup"]] += len(block["spec"].get("claims") or ())
    return found


async def _tell(cluster: Cluster, regional_tap: Json, found: Sequence[Violation], now: str) -> None:
    """Writes the condition where it differs; one that keeps every rule has none until it once broke one."""
    asked = [v for v in found if v.code in _ORGANISATIONAL and v.severity is Severity.ERROR]
    before = _present(regional_tap)
    if not asked and before is None:
        return
    wanted = {
        "type": CONDITION,
        "status": "False" if asked else "True",
        "reason": "RulesBroken" if asked else "RulesKept",
        "message": ("Change the spec: " + "; ".join(map(str, asked)))[:_LONGEST] if asked else "",
    }
    if before and {key: before.get(key) or "" for key in wanted} == wanted:
        return
    since = before["lastTransitionTime"] if before and before["status"] == wanted["status"] else now
    conditions = [{**wanted, "lastTransitionTime": since}]
    try:
        await write_status(cluster, REGIONAL_TAP, regional_tap, {"conditions": conditions})
    except ClusterError as error:
        if error.status not in (404, 409):  # It went, or another has its name.
            raise


def _present(regional_tap: Mapping[str, Any]) -> Json | None:
    conditions = (regional_tap.get("status") or {}).get("conditions") or []
    return next((condition for condition in conditions if condition.get("type") == CONDITION), None)
