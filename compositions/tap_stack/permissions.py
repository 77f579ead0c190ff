"""What the provider has to be allowed, by the kinds that are composed: the calls that it makes for each.

AWS publishes no list of the calls behind a resource, so this one is written down, one line a verb, from what
terraform-provider-aws calls. Tests hold it against the catalogue (a kind without an entry fails) and against AWS's own
data (an action that does not exist, or that could be given on less than everything, fails).
"""

from collections.abc import Iterable, Mapping
from itertools import groupby

from tap_api.base import Json
from tap_stack import aws
from tap_stack.catalogue import AwsKind
from tap_stack.documents import VERSION

#: An action with this in front cannot be given on a resource: AWS knows none for it.
ANYWHERE = "*"


def _calls(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(
        f"{ANYWHERE}{prefix}:{name[1:]}" if name.startswith(ANYWHERE) else f"{prefix}:{name}" for name in names.split()
    )


def _ec2(names: str) -> tuple[str, ...]:
    return (*_calls("ec2", names), *_calls("ec2", "CreateTags DeleteTags *DescribeTags"))


#: Network interfaces that Lambda leaves behind hold a subnet and a group; the provider takes them away before deleting
#: either (deleteLingeringENIs in terraform-provider-aws; 05, section 3, item 16).
_LINGERING = "DeleteNetworkInterface *DescribeNetworkInterfaces DetachNetworkInterface"
_API_GATEWAY = _calls("apigateway", "DELETE GET PATCH POST PUT")
_BUCKET_ENCRYPTION = "GetEncryptionConfiguration PutEncryptionConfiguration"

#: Kind -> the calls behind it.
CALLS: Mapping[AwsKind, tuple[str, ...]] = {
    aws.KEY: _calls(
        "kms",
        "CancelKeyDeletion *CreateKey DescribeKey DisableKey DisableKeyRotation EnableKey EnableKeyRotation"
        " GetKeyPolicy"
        " GetKeyRotationStatus ListResourceTags PutKeyPolicy ScheduleKeyDeletion TagResource UntagResource"
        " UpdateKeyDescription",
    ),
    aws.KEY_ALIAS: _calls("kms", "CreateAlias DeleteAlias *ListAliases UpdateAlias"),
    aws.VPC: _ec2(
        "CreateVpc DeleteVpc *DescribeNetworkAcls *DescribeRouteTables *DescribeSecurityGroups DescribeVpcAttribute"
        " *DescribeVpcs ModifyVpcAttribute"
    ),
    aws.SUBNET: _ec2(f"CreateSubnet DeleteSubnet *DescribeSubnets ModifySubnetAttribute {_LINGERING}"),
    aws.INTERNET_GATEWAY: _ec2(
        "AttachInternetGateway CreateInternetGateway DeleteInternetGateway *DescribeInternetGateways"
        " DetachInternetGateway"
    ),
    aws.EIP: _ec2("AllocateAddress *DescribeAddresses *DescribeAddressesAttribute DisassociateAddress ReleaseAddress"),
    aws.NAT_GATEWAY: _ec2("CreateNatGateway DeleteNatGateway *DescribeNatGateways"),
    aws.ROUTE_TABLE: _ec2("CreateRouteTable DeleteRouteTable *DescribeRouteTables DisassociateRouteTable"),
    aws.ROUTE: _calls("ec2", "CreateRoute DeleteRoute *DescribeRouteTables ReplaceRoute"),
    aws.ROUTE_TABLE_ASSOCIATION: _calls(
        "ec2", "AssociateRouteTable *DescribeRouteTables DisassociateRouteTable ReplaceRouteTableAssociation"
    ),
    aws.VPC_ENDPOINT: _ec2(
        "CreateVpcEndpoint DeleteVpcEndpoints *DescribePrefixLists *DescribeVpcEndpoints ModifyVpcEndpoint"
    ),
    aws.VPC_ENDPOINT_ROUTE_TABLE_ASSOCIATION: _calls("ec2", "*DescribeVpcEndpoints ModifyVpcEndpoint"),
    aws.DEFAULT_SECURITY_GROUP: _ec2(
        "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress *DescribeSecurityGroups RevokeSecurityGroupEgress"
        " RevokeSecurityGroupIngress"
    ),
    aws.SECURITY_GROUP: _ec2(
        "AuthorizeSecurityGroupEgress CreateSecurityGroup DeleteSecurityGroup *DescribeSecurityGroups"
        f" RevokeSecurityGroupEgress RevokeSecurityGroupIngress {_LINGERING}"
    ),
    aws.SECURITY_GROUP_INGRESS_RULE: _ec2(
        "AuthorizeSecurityGroupIngress *DescribeSecurityGroupRules ModifySecurityGroupRules RevokeSecurityGroupIngress"
    ),
    aws.SECURITY_GROUP_EGRESS_RULE: _ec2(
        "AuthorizeSecurityGroupEgress *DescribeSecurityGroupRules ModifySecurityGroupRules RevokeSecurityGroupEgress"
    ),
    # Whoever makes a flow log also asks for its delivery to be set up.
    aws.FLOW_LOG: (
        *_ec2("CreateFlowLogs DeleteFlowLogs *DescribeFlowLogs"),
        *_calls("logs", "*CreateLogDelivery *DeleteLogDelivery"),
    ),
    aws.LOG_GROUP: _calls(
        "logs",
        "AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteRetentionPolicy *DescribeLogGroups DisassociateKmsKey"
        " ListTagsForResource PutRetentionPolicy TagResource UntagResource",
    ),
    aws.METRIC_FILTER: _calls("logs", "DeleteMetricFilter DescribeMetricFilters PutMetricFilter"),
    aws.BUCKET: _calls(
        "s3",
        "CreateBucket DeleteBucket DeleteObject DeleteObjectVersion GetAccelerateConfiguration GetBucketAcl"
        " GetBucketCORS"
        " GetBucketLocation GetBucketLogging GetBucketObjectLockConfiguration GetBucketPolicy GetBucketRequestPayment"
        " GetBucketTagging GetBucketVersioning GetBucketWebsite GetLifecycleConfiguration GetReplicationConfiguration"
        f" ListBucket ListBucketVersions ListTagsForResource PutBucketTagging TagResource UntagResource"
        f" {_BUCKET_ENCRYPTION}",
    ),
    aws.BUCKET_VERSIONING: _calls("s3", "GetBucketVersioning PutBucketVersioning"),
    aws.BUCKET_OWNERSHIP_CONTROLS: _calls("s3", "GetBucketOwnershipControls PutBucketOwnershipControls"),
    aws.BUCKET_PUBLIC_ACCESS_BLOCK: _calls("s3", "GetBucketPublicAccessBlock PutBucketPublicAccessBlock"),
    aws.BUCKET_ENCRYPTION: _calls("s3", _BUCKET_ENCRYPTION),
    aws.BUCKET_LIFECYCLE: _calls("s3", "GetLifecycleConfiguration PutLifecycleConfiguration"),
    aws.BUCKET_LOGGING: _calls("s3", "GetBucketAcl GetBucketLogging PutBucketLogging"),
    aws.BUCKET_POLICY: _calls("s3", "DeleteBucketPolicy GetBucketPolicy PutBucketPolicy"),
    aws.BUCKET_NOTIFICATION: _calls("s3", "GetBucketNotification PutBucketNotification"),
    # An object is written with the region's key, and read back with it.
    aws.OBJECT: (
        *_calls(
            "s3",
            "DeleteObject DeleteObjectVersion GetObject GetObjectAttributes GetObjectTagging GetObjectVersion"
            " ListBucket"
            " PutObject PutObjectAcl PutObjectTagging",
        ),
        *_calls("kms", "Decrypt GenerateDataKey"),
    ),
    # Lambda reads the code as whoever makes the function, encrypts its variables for them, and looks at the subnets.
    aws.FUNCTION: (
        *_calls(
            "lambda",
            "CreateFunction DeleteFunction DeleteFunctionConcurrency GetFunction GetFunctionCodeSigningConfig"
            " GetFunctionConcurrency GetFunctionConfiguration ListTags ListVersionsByFunction PublishVersion"
            " PutFunctionConcurrency TagResource UntagResource UpdateFunctionCode UpdateFunctionConfiguration",
        ),
        *_calls("ec2", "*DescribeNetworkInterfaces *DescribeSecurityGroups *DescribeSubnets *DescribeVpcs"),
        *_calls("kms", "CreateGrant Decrypt DescribeKey Encrypt GenerateDataKey"),
        *_calls("s3", "GetObject GetObjectVersion"),
    ),
    aws.FUNCTION_ALIAS: _calls("lambda", "CreateAlias DeleteAlias GetAlias UpdateAlias"),
    aws.FUNCTION_EVENT_INVOKE_CONFIG: _calls(
        "lambda",
        "DeleteFunctionEventInvokeConfig GetFunctionEventInvokeConfig PutFunctionEventInvokeConfig"
        " UpdateFunctionEventInvokeConfig",
    ),
    aws.PERMISSION: _calls("lambda", "AddPermission GetPolicy RemovePermission"),
    aws.QUEUE: _calls(
        "sqs",
        "CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl ListQueueTags SetQueueAttributes TagQueue UntagQueue",
    ),
    aws.QUEUE_POLICY: _calls("sqs", "GetQueueAttributes SetQueueAttributes"),
    aws.API: _API_GATEWAY,
    aws.API_ROUTE: _API_GATEWAY,
    aws.INTEGRATION: _API_GATEWAY,
    aws.AUTHORIZER: _API_GATEWAY,
    # Whoever turns access logs on asks for their delivery to be set up
    # (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html).
    aws.STAGE: (
        *_API_GATEWAY,
        *_calls(
            "logs",
            "*CreateLogDelivery *DeleteLogDelivery *DescribeLogGroups *DescribeResourcePolicies *GetLogDelivery"
            " *ListLogDeliveries *PutResourcePolicy *UpdateLogDelivery",
        ),
    ),
    aws.METRIC_ALARM: _calls(
        "cloudwatch", "DeleteAlarms DescribeAlarms ListTagsForResource PutMetricAlarm TagResource UntagResource"
    ),
    aws.DASHBOARD: _calls("cloudwatch", "DeleteDashboards GetDashboard PutDashboard"),
    aws.TOPIC: _calls(
        "sns",
        "CreateTopic DeleteTopic GetTopicAttributes ListTagsForResource SetTopicAttributes TagResource UntagResource",
    ),
    aws.TOPIC_POLICY: _calls("sns", "GetTopicAttributes SetTopicAttributes"),
    aws.TOPIC_SUBSCRIPTION: _calls(
        "sns", "*GetSubscriptionAttributes ListSubscriptionsByTopic *SetSubscriptionAttributes Subscribe *Unsubscribe"
    ),
    aws.EVENT_RULE: _calls(
        "events",
        "DeleteRule DescribeRule DisableRule EnableRule ListTagsForResource PutRule TagResource UntagResource",
    ),
    aws.EVENT_TARGET: _calls("events", "ListTargetsByRule PutTargets RemoveTargets"),
    aws.TRAIL: _calls(
        "cloudtrail",
        "AddTags CreateTrail DeleteTrail *DescribeTrails GetEventSelectors GetInsightSelectors GetTrailStatus ListTags"
        " RemoveTags StartLogging StopLogging UpdateTrail",
    ),
    aws.DB_SUBNET_GROUP: _calls(
        "rds",
        "AddTagsToResource CreateDBSubnetGroup DeleteDBSubnetGroup DescribeDBSubnetGroups ListTagsForResource"
        " ModifyDBSubnetGroup RemoveTagsFromResource",
    ),
    aws.DB_PARAMETER_GROUP: _calls(
        "rds",
        "AddTagsToResource CreateDBClusterParameterGroup DeleteDBClusterParameterGroup DescribeDBClusterParameterGroups"
        " DescribeDBClusterParameters ListTagsForResource ModifyDBClusterParameterGroup RemoveTagsFromResource"
        " ResetDBClusterParameterGroup",
    ),
    aws.DB_GLOBAL_CLUSTER: _calls(
        "rds",
        "AddTagsToResource CreateGlobalCluster DeleteGlobalCluster DescribeGlobalClusters ListTagsForResource"
        " ModifyGlobalCluster RemoveFromGlobalCluster RemoveTagsFromResource",
    ),
    # RDS and Secrets Manager act on the key and the secret for whoever makes the cluster.
    aws.DB_CLUSTER: (
        *_calls(
            "rds",
            "AddTagsToResource CreateDBCluster CreateDBClusterSnapshot DeleteDBCluster DescribeDBClusters"
            " DescribeGlobalClusters ListTagsForResource ModifyDBCluster RemoveFromGlobalCluster"
            " RemoveTagsFromResource",
        ),
        *_calls("ec2", "*DescribeSecurityGroups *DescribeSubnets *DescribeVpcs DescribeVpcAttribute"),
        *_calls("kms", "CreateGrant Decrypt DescribeKey GenerateDataKey"),
        *_calls("secretsmanager", "CreateSecret TagResource"),
    ),
    aws.DB_INSTANCE: _calls(
        "rds",
        "AddTagsToResource CreateDBInstance DeleteDBInstance DescribeDBClusters DescribeDBInstances ListTagsForResource"
        " ModifyDBInstance RebootDBInstance RemoveTagsFromResource",
    ),
    # The last line: what DynamoDB does as whoever adds a replica
    # (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables-security.html).
    aws.TABLE: (
        *_calls(
            "dynamodb",
            "CreateTable DeleteTable DescribeContinuousBackups DescribeTable DescribeTimeToLive ListTagsOfResource"
            " TagResource UntagResource UpdateContinuousBackups UpdateTable UpdateTimeToLive"
            " BatchWriteItem CreateTableReplica DeleteItem DeleteTableReplica GetItem PutItem Query Scan UpdateItem",
        ),
        *_calls("kms", "CreateGrant Decrypt DescribeKey Encrypt GenerateDataKey"),
    ),
    aws.TABLE_TAG: _calls("dynamodb", "ListTagsOfResource TagResource UntagResource"),
    aws.ROLE: _calls(
        "iam",
        "CreateRole DeleteRole DeleteRolePermissionsBoundary GetRole ListAttachedRolePolicies"
        " ListInstanceProfilesForRole"
        " ListRolePolicies ListRoleTags PutRolePermissionsBoundary TagRole UntagRole UpdateAssumeRolePolicy UpdateRole"
        " UpdateRoleDescription",
    ),
    aws.ROLE_POLICY: _calls("iam", "DeleteRolePolicy GetRolePolicy PutRolePolicy"),
}

#: What every name of ours ends in: a hyphen and eight hexadecimal digits (tap_api.naming.account_suffix).
_OURS = "*-????????"
#: Prefix of actions -> what they are given on. What only AWS can name is given on everything of its service.
RESOURCES: Mapping[str, tuple[str, ...]] = {
    "apigateway": ("arn:aws:apigateway:*::/apis", "arn:aws:apigateway:*::/apis/*", "arn:aws:apigateway:*::/tags/*"),
    "cloudtrail": (f"arn:aws:cloudtrail:*:*:trail/{_OURS}",),
    "cloudwatch": (f"arn:aws:cloudwatch:*:*:alarm:{_OURS}", f"arn:aws:cloudwatch::*:dashboard/{_OURS}"),
    "dynamodb": (f"arn:aws:dynamodb:*:*:table/{_OURS}",),
    "ec2": ("arn:aws:ec2:*:*:*/*",),
    "events": (f"arn:aws:events:*:*:rule/{_OURS}",),
    "iam": (f"arn:aws:iam::*:role/{_OURS}",),
    "kms": ("arn:aws:kms:*:*:key/*", f"arn:aws:kms:*:*:alias/{_OURS}"),
    "lambda": (f"arn:aws:lambda:*:*:function:{_OURS}", f"arn:aws:lambda:*:*:function:{_OURS}:*"),
    # *DescribeLogGroups is asked for on `log-group::log-stream:*`, which is why the groups are not narrowed.
    "logs": ("arn:aws:logs:*:*:log-group:*",),
    "rds": (f"arn:aws:rds:*:*:*:{_OURS}*", f"arn:aws:rds::*:global-cluster:{_OURS}*"),
    "s3": (f"arn:aws:s3:::{_OURS}", f"arn:aws:s3:::{_OURS}/*"),
    "secretsmanager": ("arn:aws:secretsmanager:*:*:secret:rds!cluster-*",),
    "sns": (f"arn:aws:sns:*:*:{_OURS}", f"arn:aws:sns:*:*:{_OURS}:*"),
    "sqs": (f"arn:aws:sqs:*:*:{_OURS}",),
}
#: The services that our roles are handed to, and the ones that make a role of their own at first use.
_PASSED_TO = ("lambda.amazonaws.com", "monitoring.rds.amazonaws.com", "vpc-flow-logs.amazonaws.com")
_LINKED = ("rds.amazonaws.com", "replication.dynamodb.amazonaws.com")

#: Name of a policy -> the prefixes that are in it. One policy would pass the 6,144 characters that AWS takes.
POLICIES: Mapping[str, tuple[str, ...]] = {
    "network": ("ec2",),
    "data": ("dynamodb", "kms", "rds", "s3", "secretsmanager"),
    "compute": ("apigateway", "iam", "lambda", "sqs"),
    "monitoring": ("cloudtrail", "cloudwatch", "events", "logs", "sns"),
}


def actions(kinds: Iterable[AwsKind] = aws.KINDS) -> list[str]:
    """Returns the actions behind `kinds`, each once, sorted.

    Raises:
        KeyError: nothing is known of one of them.
    """
    return sorted({call for kind in kinds for call in CALLS[kind]}, key=lambda call: call.removeprefix(ANYWHERE))


def policies() -> dict[str, Json]:
    """Returns the policies of the provider's role, by name."""
    return {name: _policy(prefixes) for name, prefixes in POLICIES.items()}


def _policy(prefixes: tuple[str, ...]) -> Json:
    chosen = [call for call in actions() if _prefix(call) in prefixes]
    anywhere = [call.removeprefix(ANYWHERE) for call in chosen if call.startswith(ANYWHERE)]
    named = [call for call in chosen if not call.startswith(ANYWHERE)]
    statements: list[Json] = [
        _allow(f"{prefix.capitalize()}", list(calls), list(RESOURCES[prefix]))
        for prefix, calls in groupby(named, key=_prefix)
    ]
    if anywhere:
        statements.append(_allow("Anywhere", anywhere, ["*"]))
    if "iam" in prefixes:
        statements += _roles()
    return {"Version": VERSION, "Statement": statements}


def _roles() -> list[Json]:
    passed = _allow("PassOurRoles", ["iam:PassRole"], list(RESOURCES["iam"]))
    linked = _allow("RolesOfServices", ["iam:CreateServiceLinkedRole"], ["arn:aws:iam::*:role/aws-service-role/*"])
    return [
        {**passed, "Condition": {"StringEquals": {"iam:PassedToService": list(_PASSED_TO)}}},
        {**linked, "Condition": {"StringEquals": {"iam:AWSServiceName": list(_LINKED)}}},
    ]


def _allow(sid: str, allowed: list[str], resources: list[str]) -> Json:
    return {"Sid": sid, "Effect": "Allow", "Action": allowed, "Resource": resources}


def _prefix(call: str) -> str:
    return call.removeprefix(ANYWHERE).partition(":")[0]
