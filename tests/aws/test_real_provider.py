"""The real provider-aws on a real control plane; behind it moto, in place of AWS.

What becomes of every kind is in two tables, with moto's reason: what it cannot make, and what it does not keep, so that
the provider sets it in every pass. Nothing else may be unready, and nothing else may loop.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws.account import Account
from cluster.world import World
from tap_api.base import Json
from tap_api.kinds import PARTS, REGIONAL_TAP
from tap_cluster import moto

CLAIMS = Path(__file__).parents[2] / "claims"
ALONE, HOME = "alone", "eu-west-1"
REGIONS = ["us-east-1", "us-east-2", "eu-west-1"]
CONFIG = {"kind": "ClusterProviderConfig", "name": moto.CONFIG}
#: Seconds in which the provider looks at every resource again.
POLL = 70

#: Kind -> what the provider says of it, and why: moto cannot make it.
NOT_MADE = {
    "MetricAlarm": ("404", "the provider speaks CBOR to CloudWatch, and moto does not"),
    "Dashboard": ("404", "as MetricAlarm"),
}
#: Kind -> why the provider finds it different in every pass: moto does not keep a field that AWS keeps.
NOT_KEPT: dict[str, str] = {}


@pytest.fixture(scope="module")
def alone(world: World, account: Account) -> Iterator[World]:
    """A region that stands alone, as far as moto goes; at the end nothing is left of it."""
    before = account.holds(HOME)
    world.apply(
        {
            "apiVersion": "tap.platform/v1alpha1",
            "kind": "RegionalTap",
            "metadata": {"name": ALONE},
            "spec": {
                "environment": "dev",
                "region": HOME,
                "cidr": "10.9.0.0/16",
                "tags": {"CostCenter": "platform-4200"},
                "protection": False,
                "storage": {"forceDestroy": True},
                "providerConfigRef": CONFIG,
            },
        }
    )
    made(world)
    yield world
    world.kubectl("delete", "rtap", ALONE, "--timeout=240s")
    world.until(lambda: not managed(world), "every managed resource is gone", 60)
    assert account.holds(HOME) == before


def managed(world: World) -> list[Json]:
    found: list[Json] = json.loads(world.kubectl("get", "managed", "-o", "json"))["items"]
    return found


def name(resource: Json) -> str:
    return f"{resource['kind']} {resource['metadata']['name']}"


def status(resource: Json, type_: str) -> str:
    conditions = resource.get("status", {}).get("conditions", [])
    return next((str(one["status"]) for one in conditions if one["type"] == type_), "")


def said(resource: Json) -> str:
    conditions = resource.get("status", {}).get("conditions", [])
    return "; ".join(f"{one['type']}: {one['message']}" for one in conditions if one.get("message"))


def failing(resources: list[Json]) -> list[str]:
    """Returns what is not made though moto has it, and what the provider says of it."""
    return [
        f"{name(one)}: {said(one)}"
        for one in resources
        if one["kind"] not in NOT_MADE and not status(one, "Ready") == status(one, "Synced") == "True"
    ]


def made(world: World, seconds: float = 300) -> None:
    """Waits until all is made that can be."""
    deadline = time.monotonic() + seconds
    while True:
        resources = managed(world)
        waiting = [
            f"{part['metadata']['name']} {one['key']}: {one['source']}"
            for kind in (REGIONAL_TAP, *PARTS)
            for part in world.objects(kind.plural)
            for one in part.get("status", {}).get("waiting", [])
        ]
        missing = [*failing(resources), *waiting]
        if resources and not missing:
            return
        assert time.monotonic() < deadline, f"not made within {seconds:g} s:\n" + "\n".join(missing)
        time.sleep(3)


def test_every_resource_is_made_but_for_what_moto_does_not_have(alone: World) -> None:
    unmade = [one for one in managed(alone) if status(one, "Ready") != "True"]
    assert {one["kind"] for one in unmade} == set(NOT_MADE)
    for one in unmade:
        assert re.search(NOT_MADE[one["kind"]][0], said(one)), name(one)


def test_the_outputs_are_what_moto_made(alone: World, account: Account) -> None:
    outputs = alone.get("regionaltaps", ALONE)["status"]["outputs"]

    def of(service: str) -> Any:
        return account.client(service, HOME)

    [vpc] = of("ec2").describe_vpcs(VpcIds=[outputs["vpcId"]])["Vpcs"]
    assert vpc["CidrBlock"] == "10.9.0.0/16"
    assert of("s3").get_bucket_versioning(Bucket=outputs["bucketName"])["Status"] == "Enabled"
    function, _, alias = outputs["lambdaArn"].rpartition(":")
    live = of("lambda").get_alias(FunctionName=function.rpartition(":")[2], Name=alias)
    assert live["AliasArn"] == outputs["lambdaArn"]
    clusters = of("rds").describe_db_clusters()["DBClusters"]
    assert (outputs["clusterEndpoint"], outputs["readerEndpoint"]) in {
        (cluster["Endpoint"], cluster["ReaderEndpoint"]) for cluster in clusters
    }
    assert of("dynamodb").describe_table(TableName=outputs["tableName"])["Table"]["TableStatus"] == "ACTIVE"
    assert outputs["apiEndpoint"] in {api["ApiEndpoint"] for api in of("apigatewayv2").get_apis()["Items"]}
    assert of("kms").describe_key(KeyId=outputs["keyArn"])["KeyMetadata"]["Enabled"]
