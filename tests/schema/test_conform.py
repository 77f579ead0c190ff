"""What `tap validate` holds composed resources against, beside the provider's own CRDs and another validator."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crds import Schema
from golden.world import Environment, claims, environment_tap
from tap_api import manifest
from tap_api.base import GROUP, Json
from tap_cli import validate
from tap_stack import conform
from tap_stack.conform import SILENT, WORDS, conforms
from tap_stack.plan import State, rendered
from tap_stack.schemas import schemas
from tap_stack.values import Unknown

CLAIM = Path(__file__).parents[2] / "claims" / "dev.yaml"


@pytest.fixture(scope="module")
def resources() -> list[Json]:
    """Every resource of an environment that has settled."""
    turned = Environment("prod").settle()
    found = [item.manifest for region in turned.values() for _, composed in region for item in composed.resources]
    return [item for item in found if not item["apiVersion"].startswith(GROUP)]


def words(node: Any) -> set[str]:
    """Returns every word of a schema; names of fields are none."""
    if isinstance(node, list):
        return {word for item in node for word in words(item)}
    if not isinstance(node, dict):
        return set()
    found = set(node)
    for key, item in node.items():
        found |= {word for field in item.values() for word in words(field)} if key == "properties" else words(item)
    return found


def test_every_word_of_the_packed_schemas_is_understood() -> None:
    assert {word for schema in schemas().values() for word in words(schema.for_provider)} == WORDS | SILENT


def test_what_the_provider_needs_is_what_its_cel_asks_for(schemas: dict[tuple[str, str], Schema]) -> None:
    from tap_stack.schemas import schemas as packed

    known = packed()
    for (version, kind), schema in schemas.items():
        assert list(known[version.partition("/")[0], kind].needs) == schema.required


@pytest.mark.parametrize("claim", claims())
def test_all_that_a_claim_composes_conforms_from_nothing_and_once_it_has_settled(
    claim: str, resources: list[Json]
) -> None:
    made = [item.manifest for item in rendered(environment_tap(claim), State())]
    in_aws = [item for item in made if not item["apiVersion"].startswith(GROUP)]
    assert len(in_aws) > 50
    assert [(item["metadata"]["name"], fault) for item in (*in_aws, *resources) for fault in conforms(item)] == []


def broken(field: str, value: Any) -> Any:
    def change(given: Json) -> None:
        if value is None:
            given.pop(field)
        else:
            given[field] = value

    return change


@pytest.mark.parametrize(
    ("kind", "change", "fault"),
    [
        ("VPC", broken("cidrBlock", 7), ("spec.forProvider.cidrBlock", "7 is not of type string")),
        (
            "VPC",
            broken("enableDnsSupport", "yes"),
            ("spec.forProvider.enableDnsSupport", "'yes' is not of type boolean"),
        ),
        ("VPC", broken("colour", "red"), ("spec.forProvider.colour", "is no field of it")),
        ("VPC", broken("tags", {"a": 1}), ("spec.forProvider.tags.a", "1 is not of type string")),
        ("VPC", broken("region", None), ("spec.forProvider.region", "is missing")),
        ("Function", broken("timeout", "soon"), ("spec.forProvider.timeout", "'soon' is not of type number")),
        (
            "Function",
            broken("vpcConfig", {"subnetIdRefs": [{}]}),
            ("spec.forProvider.vpcConfig.subnetIdRefs[0].name", "is missing"),
        ),
        ("Cluster", broken("engine", None), ("spec.forProvider.engine", "is missing")),
    ],
)
def test_what_the_crd_refuses_is_found_and_the_crd_itself_agrees(
    kind: str, change: Any, fault: tuple[str, str], resources: list[Json], schemas: dict[tuple[str, str], Schema]
) -> None:
    resource = deepcopy(next(item for item in resources if item["kind"] == kind))
    change(resource["spec"]["forProvider"])
    assert list(conforms(resource)) == [fault]
    assert schemas[resource["apiVersion"], kind].faults(resource)


def test_what_is_known_only_later_is_taken_for_good() -> None:
    resource = {
        "apiVersion": "ec2.aws.m.upbound.io/v1beta1",
        "kind": "VPC",
        "spec": {"forProvider": {"cidrBlock": Unknown("x"), "region": "r"}},
    }
    assert list(conforms(resource)) == []


def test_a_kind_that_is_not_known_is_found() -> None:
    resource = {"apiVersion": "ec2.aws.m.upbound.io/v1beta1", "kind": "Mars", "spec": {}}
    assert list(conforms(resource)) == [
        ("kind", "Mars of ec2.aws.m.upbound.io is no kind of the provider's that is known here")
    ]


def test_a_fault_of_what_is_composed_is_a_finding_of_the_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours to mend, for policy let it pass: the claim, the region and the resource are named."""
    schema = schemas()["ec2.aws.m.upbound.io", "VPC"]
    properties = {**schema.for_provider["properties"], "cidrBlock": {"type": "integer"}}
    changed = {
        **schemas(),
        ("ec2.aws.m.upbound.io", "VPC"): type(schema)({**schema.for_provider, "properties": properties}, ()),
    }
    monkeypatch.setattr(conform, "schemas", lambda: changed)
    done = CliRunner().invoke(validate.command, [str(CLAIM)], standalone_mode=False)
    [claim] = manifest.read(CLAIM)
    regions = [(region["name"], region["cidr"]) for region in claim["spec"]["regions"]]
    line = CLAIM.read_text().splitlines().index("spec:") + 1
    assert done.output.splitlines() == [
        *(
            f"{CLAIM}:{line}:spec: {name}: VPC dev-{name}-network-vpc: spec.forProvider.cidrBlock {cidr!r} is not of type integer (Composed)"
            for name, cidr in regions
        ),
        f"1 file, {len(regions)} problem{'s' if len(regions) > 1 else ''}",
    ]
