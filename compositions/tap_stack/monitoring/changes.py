"""Reports of changes that were made outside this system: who did what, to which resource.

CloudTrail gives every call that changes something to EventBridge, in the account's default bus, where a trail records
management events. The rules here pick those that concern this region and that no trusted principal made. What has a
name of ours is known by the name's end; a key and an API by the id that AWS gave them; EC2's events name nothing but
ids that only AWS knows, so changes of any network in the account and region are told.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from tap_api.base import Json
from tap_api.sections import MonitoringSpec, Trail
from tap_stack import aws
from tap_stack.composed import Condition
from tap_stack.documents import Text
from tap_stack.monitoring.scope import Monitoring
from tap_stack.resource import Resources
from tap_stack.values import Ref, Unknown

CHANGES_REPORTED = "ChangesReported"
#: The one bus that CloudTrail writes to. To be set on both kinds, or the provider's id of them is wrong
#: (provider-upjet-aws#931, #932).
BUS = "default"
#: Where IAM, which is in no region, has its events.
IAM_REGION = "us-east-1"

#: Sources of events -> the parameters of their calls that hold a name of ours.
_NAMED = {
    "dynamodb": ("tableName", "resourceArn"),
    "events": ("name", "rule"),
    "lambda": ("functionName",),
    "logs": ("logGroupName",),
    "monitoring": ("alarmName", "alarmNames", "dashboardName", "dashboardNames"),
    "rds": ("dBClusterIdentifier", "dBInstanceIdentifier", "dBClusterParameterGroupName", "globalClusterIdentifier"),
    "s3": ("bucketName",),
    "sns": ("topicArn",),
    "sqs": ("queueUrl",),
}
#: Of a trail of ours: who stops it stops the reports.
_TRAIL = {"cloudtrail": ("name", "trailName")}
_NETWORK = (
    "AssociateRouteTable",
    "AttachInternetGateway",
    "AuthorizeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "CreateRoute",
    "DeleteFlowLogs",
    "DeleteInternetGateway",
    "DeleteNatGateway",
    "DeleteRoute",
    "DeleteRouteTable",
    "DeleteSecurityGroup",
    "DeleteSubnet",
    "DeleteVpc",
    "DeleteVpcEndpoints",
    "DetachInternetGateway",
    "DisassociateRouteTable",
    "ModifySecurityGroupRules",
    "ModifySubnetAttribute",
    "ModifyVpcAttribute",
    "ModifyVpcEndpoint",
    "ReplaceRoute",
    "ReplaceRouteTableAssociation",
    "RevokeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
)
#: AWS's own roles: what they change, AWS changes.
_SERVICE_ROLES = "arn:*:iam::*:role/aws-service-role/*"
#: What a person reads. A value in angle brackets is a path of `_PATHS`; EventBridge fills it in.
_TEMPLATE = (
    '{"report":"Changed outside TAP","regionalTap":"%s","who":"<who>","what":"<what>","service":"<service>",'
    '"region":"<region>","from":"<address>","at":"<time>","parameters":<parameters>,"event":"<event>"}'
)
_PATHS = {
    "address": "$.detail.sourceIPAddress",
    "event": "$.detail.eventID",
    "parameters": "$.detail.requestParameters",
    "region": "$.detail.awsRegion",
    "service": "$.detail.eventSource",
    "time": "$.detail.eventTime",
    "what": "$.detail.eventName",
    "who": "$.detail.userIdentity.arn",
}


@dataclass(frozen=True)
class Watch:
    """What a rule looks for.

    Attributes:
        key: Its key, without `changes-`.
        description: What it reports.
        sources: The sources of events.
        where: What the calls' parameters hold: any one of them.
        events: The calls; every one that changes something where it is empty.
    """

    key: str
    description: str
    sources: tuple[str, ...]
    where: tuple[tuple[str, Text], ...] = ()
    events: tuple[object, ...] = ()


def watches(monitoring: Monitoring) -> Iterator[Watch]:
    """Yields what is looked for in a region."""
    ours = f"*-{monitoring.subject.suffix}*"
    named = {**_NAMED, **(_TRAIL if monitoring.spec.trail is Trail.CREATE else {})}
    yield Watch(
        "named",
        "databases, tables, buckets, functions, queues, topics, logs, alarms and rules",
        tuple(named),
        tuple((field, ours) for field in dict.fromkeys(field for fields in named.values() for field in fields)),
        # Whatever writes a log opens streams; nobody has to hear of it.
        ({"anything-but": ["CreateLogStream"]},),
    )
    yield Watch("network", "VPCs, subnets, routes, gateways, endpoints and security groups", ("ec2",), events=_NETWORK)
    yield Watch("key", "the KMS key", ("kms",), (("keyId", _around(monitoring.key_id)),))
    yield Watch("api", "the HTTP API", ("apigateway",), (("apiId", monitoring.api_id),))
    if monitoring.subject.region == IAM_REGION:
        yield Watch("roles", "the roles of every region", ("iam",), (("roleName", ours),))


def resources(monitoring: Monitoring) -> Resources:
    """Yields the rules and where they report to."""
    subject = monitoring.subject
    for watch in watches(monitoring):
        rule = f"changes-{watch.key}"
        yield monitoring.make(
            rule,
            aws.EVENT_RULE,
            {
                "description": f"{subject.regional_tap}: changes made outside TAP to {watch.description}",
                "eventBusName": BUS,
                "eventPattern": pattern(watch, monitoring.spec),
                # Without a trail none would come; with one that nobody told us of, our own changes would be reported.
                "state": "ENABLED" if monitoring.spec.trail else "DISABLED",
            },
            external_name=subject.account_name(rule, limit=64),
        )
        yield monitoring.make(
            f"{rule}-report",
            aws.EVENT_TARGET,
            {
                "eventBusName": BUS,
                "ruleRef": Ref(rule),
                "targetId": "topic",
                "arn": monitoring.topic_arn,
                "inputTransformer": {"inputPaths": dict(_PATHS), "inputTemplate": _TEMPLATE % subject.regional_tap},
            },
        )


def pattern(watch: Watch, spec: MonitoringSpec) -> Text:
    """Returns the event pattern of a rule; unknown where something that it looks for is."""
    unknown = next((value for _, value in watch.where if isinstance(value, Unknown)), None)
    if unknown:
        return unknown
    detail: Json = {
        "eventSource": [f"{source}.amazonaws.com" for source in watch.sources],
        "readOnly": [False],
        # A call that was refused changed nothing.
        "errorCode": [{"exists": False}],
        "userIdentity": _not_trusted(spec.trusted_principals),
    }
    if watch.events:
        detail["eventName"] = list(watch.events)
    if watch.where:
        alternatives = [{field: [_match(str(value))]} for field, value in watch.where]
        detail["requestParameters"] = {"$or": alternatives} if len(alternatives) > 1 else alternatives[0]
    event = {
        "source": [f"aws.{source}" for source in watch.sources],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": detail,
    }
    return json.dumps(event, sort_keys=True, separators=(",", ":"))


def condition(spec: MonitoringSpec, *, recording: bool) -> Condition:
    """Returns whether changes made outside this system are reported, and what is missing where they are not.

    Args:
        spec: What is chosen.
        recording: Whether the trail that is made here records.
    """
    if spec.trail is None:
        return Condition(
            CHANGES_REPORTED,
            "False",
            "NoTrail",
            "Changes made outside TAP are not reported: they are read from a CloudTrail trail that records management"
            " events. Where the account has one, write spec.monitoring.trail: Existing, else Create; and into"
            " spec.monitoring.trustedPrincipals the ARN of the provider's role.",
        )
    if spec.trail is Trail.CREATE and not recording:
        return Condition(
            CHANGES_REPORTED,
            "False",
            "TrailNotRecording",
            "Changes made outside TAP are not reported yet: the region's trail does not record. See `trail` of its"
            " RegionalMonitoring.",
        )
    if not spec.trusted_principals:
        return Condition(
            CHANGES_REPORTED,
            "True",
            "NobodyTrusted",
            "Every change is reported, this system's own too: write the ARN of the provider's role into"
            " spec.monitoring.trustedPrincipals.",
        )
    return Condition(CHANGES_REPORTED, "True", "TrailDeclared" if spec.trail is Trail.EXISTING else "TrailRecords")


def _not_trusted(principals: list[str]) -> Json:
    """Returns a pattern for whoever is none of `principals`.

    Who acts in a role is known by the role, whatever the session is called; anybody else by the own ARN. An AWS service
    that acts by itself has neither, and is not reported.
    """
    sessions = [principal for principal in principals if ":assumed-role/" in principal]
    roles = [principal for principal in principals if ":role/" in principal]
    others = [principal for principal in principals if principal not in (*roles, *sessions)]
    return {
        "$or": [
            {
                "sessionContext": {"sessionIssuer": {"arn": [_none_of([*roles, _SERVICE_ROLES])]}},
                "arn": [_none_of(sessions)],
            },
            {"sessionContext": {"sessionIssuer": {"arn": [{"exists": False}]}}, "arn": [_none_of(others)]},
        ]
    }


def _none_of(arns: list[str]) -> Json:
    return {"anything-but": {"wildcard": sorted(arns)}} if arns else {"exists": True}


def _match(value: str) -> object:
    return {"wildcard": value} if "*" in value else value


def _around(value: Text) -> Text:
    return value if isinstance(value, Unknown) else f"*{value}*"
