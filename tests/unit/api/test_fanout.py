from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tap_api import manifest
from tap_api.base import API_VERSION, Json
from tap_api.fanout import fan_out, is_controlled
from tap_api.kinds import RegionalTapSpec
from tap_api.policy import judge

ROOT = Path(__file__).parents[3]
ARN = "arn:aws:kms:{}:123456789012:key/1"
PROD: Json = {
    "metadata": {"name": "prod", "namespace": "tap-prod", "uid": "u1"},
    "spec": {
        "environment": "prod",
        "primaryRegion": "us-east-1",
        "tags": {"Team": "a", "CostCenter": "platform-4200"},
        "regions": [
            {"name": "us-east-1", "cidr": "10.0.0.0/16"},
            {"name": "us-east-2", "cidr": "10.1.0.0/16"},
            {"name": "eu-west-1", "cidr": "10.2.0.0/16"},
        ],
    },
}


def edited(**spec: Any) -> Json:
    made = deepcopy(PROD)
    made["spec"].update(spec)
    return made


def tap(uid: str = "u1", facts: Json | None = None, key_arn: str | None = None) -> Json:
    return {
        "metadata": {"ownerReferences": [{"kind": "EnvironmentTap", "name": "prod", "uid": uid, "controller": True}]},
        "spec": {"facts": facts} if facts else {},
        **({"status": {"outputs": {"keyArn": key_arn}}} if key_arn else {}),
    }


def facts(observed: dict[str, Json], environment_tap: Json = PROD) -> dict[str, Json | None]:
    return {made["spec"]["region"]: made["spec"].get("facts") for made in fan_out(environment_tap, observed)}


