"""moto as it is started beside the cluster. No provider is needed for it, so this runs everywhere."""

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError, create_parser
from botocore.serialize import create_serializer

from aws.account import Account
from tap_cluster import moto
from tap_cluster.context import Context
from tap_cluster.places import Places
from tap_cluster.ports import choose
from tap_cluster.probes import tcp_ready
from tap_cluster.progress import Progress
from tap_cluster.state import State

REGION = "eu-west-1"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    root = tmp_path_factory.mktemp("moto")
    places = Places(Places.find().repository, root / "state", root / "cache")
    state = State(root / "state.json", {"moto": choose(set())})
    context = Context(places, {}, state, Progress(quiet=True), places.kubeconfig)
    program = moto.program(context)
    with (root / "log").open("w") as log, subprocess.Popen(program.argv, env=program.env, stdout=log, stderr=log) as it:
        try:
            deadline = time.monotonic() + program.patience
            while not program.ready():
                assert it.poll() is None and time.monotonic() < deadline, Path(log.name).read_text()
                time.sleep(0.1)
            yield Account(moto.proxy(context))
        finally:
            it.terminate()


def test_s3_control_is_reached_though_its_host_has_the_account_in_front(account: Account) -> None:
    s3, control = (account.client(service, REGION) for service in ("s3", "s3control"))
    s3.create_bucket(Bucket="ours", CreateBucketConfiguration={"LocationConstraint": REGION})
    tagged = {"AccountId": "123456789012", "ResourceArn": "arn:aws:s3:::ours"}
    control.tag_resource(**tagged, Tags=[{"Key": "CostCenter", "Value": "platform-4200"}])
    assert control.list_tags_for_resource(**tagged)["Tags"] == [{"Key": "CostCenter", "Value": "platform-4200"}]
    s3.delete_bucket(Bucket="ours")


