"""The traps of 05 that no part alone can fall into, each by its number there (section 3, and the references of 1.1)."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from golden.world import Environment
from tap_api.base import Json

#: Kind and path of a value -> what a reference in its place would give, where there is one.
WRITTEN = {
    ("lambda.Function", "kmsKeyArn"): "the key's id",
    ("s3.Object", "kmsKeyId"): "the key's id",
    ("cloudtrail.Trail", "kmsKeyId"): "the key's id",
    ("cloudwatch.MetricAlarm", "alarmActions"): "the ARN of an autoscaling policy",
    ("dynamodb.Table", "serverSideEncryption.kmsKeyArn"): "",
    ("dynamodb.Table", "replica.kmsKeyArn"): "",
    ("s3.BucketNotification", "lambdaFunction.lambdaFunctionArn"): "",
    ("lambda.Permission", "sourceArn"): "",
    ("apigatewayv2.Stage", "accessLogSettings.destinationArn"): "",
    ("apigatewayv2.Integration", "integrationUri"): "the function's, and not its alias's",
    ("cloudwatchevents.Target", "arn"): "",
    ("sns.Topic", "kmsMasterKeyId"): "",
    ("sqs.Queue", "kmsMasterKeyId"): "",
    ("rds.Cluster", "masterUserSecretKmsKeyId"): "the key's id",
}


@cache
def settled(claim: str) -> tuple[Json, ...]:
    """Returns every AWS resource of a claim that makes its own trails."""
    turned = Environment(claim, monitoring={"trail": "Create"}).settle()
    composed = [item.manifest for regions in turned.values() for _, made in regions for item in made.resources]
    return tuple(item for item in composed if "forProvider" in item["spec"])


def of(kind: str) -> list[Json]:
    service, _, name = kind.partition(".")
    every = (*settled("prod"), *settled("dev"))
    return [item for item in every if item["kind"] == name and item["apiVersion"].startswith(f"{service}.")]


def at(node: Any, path: str) -> Iterator[Any]:
    """Yields the values at a path, whatever lists it leads through."""
    step, _, rest = path.partition(".")
    for one in node if isinstance(node, list) else [node]:
        if step in one:
            value = one[step]
            yield from at(value, rest) if rest else (value if isinstance(value, list) else [value])


def references(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the references in a spec, with their paths."""
    for name, value in node.items() if isinstance(node, dict) else ():
        if name.endswith(("Ref", "Refs")) and not name.endswith("SecretRef"):
            yield f"{path}{name}", value
        else:
            yield from references(value, f"{path}{name}.")
    for item in node if isinstance(node, list) else ():
        yield from references(item, path)


@pytest.mark.parametrize(("kind", "path"), WRITTEN, ids=str)
def test_trap_1_1_what_a_reference_gets_wrong_or_cannot_say_is_written_as_an_arn(kind: str, path: str) -> None:
    found = [value for item in of(kind) for value in at(item["spec"]["forProvider"], path)]
    assert found
    assert [value for value in found if not str(value).startswith("arn:aws:")] == []
    for item in of(kind):
        named = {where.removesuffix("s").removesuffix("Ref") for where, _ in references(item["spec"]["forProvider"])}
        assert path.removesuffix("s") not in named


def test_trap_16_a_function_lets_go_of_its_security_groups_when_it_is_deleted() -> None:
    """Lambda's interfaces outlive it by up to 45 minutes, and hold the groups that they are in."""
    assert {item["spec"]["forProvider"]["replaceSecurityGroupsOnDestroy"] for item in of("lambda.Function")} == {True}
    # What takes their place is the VPC's default group, which is there, and without rules.
    assert [
        item for item in of("lambda.Function") if "replacementSecurityGroupIds" in item["spec"]["forProvider"]
    ] == []


def test_trap_17_topics_and_queues_leave_their_policies_to_resources_of_their_own() -> None:
    """provider-upjet-aws#1347, #1356: policies inside them were sent for ever."""
    for kind, policy in (("sns.Topic", "sns.TopicPolicy"), ("sqs.Queue", "sqs.QueuePolicy")):
        assert {"policy"} & {field for item in of(kind) for field in item["spec"]["forProvider"]} == set()
        assert len(of(policy)) == len(of(kind))


def test_trap_17_policies_are_the_same_bytes_whoever_writes_them() -> None:
    texts = [
        text
        for item in (*settled("prod"), *settled("dev"))
        for field in ("policy", "assumeRolePolicy")
        if (text := item["spec"]["forProvider"].get(field))
    ]
    assert len(texts) > 50
    for text in texts:
        document = json.loads(text)
        assert text == json.dumps(document, sort_keys=True, separators=(",", ":"))
        assert document["Version"] == "2012-10-17"
        assert len({statement["Sid"] for statement in document["Statement"]}) == len(document["Statement"])


def test_trap_19_a_list_of_subnets_is_resolved_anew_or_a_zone_that_is_added_never_comes_in() -> None:
    """IfNotPresent, the provider's own way, keeps what was resolved once (provider-upjet-aws#1242)."""
    lists = [
        (where, reference)
        for kind in ("lambda.Function", "rds.SubnetGroup")
        for item in of(kind)
        for where, reference in references(item["spec"]["forProvider"])
        if where.endswith("subnetIdRefs")
    ]
    assert {where for where, _ in lists} == {"vpcConfig.subnetIdRefs", "subnetIdRefs"}
    assert {one["policy"]["resolve"] for _, reference in lists for one in reference} == {"Always"}


def test_trap_19_no_cluster_is_restored_in_place_for_nothing_could_refer_to_it() -> None:
    """provider-upjet-aws#1764."""
    assert [item for item in of("rds.Cluster") if "restoreToPointInTime" in item["spec"]["forProvider"]] == []


@pytest.mark.parametrize(
    ("claim", "kinds", "named", "policies"),
    [
        ("dev", ("rds.Cluster", "dynamodb.Table", "s3.Bucket"), True, ["Observe", "Create", "Update", "Delete"]),
        ("dev", ("ec2.VPC", "sqs.Queue", "kms.Key"), False, ["*"]),
        ("prod", ("rds.Cluster", "rds.GlobalCluster", "s3.Bucket"), True, ["Observe", "Create", "Update"]),
        ("prod", ("kms.Key", "ec2.VPC"), False, ["Observe", "Create", "Update", "LateInitialize"]),
    ],
)
def test_trap_20_policies_follow_who_names_a_resource_and_whether_its_data_is_protected(
    claim: str,
    kinds: tuple[str, ...],
    named: bool,  # noqa: FBT001
    policies: list[str],
) -> None:
    """Without LateInitialize AWS's own name for a resource is not kept (upjet#531), so it goes where the name is ours."""
    for item in settled(claim):
        kind = f"{item['apiVersion'].partition('.')[0]}.{item['kind']}"
        if kind not in kinds or item["spec"]["managementPolicies"] == ["Observe"]:
            continue
        assert ("crossplane.io/external-name" in item["metadata"].get("annotations", {})) == named
        assert item["spec"]["managementPolicies"] == policies


def test_trap_20_a_store_that_is_protected_refuses_in_aws_too() -> None:
    for item in settled("prod"):
        spec = item["spec"]["forProvider"]
        if item["kind"] in ("Cluster", "GlobalCluster"):
            assert spec["deletionProtection"] is True
        if item["kind"] == "Table" and item["spec"]["managementPolicies"] != ["Observe"]:
            assert spec["deletionProtectionEnabled"] is True
