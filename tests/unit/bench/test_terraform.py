"""What the peer of the benchmark is asked for: the plan's own resources, under Terraform's names."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import terraform

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def asked() -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "tap_cli", "plan", "claims/prod.yaml", "-o", "json"]
    [plan] = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=False).stdout)["plans"]
    found = {one["name"]: one for one in terraform.resources(plan["changes"])}
    # But for the table's replicas, which their regions only look at.
    assert len(found) == plan["summary"]["create"] - 2
    return found


def test_each_resource_is_one_of_terraform_in_its_region(asked: dict[str, dict[str, Any]]) -> None:
    assert {one["region"] for one in asked.values()} == {"us-east-1", "us-east-2", "eu-west-1"}
    assert {one["type"] for one in asked.values()} == {kind for kind, _ in terraform.KINDS.values()}


def test_references_and_names_are_those_of_terraform(asked: dict[str, dict[str, Any]]) -> None:
    subnet = asked["prod-us-east-1-network-private-a"]["arguments"]
    assert subnet["vpc_id"] == "${aws_vpc.prod-us-east-1-network-vpc.id}"
    assert subnet["map_public_ip_on_launch"] is False
    assert subnet["tags"]["CostCenter"] == "platform-4200"
    group = asked["prod-us-east-1-database-subnet-group"]["arguments"]
    assert group["name"].startswith("prod-us-east-1-database-")
    assert group["subnet_ids"] == [
        f"${{aws_subnet.prod-us-east-1-network-database-{zone}.id}}" for zone in ("a", "b", "c")
    ]


def test_what_a_plan_does_not_know_yet_is_a_reference(asked: dict[str, dict[str, Any]]) -> None:
    key = "${aws_kms_key.prod-us-east-1-key.id}"
    assert asked["prod-us-east-1-storage-data-bucket"]["arguments"]["bucket"] == key
    function = asked["prod-us-east-1-processor-function"]["arguments"]
    assert (function["s3_key"], function["handler"]) == (key, "processor.handler")
    assert function["environment"]["variables"]["BUCKET_NAME"] == key
    assert "policy" not in asked["prod-us-east-1-key"]["arguments"], "it would refer to itself"
    [rule] = asked["prod-us-east-1-storage-data-bucket-encryption"]["arguments"]["rule"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key}
    assert asked["prod-us-east-1-monitoring-alarm-dead-letters"]["arguments"]["alarm_actions"] == [key]
