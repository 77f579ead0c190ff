"""The table of cases that every door answers alike: changes of what is there, and all cases together."""

from collections.abc import Mapping
from typing import Any

from policy_cases import ALONE, ENVIRONMENTS, GOOD, ONE, ORGANISATION, REGIONS, TWO, Case, case, edited, regions


def _reported(name: str, base: Mapping[str, Any], *errors: tuple[str, str], **changes: Any) -> Case:
    old = edited(base, metadata__name="reported", spec__drift="Report")
    return case(f"drift is only reported: {name}", old, list(errors), changes, old=old)


#: Doors that store what is changed tell one from another by the name.
LEAVING = edited(GOOD, metadata__name="leaving", spec__regions=[ONE, {**TWO, "state": "Absent"}])
GLOBAL = edited(GOOD, metadata__name="global", spec__database={"global": True})
CHANGES = [
    case(
        "a primary region paused while its replica is there",
        GOOD,
        [("spec.regions[0].state", "PrimaryState")],
        {"spec__regions": [{**ONE, "state": "Paused"}, TWO]},
        schema=[("spec.regions", "PrimaryState")],
        old=GOOD,
    ),
    case(
        "a primary region absent in one edit with its replica",
        GOOD,
        [("spec.regions[0].state", "PrimaryState")],
        {"spec__regions": [{**ONE, "state": "Absent"}, {**TWO, "state": "Absent"}]},
        schema=[("spec.regions", "PrimaryState")],
        old=GOOD,
    ),
    case(
        "a primary region paused in one edit that removes its replica",
        GOOD,
        [("spec.regions[0].state", "PrimaryState")],
        {"spec__regions": [{**ONE, "state": "Paused"}]},
        schema=[("spec.regions", "PrimaryState")],
        old=GOOD,
    ),
    case(
        "a primary region absent after its replica",
        LEAVING,
        [],
        {"spec__regions": [{**ONE, "state": "Absent"}, {**TWO, "state": "Absent"}]},
        old=LEAVING,
    ),
    case(
        "a database that leaves the global one, by the preset",
        GOOD,
        [("spec.database.global", "Immutable")],
        {"spec__database": {"global": False}},
        old=GOOD,
    ),
    case(
        "another environment",
        GLOBAL,
        [("spec.environment", "Immutable")],
        {"spec__environment": "staging"},
        schema=[("spec.environment", "Immutable")],
        old=GLOBAL,
    ),
    case(
        "another primary region",
        GOOD,
        [("spec.primaryRegion", "Immutable")],
        {"spec__primaryRegion": "us-east-2"},
        schema="same",
        old=GOOD,
    ),
    case(
        "another range",
        GOOD,
        [("spec.regions[1].cidr", "Immutable")],
        {"spec__regions": regions(("us-east-1", "10.0.0.0/16"), ("us-east-2", "10.2.0.0/16"))},
        schema="same",
        old=GOOD,
    ),
    case("another range", ALONE, [("spec.cidr", "Immutable")], {"spec__cidr": "10.8.0.0/16"}, schema="same", old=ALONE),
    case(
        "another region", ALONE, [("spec.region", "Immutable")], {"spec__region": "us-east-1"}, schema="same", old=ALONE
    ),
    case(
        "another name of the database",
        ALONE,
        [("spec.database.databaseName", "Immutable")],
        {"spec__database": {"databaseName": "other"}},
        schema="same",
        old=ALONE,
    ),
    case(
        "an older version",
        GOOD,
        [("spec.database.engineVersion", "EngineVersion")],
        {"spec__database": {"engineVersion": "8.0.mysql_aurora.3.9.4"}},
        old=GOOD,
    ),
    _reported("a region that goes", GOOD, ("spec.regions", "OnlyReported"), spec__drift="Repair", spec__regions=[ONE]),
    _reported("protection lifted", ALONE, ("spec.protection", "OnlyReported"), spec__protection=False),
    _reported("a change that shows as drift", GOOD, spec__network={"zones": 2}),
    case("a region that goes", GOOD, [], {"spec__drift": "Report", "spec__regions": [ONE]}, old=GOOD),
]
CASES = [*ORGANISATION, *ENVIRONMENTS, *REGIONS, *CHANGES]
