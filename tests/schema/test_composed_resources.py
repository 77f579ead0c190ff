"""Whatever is composed is valid against the CRDs that will receive it, unknown fields included."""

from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crds import Schema, faults
from golden.world import Environment, World, claims, regional_tap
from tap_api import emit as api
from tap_api import manifest
from tap_api.base import API_VERSION, Json
from tap_api.regions import ZONES
from tap_stack import emit

Schemas = dict[tuple[str, str], Schema]
ROOT = Path(__file__).resolve().parents[2]
LOG_RETENTION = [
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
]


@pytest.mark.parametrize(
    ("claim", "chosen"), [*((claim, {}) for claim in claims()), ("prod", {"monitoring": {"trail": "Create"}})]
)
def test_every_resource_of_every_claim_is_valid_in_every_wave(
    claim: str, chosen: Json, schemas: Schemas, ours: Schemas
) -> None:
    environment = Environment(claim, **chosen)
    for _ in range(10):
        # All at once: the regions of an environment share a namespace, and most of them an account.
        turned = [composing for region in environment.turn().values() for composing in region]
        assert list(faults(turned, {**schemas, **ours})) == []
        for world in environment.worlds.values():
            assert ours[API_VERSION, "RegionalTap"].faults({"spec": world.tap["spec"]}) == []


def test_the_status_of_every_xr_is_one_that_its_schema_takes(ours: Schemas) -> None:
    for xr, composed in (composing for turned in Environment("prod").settle().values() for composing in turned):
        # Conditions are Crossplane's own part of the schema.
        assert ours[API_VERSION, xr["kind"]].faults({"spec": xr["spec"], "status": composed.status}) == []


def specs() -> st.SearchStrategy[Json]:
    """Every RegionalTap spec that policy admits, as far as the key and the network look at it."""
    ranges = st.tuples(st.integers(0, 2**24 - 1), st.integers(16, 23))
    return st.fixed_dictionaries(
        {
            "region": st.sampled_from(sorted(ZONES)),
            "environment": st.sampled_from(["dev", "staging", "prod"]),
            "cidr": ranges.map(lambda drawn: str(IPv4Network(((10 << 24) + drawn[0], drawn[1]), strict=False))),
            "protection": st.booleans(),
            "network": st.fixed_dictionaries(
                {
                    "zones": st.integers(2, 3),
                    "nat": st.sampled_from(["Single", "PerZone"]),
                    "flowLogs": st.fixed_dictionaries(
                        {
                            "retentionDays": st.sampled_from(LOG_RETENTION),
                            "aggregationSeconds": st.sampled_from([60, 600]),
                        }
                    ),
                }
            ),
        },
        optional={
            "permissionsBoundary": st.just("arn:aws:iam::123456789012:policy/boundary"),
            "providerConfigRef": st.just({"kind": "ClusterProviderConfig", "name": "mine"}),
            "environmentRef": st.just({"name": "e" * 24}),
        },
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(specs(), st.from_regex(r"\A[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z"))
def test_every_spec_that_policy_admits_composes_valid_resources_with_names_of_their_own(
    schemas: Schemas, ours: Schemas, spec: Json, name: str
) -> None:
    tap = {
        "apiVersion": API_VERSION,
        "kind": "RegionalTap",
        "metadata": {"name": name, "namespace": "tap-x"},
        "spec": {**spec, "tags": {"CostCenter": "1"}},
    }
    world = World(tap)
    for _ in range(4):
        assert list(faults(world.turn(), {**schemas, **ours})) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"colour": "red"}, "Additional properties are not allowed ('colour' was unexpected)"),
        ({"cidrBlock": 7}, 'spec.forProvider.cidrBlock: 7 is not of type "string"'),
    ],
)
def test_a_resource_that_is_not_valid_would_be_seen(schemas: Schemas, change: Json, fault: str) -> None:
    turned = World(regional_tap("prod", "us-east-1")).turn()
    (vpc,) = (item for _, composed in turned for item in composed.resources if item.key == "vpc")
    vpc.manifest["spec"]["forProvider"].update(change)
    schema = schemas[vpc.manifest["apiVersion"], vpc.manifest["kind"]]
    assert any(fault in found for found in schema.faults(vpc.manifest))


def test_a_field_that_only_cel_requires_would_be_missed_by_nobody(schemas: Schemas) -> None:
    rule = schemas["ec2.aws.m.upbound.io/v1beta1", "SecurityGroupIngressRule"]
    assert rule.required == ["ipProtocol"]
    assert "spec.forProvider.ipProtocol is missing" in rule.faults({"spec": {"forProvider": {}}})


def test_the_catalogue_is_what_the_crds_say(crds: Path) -> None:
    texts = ((path, path.read_text(encoding="utf-8")) for path in sorted(crds.glob("*.aws.m.upbound.io_*.yaml")))
    found = [crd for path, text in texts if emit.is_composed(text) for crd in manifest.load(text, path)]
    api.check(emit.catalogue_file(found), ROOT)
