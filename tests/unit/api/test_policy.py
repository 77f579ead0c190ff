from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_cases import ALONE, GOOD, edited
from tap_api import manifest
from tap_api.policy import Violation, advise, judge

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("path", sorted((ROOT / "claims").glob("*.yaml")), ids=lambda path: path.name)
def test_the_claims_pass(path: Path) -> None:
    assert [judge(d["kind"], d) for d in manifest.read(path)] == [[]]


@pytest.mark.parametrize("path", sorted((ROOT / "claims/refused").glob("*.yaml")), ids=lambda path: path.name)
def test_the_claims_that_show_a_refusal_are_refused(path: Path) -> None:
    assert all(judge(d["kind"], d) for d in manifest.read(path))


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


def test_what_stands_beside_a_spec_is_judged_as_strictly_as_the_spec() -> None:
    head = {"metadata": {"name": "prod", "namespce": "a", "namespace": "A b", "labels": ["a"], "annotations": {"a": 1}}}
    found = judge("EnvironmentTap", {**GOOD, **head, "specs": {}, "spec": {**GOOD["spec"], "xdatabase": {}}})
    assert [(violation.path, violation.message) for violation in found] == [
        ("metadata.annotations.a", "must be text, so quote it; got 1"),
        ("metadata.labels", "must be an object of texts; got ['a']"),
        (
            "metadata.namespace",
            "'A b' is no namespace; use lower-case letters, digits and hyphens, at most 63",
        ),
        ("metadata.namespce", "is not a field of this kind; check its spelling; did you mean namespace?"),
        ("spec.xdatabase", "is not a field of this kind; check its spelling; did you mean database?"),
        ("specs", "is not a field of this kind; check its spelling; did you mean spec?"),
    ]


@pytest.mark.parametrize(
    ("spec", "path", "said"),
    [
        ({"network": []}, "spec.network", "must be an object; got []"),
        ({"regions": None}, "spec.regions", "must be a list; got null"),
        ({"regions": []}, "spec.regions", "must have at least 1 items; got []"),
        ({"tags": {"a": 5}}, "spec.tags.a", "must be text, so quote it; got 5"),
        ({"tags": {"a": ["b"]}}, "spec.tags.a", "must be text; got ['b']"),
        ({"protection": "yes"}, "spec.protection", "must be true or false; got 'yes'"),
        ({"processor": {"memoryMb": 1.5}}, "spec.processor.memoryMb", "must be a whole number; got 1.5"),
        ({"database": {"minCapacity": "a"}}, "spec.database.minCapacity", "must be a number; got 'a'"),
        ({"network": {"zones": 9}}, "spec.network.zones", "must be at most 3; got 9"),
        ({"drift": "x"}, "spec.drift", "must be 'Repair' or 'Report'; got 'x'"),
    ],
)
def test_a_fault_of_shape_is_told_in_the_words_of_yaml(spec: Any, path: str, said: str) -> None:
    found = {violation.path: violation for violation in judge("EnvironmentTap", {**GOOD, "spec": GOOD["spec"] | spec})}
    assert found[path].message == said


@pytest.mark.parametrize(
    ("spec", "path", "meant"),
    [
        ({"network": {"zons": 2}}, "spec.network.zons", "; did you mean zones?"),
        ({"regions": [{"name": "us-east-1", "cidr": "10.0.0.0/16", "stat": 1}]}, "spec.regions[0].stat", "state?"),
        ({"tags": {"a": {"b": 1}}}, "spec.tags.a", ""),
        ({"zzz": 1}, "spec.zzz", "is not a field of this kind; check its spelling"),
    ],
)
def test_a_field_that_is_misspelled_is_told_with_the_one_that_is_meant(spec: Any, path: str, meant: str) -> None:
    found = {violation.path: violation for violation in judge("EnvironmentTap", {**GOOD, "spec": GOOD["spec"] | spec})}
    assert found[path].message.endswith(meant)


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
