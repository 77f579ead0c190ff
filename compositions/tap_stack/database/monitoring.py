"""Enhanced monitoring: the role with which RDS writes what the instances' operating systems measure."""

from tap_stack import aws, names
from tap_stack.database.scope import Database
from tap_stack.documents import Statement, arn, policy, trust
from tap_stack.resource import Resources
from tap_stack.values import Ref

ROLE = "monitoring-role"
ROLE_POLICY = "monitoring-role-policy"
#: The one log group of an account and region that enhanced monitoring writes to. RDS makes it, and shares it among all
#: of the account's databases, so it is not ours to encrypt or to delete.
GROUP = "RDSOSMetrics"


def resources(database: Database) -> Resources:
    """Yields the role and its policy."""
    subject = database.subject
    boundary = subject.spec.permissions_boundary
    instances = arn("rds", subject.region, subject.account, f"db:{names.cluster_instances(subject)}-*")
    yield database.make(
        ROLE,
        aws.ROLE,
        {
            "description": f"{subject.regional_tap}: enhanced monitoring of Aurora",
            "assumeRolePolicy": trust(
                "monitoring.rds.amazonaws.com",
                # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Monitoring.OS.Enabling.html
                {"StringEquals": {"aws:SourceAccount": subject.account}, "ArnLike": {"aws:SourceArn": instances}},
            ),
            **({"permissionsBoundary": boundary} if boundary else {}),
        },
        external_name=subject.account_name("database-monitoring", limit=64),
    )
    group = arn("logs", subject.region, subject.account, f"log-group:{GROUP}")
    streams = arn("logs", subject.region, subject.account, f"log-group:{GROUP}:log-stream:*")
    # AmazonRDSEnhancedMonitoringRole, which AWS manages, may do the same in every region and in every group `RDS*`.
    yield database.make(
        ROLE_POLICY,
        aws.ROLE_POLICY,
        {
            "roleRef": Ref(ROLE),
            "policy": policy(
                Statement(sid="Group", actions=("logs:CreateLogGroup", "logs:PutRetentionPolicy"), resources=(group,)),
                Statement(
                    sid="Streams",
                    actions=(
                        "logs:CreateLogStream",
                        "logs:DescribeLogStreams",
                        "logs:GetLogEvents",
                        "logs:PutLogEvents",
                    ),
                    resources=(streams,),
                ),
            ),
        },
        external_name="write-enhanced-monitoring",
    )
