from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_api import manifest
from tap_api.policy import RULES, Violation, advise, judge

ROOT = Path(__file__).parents[3]
GOOD: dict[str, Any] = {
    "metadata": {"name": "prod", "namespace": "tap-prod"},
    "spec": {
        "environment": "prod",
        "primaryRegion": "us-east-1",
        "tags": {"CostCenter": "platform-4200"},
        "regions": [{"name": "us-east-1", "cidr": "10.0.0.0/16"}, {"name": "us-east-2", "cidr": "10.1.0.0/16"}],
    },
}
ALONE: dict[str, Any] = {
    "metadata": {"name": "alone", "namespace": "tap-dev"},
    "spec": {
        "environment": "dev",
        "region": "eu-west-1",
        "cidr": "10.9.0.0/16",
        "tags": {"CostCenter": "platform-4200"},
    },
}


def edited(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Returns `base` with fields set: `spec__tags={…}` sets spec.tags; None removes."""
    made = deepcopy(base)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = made
        for step in parents:
            place = place[step]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return made


def regions(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "cidr": cidr} for name, cidr in pairs]


@pytest.mark.parametrize("path", sorted((ROOT / "claims").glob("*.yaml")), ids=lambda path: path.name)
def test_the_claims_pass(path: Path) -> None:
    assert [judge(d["kind"], d) for d in manifest.read(path)] == [[]]


@pytest.mark.parametrize("path", sorted((ROOT / "claims/refused").glob("*.yaml")), ids=lambda path: path.name)
def test_the_claims_that_show_a_refusal_are_refused(path: Path) -> None:
    assert all(judge(d["kind"], d) for d in manifest.read(path))


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (edited(GOOD, metadata__name="Prod"), [("metadata.name", "Name")]),
        (edited(GOOD, metadata__name="1st"), [("metadata.name", "Name")]),
        (edited(GOOD, metadata__name="a.b"), [("metadata.name", "Name")]),
        (edited(GOOD, metadata__name="a" * 25), [("metadata.name", "Name")]),
        (edited(GOOD, spec__primaryRegion="eu-west-1"), [("spec.primaryRegion", "PrimaryRegion")]),
        (
            edited(GOOD, spec__regions=regions(("us-east-1", "10.0.0.0/16"), ("us-east-9", "10.1.0.0/16"))),
            [("spec.regions[1].name", "RegionUnknown")],
        ),
        (
            edited(GOOD, spec__regions=regions(("us-east-1", "10.0.0.0/16"), ("us-east-1", "10.1.0.0/16"))),
            [("spec.regions[1].name", "RegionDuplicate")],
        ),
        (
            edited(GOOD, spec__regions=regions(("us-east-1", "10.0.0.0/16"), ("us-east-2", "10.0.16.0/20"))),
            [("spec.regions[1].cidr", "CidrOverlap")],
        ),
        (
            edited(GOOD, spec__regions=regions(("us-east-1", "10.0.0.1/16"), ("us-east-2", "10.0.16.0/20"))),
            [("spec.regions[0].cidr", "Cidr")],
        ),
        (edited(GOOD, spec__tags={}), [("spec.tags.CostCenter", "TagMissing")]),
        (edited(GOOD, spec__tags={"CostCenter": " "}), [("spec.tags.CostCenter", "TagMissing")]),
        (
            edited(GOOD, spec__tags={"CostCenter": "x", "Environment": "dev", "aws:x": "y", "AWS:x": "y"}),
            [
                ("spec.tags.Environment", "TagReserved"),
                ("spec.tags['AWS:x']", "TagReserved"),
                ("spec.tags['aws:x']", "TagReserved"),
            ],
        ),
        (
            edited(GOOD, spec__tags={"CostCenter": "x", "environment": "hello"}),
            [("spec.tags.environment", "TagReserved")],
        ),
        (edited(GOOD, spec__tags={"CostCenter": "x", "costcenter": "y"}), [("spec.tags.costcenter", "TagCase")]),
        (edited(GOOD, spec__tags={"CostCenter": "x", "a*b": "y"}), [("spec.tags['a*b']", "TagText")]),
        (edited(GOOD, spec__ttl="72h"), [("spec.ttl", "NotActedOn")]),
        (edited(GOOD, spec__drift="Report"), [("spec.drift", "NotActedOn")]),
        (edited(GOOD, spec__protection=False), []),
        (edited(GOOD, spec__peeringGroup="shared"), []),
        (
            edited(
                GOOD,
                spec__regions=[
                    *regions(("us-east-1", "10.0.0.0/16")),
                    {"name": "us-east-2", "cidr": "10.1.0.0/16", "state": "Paused"},
                ],
            ),
            [("spec.regions[1].state", "NotActedOn")],
        ),
        (edited(GOOD, spec__database={"minCapacity": 100}), [("spec.database.minCapacity", "Capacity")]),
        (edited(GOOD, spec__storage={"infrequentAccessDays": 80}), [("spec.storage.glacierDays", "StorageClasses")]),
        (edited(GOOD, spec__api={"authorization": "JWT"}), [("spec.api.jwt", "Jwt")]),
        (
            edited(GOOD, spec__api={"jwt": {"issuer": "https://a.example", "audience": ["x"]}}),
            [("spec.api.jwt", "Jwt")],
        ),
        (edited(GOOD, spec__monitoring={"trail": "Create"}), []),
        (edited(GOOD, spec__monitoring={"trail": "Existing"}), []),
        (
            edited(
                GOOD, spec__monitoring={"trustedPrincipals": [f"arn:aws:iam::1:role/{i}{'x' * 190}" for i in range(9)]}
            ),
            [],
        ),
        (
            edited(
                GOOD, spec__monitoring={"trustedPrincipals": [f"arn:aws:iam::1:role/{i}{'x' * 200}" for i in range(9)]}
            ),
            [("spec.monitoring.trustedPrincipals", "TrustedPrincipals")],
        ),
        (edited(GOOD, spec__database={"minCapacity": 0}), [("spec.database.minCapacity", "Capacity")]),
        (edited(GOOD, spec__database={"minCapacity": 0, "global": False}), []),
        (edited(GOOD, spec__database={"minCapacity": 0.3}), [("spec.database.minCapacity", "Schema")]),
        (
            edited(
                GOOD, spec__database={"global": False, "minCapacity": 0, "engineVersion": "8.0.mysql_aurora.3.07.1"}
            ),
            [("spec.database.engineVersion", "Capacity")],
        ),
        (
            edited(GOOD, spec__database={"maxCapacity": 200, "engineVersion": "8.0.mysql_aurora.3.05.2"}),
            [("spec.database.engineVersion", "Capacity")],
        ),
        (
            edited(GOOD, spec__database={"engineVersion": "8.0.mysql_aurora.3.01.0"}),
            [("spec.database.engineVersion", "Capacity")],
        ),
        (
            edited(GOOD, spec__database={"backupWindow": "04:00-05:00"}),
            [("spec.database.backupWindow", "Windows")],
        ),
        (
            edited(GOOD, spec__database={"backupWindow": "03:00-03:29"}),
            [("spec.database.backupWindow", "Windows")],
        ),
        (
            edited(GOOD, spec__database={"maintenanceWindow": "sun:04:30-sun:04:45"}),
            [("spec.database.maintenanceWindow", "Windows")],
        ),
        (edited(GOOD, spec__database={"backupWindow": "24:00-25:00"}), [("spec.database.backupWindow", "Schema")]),
        (
            edited(GOOD, spec__database={"maintenanceWindow": "sat:23:30-day:00:30"}),
            [("spec.database.maintenanceWindow", "Schema")],
        ),
        (edited(GOOD, spec__database={"databaseName": "MySQL"}), [("spec.database.databaseName", "Reserved")]),
        (edited(GOOD, spec__database={"masterUsername": "rdsadmin"}), [("spec.database.masterUsername", "Reserved")]),
        (edited(GOOD, spec__database={"masterUsername": "a" * 17}), [("spec.database.masterUsername", "Schema")]),
        (
            edited(GOOD, spec__database={"logExports": ["audit", "error", "audit"]}),
            [("spec.database.logExports[2]", "LogExports")],
        ),
        (edited(GOOD, spec__database={"logExports": ["postgresql"]}), [("spec.database.logExports[0]", "Schema")]),
        (edited(GOOD, spec__database={"backupRetentionDays": 36}), [("spec.database.backupRetentionDays", "Schema")]),
        (edited(GOOD, spec__database={"monitoringSeconds": 0}), [("spec.database.monitoringSeconds", "Schema")]),
        (edited(GOOD, spec__database={"instances": 17}), [("spec.database.instances", "Schema")]),
        (edited(GOOD, spec__sessions={"recoveryDays": 36}), [("spec.sessions.recoveryDays", "Schema")]),
        (edited(GOOD, spec__sessions={"ttlAttribute": "a b"}), [("spec.sessions.ttlAttribute", "Schema")]),
        (edited(GOOD, spec__network={"zones": 4}), [("spec.network.zones", "Schema")]),
        (edited(GOOD, spec__network={"zone": 3}), [("spec.network.zone", "Schema")]),
        (edited(GOOD, spec__regions=None), [("spec.regions", "Schema")]),
        (edited(GOOD, spec__environment="qa"), [("spec.environment", "Schema")]),
    ],
)
def test_a_claim_is_refused_by_field_path_and_code(claim: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert [(violation.path, violation.code) for violation in judge("EnvironmentTap", claim)] == expected


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        (ALONE, []),
        (edited(ALONE, spec__region="mars-1"), [("spec.region", "RegionUnknown")]),
        (edited(ALONE, spec__cidr="10.9.0.0/24"), [("spec.cidr", "Cidr")]),
        (edited(ALONE, spec__tags={}), [("spec.tags.CostCenter", "TagMissing")]),
        (edited(ALONE, spec__state="Paused"), [("spec.state", "NotActedOn")]),
        (edited(ALONE, spec__crossplane={"resourceRefs": []}), []),
        (edited(ALONE, metadata__name="a" * 64), [("metadata.name", "Name")]),
    ],
)
def test_a_region_written_by_hand_is_held_to_the_same(region: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert [(violation.path, violation.code) for violation in judge("RegionalTap", region)] == expected


def test_every_violation_is_told_at_once() -> None:
    path = ROOT / "claims/refused/everything-at-once.yaml"
    [claim] = manifest.read(path)
    assert judge("EnvironmentTap", claim) == [
        Violation(
            "spec.primaryRegion",
            "PrimaryRegion",
            "'us-west-2' is not one of spec.regions; use one of us-east-1, us-east-2, mars-north-1",
        ),
        Violation(
            "spec.regions[1].cidr",
            "CidrOverlap",
            "10.0.128.0/17 (us-east-2) overlaps 10.0.0.0/16 (us-east-1); give each region a range of its own",
        ),
        Violation(
            "spec.regions[2].name",
            "RegionUnknown",
            "'mars-north-1' is not a region this system knows; did you mean 'eu-north-1'?",
        ),
        Violation(
            "spec.tags.CostCenter",
            "TagMissing",
            "is required on every AWS resource; add it, such as `CostCenter: platform-4200`",
        ),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"global": True}, {"global": False}),
        (None, {"global": False}),
        ({"databaseName": "shop"}, None),
        (None, {"masterUsername": "root1"}),
    ],
)
def test_what_aws_cannot_change_is_refused_wherever_the_old_value_came_from(before: Any, after: Any) -> None:
    old, new = edited(GOOD, spec__database=before), edited(GOOD, spec__database=after)
    [violation] = judge("EnvironmentTap", new, old)
    assert (violation.code, violation.path.rpartition(".")[0]) == ("Immutable", "spec.database")


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        (None, "8.0.mysql_aurora.3.10.0", False),
        (None, "8.0.mysql_aurora.3.11.0", False),
        (None, "8.0.mysql_aurora.3.9.4", True),
        ("8.0.mysql_aurora.3.11.1", "8.0.mysql_aurora.3.11.0", True),
        ("8.0.mysql_aurora.3.11.0", None, True),
    ],
)
def test_a_version_that_goes_back_is_refused_for_the_provider_ignores_it_in_silence(
    before: str | None,
    after: str | None,
    refused: bool,  # noqa: FBT001
) -> None:
    def claim(version: str | None) -> dict[str, Any]:
        return edited(GOOD, spec__database={"engineVersion": version} if version else None)

    found = [(violation.path, violation.code) for violation in judge("EnvironmentTap", claim(after), claim(before))]
    assert found == ([("spec.database.engineVersion", "EngineVersion")] if refused else [])


def test_saying_what_the_preset_says_is_no_change() -> None:
    assert judge("EnvironmentTap", edited(GOOD, spec__database={"global": True}), GOOD) == []


def test_an_old_object_of_a_shape_that_is_no_longer_legal_can_be_mended() -> None:
    assert judge("EnvironmentTap", GOOD, {"spec": {"gone": 1}}) == []


@pytest.mark.parametrize(("claim", "kind"), [(GOOD, "EnvironmentTap"), (ALONE, "RegionalTap")])
def test_an_open_api_is_allowed_and_warned_of(claim: dict[str, Any], kind: str) -> None:
    opened = edited(claim, spec__api={"authorization": "None"})
    message = "None lets anybody on the internet call the API; use AWS_IAM or JWT"
    assert judge(kind, opened) == []
    assert advise(kind, opened) == [Violation("spec.api.authorization", "OpenApi", message)]
    assert advise(kind, claim) == []


@pytest.mark.parametrize(
    ("database", "warned"),
    [
        ({"minCapacity": 4}, True),
        ({"minCapacity": 8}, False),
        ({"minCapacity": 4, "global": False}, False),
        ({"maxCapacity": 64}, False),
    ],
)
def test_a_low_floor_in_a_global_database_is_allowed_and_warned_of_05_trap_7(
    database: dict[str, Any],
    warned: bool,  # noqa: FBT001
) -> None:
    claim = edited(GOOD, spec__database=database)
    message = "AWS advises 8 ACU or more in a global database, or replicas fall behind; 4 is less"
    assert judge("EnvironmentTap", claim) == []
    expected = [Violation("spec.database.minCapacity", "GlobalCapacity", message)] if warned else []
    assert advise("EnvironmentTap", claim) == expected


def test_the_floor_of_a_preset_is_not_warned_of() -> None:
    assert advise("EnvironmentTap", edited(GOOD, spec__environment="staging")) == []


@pytest.mark.parametrize("claim", [{}, {"spec": None}, {"spec": {"api": "None"}}])
def test_what_is_refused_for_its_shape_is_not_advised_on(claim: dict[str, Any]) -> None:
    assert advise("EnvironmentTap", claim) == []


@pytest.mark.parametrize("prefix", ["xn--", "sthree-", "amzn-s3-demo-"])
def test_a_name_that_no_bucket_may_have_is_refused(prefix: str) -> None:
    found = judge("RegionalTap", edited(ALONE, metadata__name=f"{prefix}a"))
    assert [(violation.path, violation.code) for violation in found] == [("metadata.name", "Name")]


def test_each_rule_has_a_code_of_its_own() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(GOOD["spec"])), JSON)
def test_hostile_fields_are_judged_without_an_error(field: str, value: Any) -> None:
    claim = edited(GOOD)
    claim["spec"][field] = value
    assert all(str(violation).count("\n") == 0 for violation in judge("EnvironmentTap", claim))


@given(JSON)
def test_a_hostile_spec_is_refused_without_an_error(spec: Any) -> None:
    assert judge("RegionalTap", {"metadata": {"name": "x"}, "spec": spec})
