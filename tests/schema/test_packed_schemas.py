"""What is packed with the code is what the provider's module says, and says enough of what is composed."""

from pathlib import Path

import pytest

import forcenew
from golden.world import Environment
from tap_api import emit as api
from tap_api import manifest
from tap_api.base import GROUP
from tap_stack import emit
from tap_stack.catalogue import Entry, catalogue
from tap_stack.schemas import schemas

ROOT = Path(__file__).resolve().parents[2]
#: Fields that AWS cannot change in place, as its own documentation has them, and some that it can.
REPLACED = {
    "VPC": ["cidrBlock"],
    "Subnet": ["cidrBlock", "availabilityZone", "vpcId", "vpcIdRef"],
    "RouteTable": ["vpcIdRef"],
    "FlowLog": ["maxAggregationInterval", "logDestination"],
    "Cluster": ["kmsKeyId", "masterUsername", "databaseName", "dbSubnetGroupNameRef"],
    "Table": ["hashKey"],
    "SecurityGroupEgressRule": ["securityGroupIdRef"],
}
CHANGED = {
    "Subnet": ["mapPublicIpOnLaunch", "tags"],
    "VPC": ["enableDnsHostnames"],
    "Cluster": ["backupRetentionPeriod", "vpcSecurityGroupIdRefs"],
    "Function": ["memorySize", "vpcConfig.subnetIdRefs"],
    "SecurityGroupEgressRule": ["fromPort"],
}


def test_the_packed_schemas_are_what_the_provider_says(crds: Path) -> None:
    """What AWS replaces is held too where the Terraform provider is in the module cache: a gigabyte, fetched by nobody."""
    source = forcenew.sources(crds)

    def packed(entry: Entry) -> list[str]:
        return list(schemas()[entry.group, entry.kind].replaces)

    replaces = source.fields if source else packed
    files = [crds / f"{entry.group}_{entry.plural}.yaml" for entry in catalogue().values()]
    found = [crd for path in files for crd in manifest.read(path)]
    api.check(emit.schemas_file(found, replaces), ROOT)


def test_every_field_that_is_composed_is_in_a_packed_schema() -> None:
    turned = [composing for region in Environment("prod").settle().values() for composing in region]
    for _, composed in turned:
        for item in composed.resources:
            group, kind = item.manifest["apiVersion"].partition("/")[0], item.manifest["kind"]
            if group != GROUP:
                known = schemas()[group, kind].for_provider["properties"]
                assert set(item.manifest["spec"]["forProvider"]) <= set(known)


@pytest.mark.parametrize("kind", sorted({*REPLACED, *CHANGED}))
def test_what_aws_replaces_is_told_from_what_it_changes(kind: str) -> None:
    schema = next(found for (_, name), found in schemas().items() if name == kind)
    told = {field: schema.is_replaced(field) for field in (*REPLACED.get(kind, ()), *CHANGED.get(kind, ()))}
    assert told == {**dict.fromkeys(REPLACED.get(kind, ()), True), **dict.fromkeys(CHANGED.get(kind, ()), False)}


def test_a_list_whose_order_says_nothing_is_told_from_one_whose_order_does() -> None:
    cluster = schemas()["rds.aws.m.upbound.io", "Cluster"]
    function = schemas()["lambda.aws.m.upbound.io", "Function"]
    assert cluster.is_set("enabledCloudwatchLogsExports")
    assert not function.is_set("architectures")
    assert not cluster.is_set("no.such.field")


def test_the_file_is_small() -> None:
    assert (ROOT / emit.SCHEMAS).stat().st_size < 200_000