def test_a_region_is_one_regionaltap_whole() -> None:
    made = fan_out(edited(regions=PROD["spec"]["regions"][:1], database={"maxCapacity": 16}), {})
    assert [list(made[0]), list(made[0]["metadata"]), made[0]["metadata"]] == [
        ["apiVersion", "kind", "metadata", "spec"],
        ["name", "namespace", "labels", "ownerReferences"],
        {
            "name": "prod-us-east-1",
            "namespace": "tap-prod",
            "labels": {
                "tap.platform/environment": "prod",
                "tap.platform/environmenttap": "prod",
                "tap.platform/region": "us-east-1",
            },
            "ownerReferences": [
                {
                    "apiVersion": API_VERSION,
                    "kind": "EnvironmentTap",
                    "name": "prod",
                    "uid": "u1",
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
    ]
    spec = made[0]["spec"]
    sections = ("network", "database", "sessions", "storage", "processor", "api", "monitoring")
    assert {key: value for key, value in spec.items() if key not in sections} == {
        "environment": "prod",
        "environmentRef": {"name": "prod"},
        "region": "us-east-1",
        "role": "Primary",
        "cidr": "10.0.0.0/16",
        "tags": {"CostCenter": "platform-4200", "Team": "a"},
        "drift": "Repair",
        "state": "Present",
        "protection": True,
    }
    assert (spec["network"]["nat"], spec["database"]["global"], spec["database"]["maxCapacity"]) == (
        "PerZone",
        True,
        16,
    )


def test_what_the_claim_says_beside_its_sections_is_passed_on() -> None:
    said = {
        "peeringGroup": "shared",
        "providerConfigRef": {"kind": "ClusterProviderConfig", "name": "aws"},
        "permissionsBoundary": "arn:aws:iam::123456789012:policy/boundary",
    }
    for made in fan_out(edited(**said), {}):
        assert {key: made["spec"][key] for key in said} == said


def test_every_claim_fans_out_to_what_the_xrd_takes() -> None:
    for path in sorted(ROOT.joinpath("claims").glob("*.yaml")):
        for claim in manifest.read(path):
            claim["metadata"]["uid"] = "u1"
            made = fan_out(claim, {})
            assert [m["spec"]["region"] for m in made] == [region["name"] for region in claim["spec"]["regions"]]
            for regional_tap in made:
                assert judge("RegionalTap", regional_tap) == []
                assert "None" not in str(regional_tap)
                RegionalTapSpec.parse(regional_tap["spec"])


def test_roles_follow_the_primary_region() -> None:
    made = fan_out(edited(primaryRegion="eu-west-1"), {})
    assert [m["spec"]["role"] for m in made] == ["Secondary", "Secondary", "Primary"]


def test_the_order_of_keys_and_regions_does_not_depend_on_what_is_observed() -> None:
    observed = {region: tap(key_arn=ARN.format(region)) for region in ("eu-west-1", "us-east-2", "us-east-1")}
    texts = {manifest.dump(fan_out(PROD, dict(sorted(observed.items(), reverse=reverse)))) for reverse in (True, False)}
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("observed", "replicas"),
    [
        pytest.param({}, [{"region": "eu-west-1"}, {"region": "us-east-2"}], id="nothing is known"),
        pytest.param(
            {"us-east-2": tap(key_arn=ARN.format("us-east-2"))},
            [{"region": "eu-west-1"}, {"region": "us-east-2", "keyArn": ARN.format("us-east-2")}],
            id="a status tells",
        ),
        pytest.param(
            {
                "us-east-1": tap(facts={"replicas": [{"region": "us-east-2", "keyArn": ARN.format("us-east-2")}]}),
                "us-east-2": tap(),
            },
            [{"region": "eu-west-1"}, {"region": "us-east-2", "keyArn": ARN.format("us-east-2")}],
            id="a status was lost",
        ),
        pytest.param(
            {
                "us-east-1": tap(facts={"replicas": [{"region": "us-east-2", "keyArn": ARN.format("old")}]}),
                "us-east-2": tap(key_arn=ARN.format("us-east-2")),
            },
            [{"region": "eu-west-1"}, {"region": "us-east-2", "keyArn": ARN.format("us-east-2")}],
            id="a status tells anew",
        ),
        pytest.param(
            {"us-east-1": tap(facts={"replicas": [{"region": "sa-east-1", "keyArn": ARN.format("sa-east-1")}]})},
            [{"region": "eu-west-1"}, {"region": "us-east-2"}],
            id="a region has left",
        ),
        pytest.param(
            {"us-east-2": tap(uid="another", key_arn=ARN.format("us-east-2"))},
            [{"region": "eu-west-1"}, {"region": "us-east-2"}],
            id="a namesake tells nothing",
        ),
        pytest.param(
            {"us-east-2": tap(key_arn="pending")},
            [{"region": "eu-west-1"}, {"region": "us-east-2"}],
            id="what is no ARN is no fact",
        ),
    ],
)
def test_the_primary_learns_the_keys_of_the_secondaries(observed: dict[str, Json], replicas: list[Json]) -> None:
    assert facts(observed) == {"us-east-1": {"replicas": replicas}, "us-east-2": None, "eu-west-1": None}


GLOBAL = {"identifier": "g", "engineVersion": "8.0.mysql_aurora.3.10.0", "region": "us-east-1"}
TABLE = "arn:aws:dynamodb:us-east-2:123456789012:table/t"


def telling(**told: Any) -> Json:
    """Returns a RegionalTap whose status tells facts."""
    return {**tap(), "status": {"facts": told}}


@pytest.mark.parametrize(
    ("observed", "known"),
    [
        pytest.param({"us-east-1": telling(globalCluster=GLOBAL)}, {"globalCluster": GLOBAL}, id="the writer is up"),
        pytest.param(
            {
                "us-east-1": telling(globalCluster={**GLOBAL, "engineVersion": "new"}),
                "us-east-2": tap(facts={"globalCluster": GLOBAL}),
            },
            {"globalCluster": {**GLOBAL, "engineVersion": "new"}},
            id="it was upgraded",
        ),
        pytest.param(
            {"us-east-1": telling(sessionsReplicas=[{"region": "us-east-2", "arn": TABLE}])},
            {"sessionsTable": {"arn": TABLE}},
            id="the replica is there",
        ),
        pytest.param(
            {"us-east-1": telling(sessionsReplicas=[{"region": "eu-west-1", "arn": TABLE}])},
            None,
            id="another one is there",
        ),
        pytest.param(
            {"us-east-1": telling(sessionsReplicas=[]), "us-east-2": tap(facts={"sessionsTable": {"arn": TABLE}})},
            {"sessionsTable": {"arn": TABLE}},
            id="a replica is gone and its region is not",
        ),
        pytest.param(
            {"us-east-1": tap(), "us-east-2": tap(facts={"globalCluster": GLOBAL, "sessionsTable": {"arn": TABLE}})},
            {"globalCluster": GLOBAL, "sessionsTable": {"arn": TABLE}},
            id="a status was lost",
        ),
        pytest.param(
            {"us-east-1": {**telling(globalCluster=GLOBAL), "metadata": {}}}, None, id="a namesake tells nothing"
        ),
        pytest.param({"eu-west-1": telling(globalCluster=GLOBAL)}, None, id="only the primary tells"),
        pytest.param({"us-east-1": telling(globalCluster={"identifier": "g"})}, None, id="half a fact is none"),
        pytest.param(
            {"us-east-1": telling(globalCluster=GLOBAL, ofANewerVersion=1)},
            {"globalCluster": GLOBAL},
            id="a newer version tells more",
        ),
        pytest.param({"us-east-1": telling(sessionsReplicas=[{"region": "us-east-2"}])}, None, id="without an ARN"),
        pytest.param({"us-east-1": {**tap(), "status": {"facts": None}}}, None, id="nothing"),
    ],
)
def test_a_secondary_learns_what_the_primary_tells(observed: dict[str, Json], known: Json | None) -> None:
    assert facts(observed)["us-east-2"] == known


def test_a_fact_once_written_is_carried_over() -> None:
    written = {
        "globalCluster": {"identifier": "g", "engineVersion": "8.0.mysql_aurora.3.10.0", "region": "us-east-1"},
        "sessionsTable": {"arn": "arn:aws:dynamodb:us-east-2:123456789012:table/t"},
    }
    assert facts({"us-east-2": tap(facts=written)})["us-east-2"] == written


def test_an_environment_of_one_region_has_no_facts() -> None:
    assert facts({}, edited(regions=PROD["spec"]["regions"][:1])) == {"us-east-1": None}


def test_a_spec_that_is_no_claim_is_an_error() -> None:
    with pytest.raises(ValidationError):
        fan_out(edited(regions=[]), {})


@pytest.mark.parametrize(
    ("owners", "controlled"),
    [
        ([], False),
        (None, False),
        ([{"uid": "u1"}], False),
        ([{"uid": "u1", "controller": False}], False),
        ([{"uid": "u2", "controller": True}], False),
        ([{"uid": "u2"}, {"uid": "u1", "controller": True}], True),
    ],
)
def test_only_the_controller_of_that_uid_controls(owners: list[Json] | None, controlled: bool) -> None:  # noqa: FBT001
    assert is_controlled({"metadata": {"ownerReferences": owners}}, "u1") is controlled


def states(environment_tap: Json, observed: dict[str, Json]) -> dict[str, str]:
    return {made["spec"]["region"]: made["spec"]["state"] for made in fan_out(environment_tap, observed)}


def with_states(**wanted: str) -> Json:
    regions = [
        {**region, "state": wanted.get(region["name"].replace("-", "_"), "Present")}
        for region in PROD["spec"]["regions"]
    ]
    return edited(regions=regions)


def test_a_paused_region_says_so_and_an_absent_one_is_not_fanned_out() -> None:
    claim = with_states(us_east_2="Paused", eu_west_1="Absent")
    assert states(claim, {}) == {"us-east-1": "Present", "us-east-2": "Paused"}
    replicas = facts({}, claim)["us-east-1"]
    assert replicas == {"replicas": [{"region": "us-east-2"}]}


def test_the_primary_is_not_paused_before_the_last_of_its_replicas_is_gone() -> None:
    claim = with_states(us_east_1="Paused", us_east_2="Absent", eu_west_1="Absent")
    assert states(claim, {"us-east-1": tap(), "us-east-2": tap()}) == {"us-east-1": "Present"}
    assert states(claim, {"us-east-1": tap(), "us-east-2": tap(uid="another")}) == {"us-east-1": "Paused"}
