"""The double of AWS refuses what AWS refuses: else a stack that runs into nothing would prove nothing."""

from typing import Any

import pytest

from doubles.account import Account, Key, key_of
from doubles.aws import provided
from doubles.references import Reference, UnresolvedError, of_schema, patch, resolved
from tap_api.base import Json

KEY = "arn:aws:kms:us-east-1:123456789012:key/8c6976e5"
ADMITS = '{"Principal":{"Service":"logs.us-east-1.amazonaws.com"}}'


def resource(kind: str, name: str, external_name: str = "", policies: list[str] | None = None, **spec: Any) -> Json:
    service, kind = kind.split(".")
    return {
        "apiVersion": f"{service}.aws.m.upbound.io/v1beta1",
        "kind": kind,
        "metadata": {"name": name, "annotations": {"crossplane.io/external-name": external_name}},
        "spec": {"managementPolicies": policies or ["*"], "forProvider": {"region": "us-east-1", **spec}},
    }


def without(asked: Json, field: str) -> Json:
    spec = {name: value for name, value in asked["spec"]["forProvider"].items() if name != field}
    return {**asked, "spec": {**asked["spec"], "forProvider": spec}}


def account(*resources: Json, **told: Json) -> Account:
    """Returns an account with `resources` in it; `told` puts fields into what AWS says of one, by its name."""
    found = Account()
    for made in map(provided, resources):
        made["status"]["atProvider"].update(told.get(made["metadata"]["name"], {}))
        found.made[key_of(made)] = made
    return found


GLOBAL = resource("rds.GlobalCluster", "global", "prod-global", engineVersion="8.0.mysql_aurora.3.10.0")
PRIMARY = resource(
    "rds.Cluster",
    "one",
    "prod-one",
    globalClusterIdentifier="prod-global",
    masterUsername="tapadmin",
    masterPasswordSecretRef={"name": "one-password", "key": "password"},
    autoGeneratePassword=True,
    port=3306,
)
WRITER = resource("rds.ClusterInstance", "writer", "prod-one-a", clusterIdentifier="prod-one", promotionTier=0)
SECONDARY = resource(
    "rds.Cluster",
    "two",
    "prod-two",
    globalClusterIdentifier="prod-global",
    kmsKeyId=KEY,
    sourceRegion="us-east-1",
    engineVersion="8.0.mysql_aurora.3.10.0",
)
BUCKET_POLICY = resource("s3.BucketPolicy", "policy", bucket="logs", policy="{}")
TRAIL = resource("cloudtrail.Trail", "trail", "prod-trail", s3BucketName="logs", s3KeyPrefix="trail", kmsKeyId=KEY)
OUR_TRAIL = "arn:aws:cloudtrail:us-east-1:123456789012:trail/prod-trail"
LETS_WRITE = {"policy": f"arn:aws:s3:::logs/trail/AWSLogs/123456789012/* {OUR_TRAIL}"}
CODE = resource("s3.Object", "code", bucket="data", key="code.zip")
LAMBDA = resource("lambda.Function", "function", "fn", s3Bucket="data", s3Key="code.zip", role="arn:aws:iam::1:role/fn")
PERMISSION = resource(
    "lambda.Permission",
    "permission",
    functionName="fn",
    qualifier="live",
    principal="s3.amazonaws.com",
    sourceArn="arn:aws:s3:::data",
)
LIVE = "arn:aws:lambda:us-east-1:123456789012:function:fn:live"
NOTIFICATION = resource("s3.BucketNotification", "n", bucket="data", lambdaFunction=[{"lambdaFunctionArn": LIVE}])
REPLICA = {"regionName": "us-east-1", "kmsKeyArn": KEY}
TABLE = resource("dynamodb.Table", "table", "sessions", streamEnabled=True, replica=[REPLICA])
LOGS = resource("cloudwatchlogs.Group", "group", "/aws/x", kmsKeyId=KEY)
GROUP = resource("cloudwatchlogs.Group", "group", "/aws/x")
A_KEY = resource("kms.Key", "key")


@pytest.mark.parametrize(
    ("asked", "there", "words"),
    [
        (PRIMARY, account(), "GlobalClusterNotFoundFault"),
        (PRIMARY, account(GLOBAL), ""),
        (without(PRIMARY, "masterPasswordSecretRef"), account(GLOBAL), "MasterUserPassword must be provided"),
        (without(PRIMARY, "masterUsername"), account(GLOBAL), "MasterUsername must be provided"),
        (
            {**SECONDARY, "spec": {"forProvider": {**SECONDARY["spec"]["forProvider"], "masterPasswordSecretRef": {}}}},
            account(GLOBAL, PRIMARY, WRITER),
            "Cannot specify password",
        ),
        (SECONDARY, account(GLOBAL, PRIMARY), "not valid for physical replication"),
        (SECONDARY, account(GLOBAL, PRIMARY, WRITER, writer={"writer": False}), "not valid for physical replication"),
        (SECONDARY, account(GLOBAL, PRIMARY, WRITER), ""),
        (LOGS, account(), "AccessDeniedException"),
        (LOGS, account(A_KEY, key={"arn": KEY}), "AccessDeniedException"),
        (LOGS, account(A_KEY, key={"arn": KEY, "policy": ADMITS}), ""),
        (GROUP, account(), ""),
        (LAMBDA, account(), "NoSuchKey"),
        (LAMBDA, account(CODE, code={"versionId": None}), ""),
        (NOTIFICATION, account(), "Unable to validate the following destination configurations"),
        (NOTIFICATION, account(PERMISSION), ""),
        (TABLE, account(), "is not in us-east-1"),
        (TABLE, account(A_KEY, key={"arn": KEY}), ""),
        (resource("dynamodb.Table", "replica", "sessions", ["Observe"]), account(), "external resource does not exist"),
        (resource("dynamodb.Table", "replica", "sessions", ["Observe"]), account(TABLE), ""),
        (TRAIL, account(A_KEY, BUCKET_POLICY, key={"arn": KEY, "policy": OUR_TRAIL}), "Incorrect S3 bucket policy"),
        (
            TRAIL,
            account(A_KEY, BUCKET_POLICY, key={"arn": KEY, "policy": ADMITS}, policy=LETS_WRITE),
            "InsufficientEncryptionPolicyException",
        ),
        (TRAIL, account(A_KEY, BUCKET_POLICY, key={"arn": KEY, "policy": OUR_TRAIL}, policy=LETS_WRITE), ""),
    ],
)
def test_aws_refuses_what_comes_too_early(asked: Json, there: Account, words: str) -> None:
    refusal = there.refusal(asked)
    assert (words in refusal) if words else (refusal == "")


