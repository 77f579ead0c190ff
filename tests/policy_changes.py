"""The table of cases that every door answers alike: changes of what is there, and all cases together."""

from collections.abc import Mapping
from typing import Any

from policy_cases import ALONE, ENVIRONMENTS, GOOD, ONE, ORGANISATION, REGIONS, TWO, Case, case, edited, regions


def _reported(name: str, base: Mapping[str, Any], *errors: tuple[str, str], **changes: Any) -> Case:
    old = edited(base, metadata__name="reported", spec__drift="Report")
    return case(f"drift is only reported: {name}", old, list(errors), changes, old=old)


#: Doors that store what is changed tell one from another by the name; a region that comes has a range that nobody else has.
BOTH, LEAVING_REGIONS = [ONE, TWO], [ONE, {**TWO, "state": "Absent"}]
LEAVING = edited(GOOD, metadata__name="leaving", spec__peeringGroup="leaving", spec__regions=LEAVING_REGIONS)
QUIET = edited(LEAVING, metadata__name="quiet", spec__peeringGroup="quiet", spec__drift="Report")
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
    _reported("a region that is absent", GOOD, ("spec.regions", "OnlyReported"), spec__regions=LEAVING_REGIONS),
    _reported("a region that is paused", GOOD, spec__regions=[ONE, {**TWO, "state": "Paused"}]),
    _reported("protection lifted", ALONE, ("spec.protection", "OnlyReported"), spec__protection=False),
    _reported("a change that shows as drift", GOOD, spec__network={"zones": 2}),
    case("an absent region that leaves the list", QUIET, [], {"spec__regions": [ONE]}, old=QUIET),
    case(
        "an absent region that is back", QUIET, [("spec.regions", "OnlyReported")], {"spec__regions": BOTH}, old=QUIET
    ),
    # Report begins once a region is as it is wanted, and what it was wanted to be before is that, too: this change would
    # be the first that is not made.
    *(
        case(f"only reported from the change on: {name}", old, [(path, "OnlyReported")], made, old=old)
        for name, old, path, made in (
            ("a region that goes", GOOD, "spec.regions", {"spec__drift": "Report", "spec__regions": [ONE]}),
            (
                "a region that is absent",
                GOOD,
                "spec.regions",
                {"spec__drift": "Report", "spec__regions": LEAVING_REGIONS},
            ),
            ("a region that comes", LEAVING, "spec.regions", {"spec__drift": "Report", "spec__regions": BOTH}),
            ("protection lifted", ALONE, "spec.protection", {"spec__drift": "Report", "spec__protection": False}),
        )
    ),
    case("only reported from the change on", GOOD, [], {"spec__drift": "Report"}, old=GOOD),
]
CASES = [*ORGANISATION, *ENVIRONMENTS, *REGIONS, *CHANGES]