ALARM = {
    "AlarmName": "ours",
    "Namespace": "AWS/SQS",
    "MetricName": "ApproximateNumberOfMessagesVisible",
    "Dimensions": [{"Name": "QueueName", "Value": "dead-letters"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 0.5,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
    "Tags": [{"Key": "CostCenter", "Value": "platform-4200"}],
}


def test_cloudwatch_is_spoken_to_in_cbor_as_the_provider_does(account: Account) -> None:
    """AWS's client for Go has no other protocol for CloudWatch; that of Python has several, and takes JSON."""
    cloudwatch = account.client("cloudwatch", REGION)
    in_cbor(cloudwatch, "PutMetricAlarm", ALARM)
    status, told = in_cbor(cloudwatch, "DescribeAlarms", {"AlarmNames": ["ours"]})
    [alarm] = told["MetricAlarms"]
    arn = f"arn:aws:cloudwatch:{REGION}:123456789012:alarm:ours"
    assert (status, alarm["AlarmArn"]) == (200, arn)
    assert {field: alarm[field] for field in ALARM if field != "Tags"} == {
        k: v for k, v in ALARM.items() if k != "Tags"
    }
    assert alarm["AlarmConfigurationUpdatedTimestamp"].tzinfo is not None, "a time is one"
    assert in_cbor(cloudwatch, "ListTagsForResource", {"ResourceARN": arn})[1]["Tags"] == ALARM["Tags"]
    status, told = in_cbor(cloudwatch, "GetDashboard", {"DashboardName": "none"})
    assert (status, told["Error"]["Code"]) == (404, "ResourceNotFound")
    in_cbor(cloudwatch, "DeleteAlarms", {"AlarmNames": ["ours"]})
    assert in_cbor(cloudwatch, "DescribeAlarms", {})[1]["MetricAlarms"] == []


def in_cbor(client: Any, operation: str, asked: dict[str, Any]) -> tuple[int, Any]:
    """Asks with botocore's own CBOR on both ways."""
    model = client.meta.service_model.operation_model(operation)
    request = create_serializer("smithy-rpc-v2-cbor").serialize_to_request(asked, model)
    prepared = AWSRequest("POST", moto.ENDPOINT + request["url_path"], request["headers"], request["body"])
    client._request_signer.sign(operation, prepared)
    answer = client._endpoint.http_session.send(prepared.prepare())
    assert answer.headers["smithy-protocol"] == "rpc-v2-cbor"
    found = {"body": answer.content, "headers": answer.headers, "status_code": answer.status_code}
    return answer.status_code, create_parser("smithy-rpc-v2-cbor").parse(found, model.output_shape)


def test_an_account_holds_what_was_made_in_it_and_not_what_every_account_has(account: Account) -> None:
    assert account.holds(REGION) == set()
    kms, ec2 = account.client("kms", REGION), account.client("ec2", REGION)
    key, vpc = kms.create_key()["KeyMetadata"]["KeyId"], ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    # AWS makes such a key itself, where a service first needs it.
    kms.describe_key(KeyId="alias/aws/secretsmanager")
    held = account.holds(REGION)
    assert {f"key {key} Enabled ''", f"VPC {vpc}"} <= held
    assert {one.partition(" ")[0] for one in held} == {"key", "VPC", "route", "security"}, "and what every VPC has"
    assert len([one for one in held if one.startswith("key")]) == 1
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    ec2.delete_vpc(VpcId=vpc)
    assert account.holds(REGION) == set()


POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::logs/*",
        },
    ],
}

#: The functions of tap_cluster.moto_mends.
MENDS = (
    "permission",
    "permits_logging",
    "create_global_cluster",
    "leave_global_cluster",
    "tagged",
    "in_vpc",
    "configuration",
    "bucket_encryption",
)


def mended(account: Account) -> dict[str, bool]:
    """Returns for each mend (tap_cluster.moto_mends) whether AWS's answer is given."""
    s3, rds = account.client("s3", "us-east-1"), account.client("rds", "us-east-1")
    s3.create_bucket(Bucket="logs")
    s3.put_bucket_policy(Bucket="logs", Policy=json.dumps(POLICY))
    found = {
        "permission": answers(lambda: s3.put_object(Bucket="logs", Key="a", Body=b"")),
        "permits_logging": answers(
            lambda: s3.put_bucket_logging(
                Bucket="logs", BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": ""}}
            )
        ),
    }
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BucketKeyEnabled": True,
        "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
    }
    s3.put_bucket_encryption(Bucket="logs", ServerSideEncryptionConfiguration={"Rules": [rule]})
    told = s3.get_bucket_encryption(Bucket="logs")["ServerSideEncryptionConfiguration"]
    found["bucket_encryption"] = told == {"Rules": [rule]}
    tags = [{"Key": "CostCenter", "Value": "platform-4200"}]
    asked = {"GlobalClusterIdentifier": "ours", "Engine": "aurora-mysql", "DatabaseName": "tap", "Tags": tags}
    rds.create_global_cluster(**asked)
    [cluster] = rds.describe_global_clusters()["GlobalClusters"]
    found["create_global_cluster"] = (cluster.get("DatabaseName"), cluster.get("TagList")) == ("tap", tags)
    found["leave_global_cluster"] = leaves(account, "eu-west-1")
    found["configuration"] = remembers(account)
    vpc, config, left = in_a_vpc(account)
    found["in_vpc"] = (config["VpcId"], left["VpcId"]) == (vpc, "")
    found["tagged"] = answers(lambda: rds.add_tags_to_resource(ResourceName=cluster["GlobalClusterArn"], Tags=tags))
    return found


def leaves(account: Account, region: str) -> bool:
    """Returns whether a member of another region leaves the global cluster."""
    rds, home = account.client("rds", region), account.client("rds", "us-east-1")
    made = rds.create_db_cluster(
        DBClusterIdentifier="member",
        Engine="aurora-mysql",
        MasterUsername="admin",
        MasterUserPassword="only-moto-sees-it",
        GlobalClusterIdentifier="ours",
    )["DBCluster"]["DBClusterArn"]
    rds.remove_from_global_cluster(GlobalClusterIdentifier="ours", DbClusterIdentifier=made)
    [cluster] = home.describe_global_clusters()["GlobalClusters"]
    return bool(cluster["GlobalClusterMembers"] == [])


def in_a_vpc(account: Account) -> tuple[str, Any, Any]:
    """Returns a VPC, and what is told of a function in it before and after its subnet is gone."""
    ec2, functions = account.client("ec2", "us-east-1"), account.client("lambda", "us-east-1")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.8.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(VpcId=vpc, GroupName="ours", Description="ours")["GroupId"]
    make_function(account, "in-a-vpc", VpcConfig={"SubnetIds": [subnet], "SecurityGroupIds": [group]})
    before = functions.get_function_configuration(FunctionName="in-a-vpc")["VpcConfig"]
    ec2.delete_subnet(SubnetId=subnet)
    return vpc, before, functions.get_function_configuration(FunctionName="in-a-vpc")["VpcConfig"]


def remembers(account: Account) -> bool:
    """Returns whether a function keeps where its failures and its log go, when it is made and when that changes."""
    functions, queue = account.client("lambda", "us-east-1"), "arn:aws:sqs:us-east-1:123456789012:"
    wanted: list[Any] = [
        {"DeadLetterConfig": {"TargetArn": f"{queue}{name}"}, "LoggingConfig": {"LogFormat": "JSON", "LogGroup": name}}
        for name in ("before", "after")
    ]
    found: list[Any] = []
    make_function(account, "keeps", **wanted[0])
    changes: list[dict[str, Any]] = [{}, wanted[1]]
    for change in changes:
        functions.update_function_configuration(FunctionName="keeps", **change)
        told = functions.get_function_configuration(FunctionName="keeps")
        found.append({name: told.get(name) for name in wanted[0]})
    return found == wanted


def make_function(account: Account, name: str, **settings: Any) -> None:
    trust = {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = account.client("iam", "us-east-1").create_role(RoleName=name, AssumeRolePolicyDocument=policy)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("main.py", "")
    account.client("lambda", "us-east-1").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="main.handle",
        Code={"ZipFile": code.getvalue()},
        **settings,
    )


def answers(ask: Callable[[], Any]) -> bool:
    try:
        ask()
    except (ClientError, ResponseParserError):
        return False
    return True


def test_what_moto_gets_wrong_is_set_right(account: Account) -> None:
    assert mended(account) == dict.fromkeys(MENDS, True)


def test_moto_alone_still_gets_it_wrong_or_a_mend_can_go(tmp_path: Path) -> None:
    port = choose(set())
    argv = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    env = {**os.environ, "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"}
    with (tmp_path / "log").open("w") as log, subprocess.Popen(argv, env=env, stdout=log, stderr=log) as process:
        try:
            deadline = time.monotonic() + 60
            while not tcp_ready(port)():
                assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
                time.sleep(0.1)
            found = mended(Account(f"http://127.0.0.1:{port}"))
        finally:
            process.terminate()
    assert found == dict.fromkeys(MENDS, False)