def test_aws_deletes_nothing_that_is_in_use() -> None:
    assert "has dependencies" in account(PRIMARY, WRITER).holds(PRIMARY)
    assert account(PRIMARY).holds(PRIMARY) == ""


def test_the_writer_of_a_global_database_leaves_it_last() -> None:
    asked = {**SECONDARY["spec"]["forProvider"], "region": "eu-west-1"}
    elsewhere = {**SECONDARY["spec"], "forProvider": asked, "initProvider": {"sourceRegion": "us-east-1"}}
    there = account(GLOBAL, PRIMARY, {**SECONDARY, "spec": elsewhere})
    writer, reader = there.of("rds.Cluster")
    assert "primary cluster of a global cluster" in there.holds(writer)
    assert there.holds(reader) == ""
    there.writer = "eu-west-1"
    assert "primary cluster of a global cluster" in there.holds(reader)
    assert there.holds(writer) == ""
    del there.made[key_of(writer)]
    assert there.holds(reader) == ""


def test_what_aws_cannot_change_is_refused_as_upjet_refuses_it() -> None:
    changed = {**PRIMARY, "spec": {"forProvider": {**PRIMARY["spec"]["forProvider"], "masterUsername": "other"}}}
    assert "requires replacing it" in account(PRIMARY).changed(changed)
    assert account(PRIMARY).changed(PRIMARY) == ""


def test_a_reference_resolves_to_a_resource_that_is_made_of_the_kind_that_the_crd_names() -> None:
    schema = {"properties": {"vpcIdRef": {"description": "Reference to a VPC in ec2 to populate vpcId."}}}
    references = of_schema(schema)
    assert references == {"vpcIdRef": Reference("vpcIdRef", "vpcId", "ec2.VPC")}
    subnet = resource("ec2.Subnet", "subnet", vpcIdRef={"name": "net"})
    vpc = resource("ec2.VPC", "net")
    there: dict[Key, Json] = {}
    with pytest.raises(UnresolvedError, match=r'^cannot resolve references: .*ec2\.VPC "net" not found'):
        resolved(subnet, references, there.get)
    with pytest.raises(UnresolvedError, match=r"^cannot resolve references: .*may not yet be ready"):
        resolved(subnet, references, {("ec2.VPC", "net"): vpc}.get)
    made = provided(vpc)
    assert resolved(subnet, references, {("ec2.VPC", "net"): made}.get)["vpcId"] == made["status"]["atProvider"]["id"]


def test_a_list_of_references_is_sorted_by_what_it_leads_to_and_only_what_changed_is_applied() -> None:
    references = {
        "subnetIdRefs": Reference("subnetIdRefs", "subnetIds", "ec2.Subnet"),
        "vpcIdRef": Reference("vpcIdRef", "vpcId", "ec2.VPC"),
    }
    names = ["a", "b", "c"]
    there = {("ec2.Subnet", name): provided(resource("ec2.Subnet", name)) for name in names}
    ids = {name: there["ec2.Subnet", name]["status"]["atProvider"]["id"] for name in names}
    ordered = sorted(names, key=ids.__getitem__)
    unsorted = list(reversed(ordered))
    always = {"policy": {"resolve": "Always"}}
    group = resource("rds.SubnetGroup", "group", subnetIdRefs=[{"name": name, **always} for name in unsorted])
    there["ec2.VPC", "net"] = provided(resource("ec2.VPC", "net"))
    group["spec"]["forProvider"]["vpcIdRef"] = {"name": "net"}
    group["metadata"]["namespace"] = "ns"
    spec = resolved(group, references, there.get)
    assert [one["name"] for one in spec["subnetIdRefs"]] == ordered
    assert spec["subnetIds"] == [ids[name] for name in ordered]
    applied = patch(group, spec)["spec"]["forProvider"]
    assert applied == {name: spec[name] for name in ("subnetIdRefs", "subnetIds", "vpcId")}
    # Somebody puts the list back as it was: what else was resolved is not in the patch.
    back = {**spec, "subnetIdRefs": group["spec"]["forProvider"]["subnetIdRefs"]}
    put_back = {**group, "spec": {**group["spec"], "forProvider": back}}
    again = patch(put_back, resolved(put_back, references, there.get))
    assert again["spec"]["forProvider"] == {"subnetIdRefs": spec["subnetIdRefs"]}
    assert patch({**group, "spec": {"forProvider": spec}}, spec) == {}
