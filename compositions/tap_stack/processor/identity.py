"""The role that the function runs as, and what it may do: by exact ARN wherever AWS lets one be named."""

from tap_api.base import Json
from tap_api.kinds import RegionalProcessorSpec
from tap_stack import aws, names
from tap_stack.documents import Statement, Text, arn, policy, trust
from tap_stack.managed import managed
from tap_stack.resource import Resources
from tap_stack.subject import Subject
from tap_stack.values import Ref, Unknown

ROLE = "role"
RUN = "role-policy-run"
DATA = "role-policy-data"

#: What Lambda does as the role to put the function into subnets (AWSLambdaVPCAccessExecutionRole).
_INTERFACES = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


def resources(subject: Subject[RegionalProcessorSpec]) -> Resources:
    """Yields the role and its policies: one for being run, one for the data."""
    boundary = subject.spec.permissions_boundary
    yield managed(
        subject,
        ROLE,
        aws.ROLE,
        {
            "description": f"{subject.regional_tap}: the processor",
            "assumeRolePolicy": trust("lambda.amazonaws.com", {"StringEquals": {"aws:SourceAccount": subject.account}}),
            **({"permissionsBoundary": boundary} if boundary else {}),
        },
        external_name=subject.account_name("processor", limit=64),
    )
    for key, name, wanted in ((RUN, "run", run_policy(subject)), (DATA, "data", data_policy(subject))):
        document: Json = {"roleRef": Ref(ROLE), "policy": wanted}
        yield managed(subject, key, aws.ROLE_POLICY, document, external_name=name)


def run_policy(subject: Subject[RegionalProcessorSpec]) -> Text:
    """Returns what the function may do to be run: log, trace, be in the VPC, give up on an event."""
    region, account = subject.region, subject.account
    return policy(
        Statement(
            sid="Log",
            actions=("logs:CreateLogStream", "logs:PutLogEvents"),
            resources=(arn("logs", region, account, f"log-group:{names.function_log_group(subject)}:*"),),
        ),
        # X-Ray has no resources to name.
        Statement(sid="Trace", actions=("xray:PutTelemetryRecords", "xray:PutTraceSegments"), resources=("*",)),
        # Lambda asks for it on everything, and for itself alone: the code of the function is refused
        # (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html).
        Statement(sid="Interfaces", actions=_INTERFACES, resources=("*",)),
        Statement(
            sid="NotByTheCode",
            effect="Deny",
            actions=_INTERFACES,
            resources=("*",),
            conditions={
                "ArnEquals": {
                    "lambda:SourceFunctionArn": arn("lambda", region, account, f"function:{names.function(subject)}")
                }
            },
        ),
        Statement(
            sid="GiveUp",
            actions=("sqs:SendMessage",),
            resources=(arn("sqs", region, account, names.dead_letters(subject)),),
        ),
        _key(subject, "GiveUpEncrypted", "sqs", "kms:Decrypt", "kms:GenerateDataKey"),
    )


def data_policy(subject: Subject[RegionalProcessorSpec]) -> Text:
    """Returns what the function may do with data: read what came in, and keep items of the table."""
    bucket = names.data_bucket(subject)
    if isinstance(bucket, Unknown):
        return bucket
    return policy(
        Statement(
            sid="ReadObjects",
            actions=("s3:GetObject", "s3:GetObjectVersion"),
            resources=(f"arn:aws:s3:::{bucket}/{names.INCOMING}*",),
        ),
        # Without it an object that is gone looks like one that is forbidden.
        Statement(sid="FindObjects", actions=("s3:ListBucket",), resources=(f"arn:aws:s3:::{bucket}",)),
        _key(subject, "ReadObjectsEncrypted", "s3", "kms:Decrypt"),
        Statement(
            sid="KeepItems",
            actions=("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"),
            resources=(arn("dynamodb", subject.region, subject.account, f"table/{names.table(subject)}"),),
        ),
        _key(subject, "KeepItemsEncrypted", "dynamodb", "kms:Decrypt"),
    )


def _key(subject: Subject[RegionalProcessorSpec], sid: str, service: str, *actions: str) -> Statement:
    """Returns the right to use the region's key by way of one service."""
    return Statement(
        sid=sid,
        actions=actions,
        resources=(subject.key_arn,),
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{subject.region}.amazonaws.com"}},
    )
