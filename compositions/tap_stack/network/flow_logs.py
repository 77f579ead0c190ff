"""Flow logs to CloudWatch, encrypted with the region's key."""

from tap_stack import aws, names
from tap_stack.documents import Statement, arn, policy, trust
from tap_stack.network.scope import Network
from tap_stack.network.vpc import VPC
from tap_stack.resource import Resources
from tap_stack.values import Ref

GROUP = "flow-log-group"
ROLE = "flow-log-role"


def resources(network: Network) -> Resources:
    """Yields the log group, the role that writes to it, and the flow log."""
    subject = network.subject
    group = names.flow_log_group(subject)
    group_arn = arn("logs", subject.region, subject.account, f"log-group:{group}:*")
    boundary = subject.spec.permissions_boundary

    yield network.make(
        GROUP,
        aws.LOG_GROUP,
        # CloudWatch refuses a key whose policy does not admit it, so the group waits for that.
        {"retentionInDays": network.spec.flow_logs.retention_days, "kmsKeyId": subject.key_arn},
        external_name=group,
    )
    yield network.make(
        ROLE,
        aws.ROLE,
        {
            "description": f"{subject.regional_tap}: VPC flow logs to CloudWatch",
            "assumeRolePolicy": trust(
                "vpc-flow-logs.amazonaws.com",
                # https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
                {
                    "StringEquals": {"aws:SourceAccount": subject.account},
                    "ArnLike": {
                        "aws:SourceArn": arn("ec2", subject.region, subject.account, "vpc-flow-log/*"),
                    },
                },
            ),
            **({"permissionsBoundary": boundary} if boundary else {}),
        },
        # IAM has no regions: the name carries the region by way of the RegionalTap's (04, item 16).
        external_name=subject.account_name("flow-logs", limit=64),
    )
    yield network.make(
        "flow-log-role-policy",
        aws.ROLE_POLICY,
        {
            "roleRef": Ref(ROLE),
            "policy": policy(
                Statement(
                    sid="Write",
                    actions=("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
                    resources=(group_arn,),
                ),
                # Not to be had for one group: the action lists groups.
                Statement(
                    sid="Find",
                    actions=("logs:DescribeLogGroups",),
                    resources=(arn("logs", subject.region, subject.account, "log-group:*"),),
                ),
            ),
        },
        external_name="write-flow-logs",
    )
    yield network.make(
        "flow-log",
        aws.FLOW_LOG,
        {
            "vpcIdRef": Ref(VPC),
            "trafficType": "ALL",
            "logDestinationType": "cloud-watch-logs",
            "logDestinationRef": Ref(GROUP),
            "iamRoleArnRef": Ref(ROLE),
            "maxAggregationInterval": network.spec.flow_logs.aggregation_seconds,
        },
    )
