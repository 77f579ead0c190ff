"""The kinds of AWS resources that are composed. A part that needs another one adds it here; emit.py does the rest."""

from tap_api.limits import MOST_OBJECT_TAGS
from tap_stack.catalogue import AwsKind

KEY = AwsKind("kms", "Key", needs=("arn", "keyId"))
KEY_ALIAS = AwsKind("kms", "Alias", needs=("arn",))

VPC = AwsKind("ec2", "VPC")
SUBNET = AwsKind("ec2", "Subnet")
INTERNET_GATEWAY = AwsKind("ec2", "InternetGateway")
EIP = AwsKind("ec2", "EIP")
NAT_GATEWAY = AwsKind("ec2", "NATGateway")
ROUTE_TABLE = AwsKind("ec2", "RouteTable")
ROUTE = AwsKind("ec2", "Route")
ROUTE_TABLE_ASSOCIATION = AwsKind("ec2", "RouteTableAssociation")
VPC_ENDPOINT = AwsKind("ec2", "VPCEndpoint")
VPC_ENDPOINT_ROUTE_TABLE_ASSOCIATION = AwsKind("ec2", "VPCEndpointRouteTableAssociation")
# Late initialization would take a rule that somebody added by hand into the spec, and the provider would put it back
# whenever it is removed.
DEFAULT_SECURITY_GROUP = AwsKind("ec2", "DefaultSecurityGroup", repeatable=True)
SECURITY_GROUP = AwsKind("ec2", "SecurityGroup")
SECURITY_GROUP_INGRESS_RULE = AwsKind("ec2", "SecurityGroupIngressRule")
SECURITY_GROUP_EGRESS_RULE = AwsKind("ec2", "SecurityGroupEgressRule")
FLOW_LOG = AwsKind("ec2", "FlowLog")

LOG_GROUP = AwsKind("cloudwatchlogs", "Group", needs=("arn",))

BUCKET = AwsKind("s3", "Bucket", needs=("id", "arn"))
BUCKET_VERSIONING = AwsKind("s3", "BucketVersioning")
BUCKET_OWNERSHIP_CONTROLS = AwsKind("s3", "BucketOwnershipControls")
BUCKET_PUBLIC_ACCESS_BLOCK = AwsKind("s3", "BucketPublicAccessBlock")
BUCKET_ENCRYPTION = AwsKind("s3", "BucketServerSideEncryptionConfiguration")
# It has been Ready with nothing in AWS (provider-upjet-aws#1986).
BUCKET_LIFECYCLE = AwsKind("s3", "BucketLifecycleConfiguration", needs=("rule",))
BUCKET_LOGGING = AwsKind("s3", "BucketLogging")
BUCKET_POLICY = AwsKind("s3", "BucketPolicy")

# As with the default security group: a target that was added by hand would become one that is wanted.
BUCKET_NOTIFICATION = AwsKind("s3", "BucketNotification", repeatable=True)
OBJECT = AwsKind("s3", "Object", needs=("versionId",), most_tags=MOST_OBJECT_TAGS)

FUNCTION = AwsKind("lambda", "Function", needs=("arn", "codeSha256", "version"))
FUNCTION_ALIAS = AwsKind("lambda", "Alias", needs=("arn", "invokeArn"))
FUNCTION_EVENT_INVOKE_CONFIG = AwsKind("lambda", "FunctionEventInvokeConfig")
PERMISSION = AwsKind("lambda", "Permission")
QUEUE = AwsKind("sqs", "Queue", needs=("arn", "url"))
QUEUE_POLICY = AwsKind("sqs", "QueuePolicy")

API = AwsKind("apigatewayv2", "API", needs=("id", "apiEndpoint", "executionArn"))
API_ROUTE = AwsKind("apigatewayv2", "Route")
INTEGRATION = AwsKind("apigatewayv2", "Integration")
AUTHORIZER = AwsKind("apigatewayv2", "Authorizer")
STAGE = AwsKind("apigatewayv2", "Stage")

METRIC_FILTER = AwsKind("cloudwatchlogs", "MetricFilter")

METRIC_ALARM = AwsKind("cloudwatch", "MetricAlarm", needs=("arn",))
DASHBOARD = AwsKind("cloudwatch", "Dashboard", needs=("dashboardArn",))
TOPIC = AwsKind("sns", "Topic", needs=("arn",))
TOPIC_POLICY = AwsKind("sns", "TopicPolicy")
TOPIC_SUBSCRIPTION = AwsKind("sns", "TopicSubscription", needs=("arn",))
EVENT_RULE = AwsKind("cloudwatchevents", "Rule", needs=("arn",))
EVENT_TARGET = AwsKind("cloudwatchevents", "Target")
TRAIL = AwsKind("cloudtrail", "Trail", needs=("arn",))

DB_SUBNET_GROUP = AwsKind("rds", "SubnetGroup", needs=("arn",))
DB_PARAMETER_GROUP = AwsKind("rds", "ClusterParameterGroup", needs=("arn",))
DB_GLOBAL_CLUSTER = AwsKind("rds", "GlobalCluster", needs=("arn",))
DB_CLUSTER = AwsKind("rds", "Cluster", needs=("arn", "endpoint", "readerEndpoint"))
# It is Ready long before AWS is done (provider-upjet-aws#1905); whether it writes is known once it is a member.
DB_INSTANCE = AwsKind("rds", "ClusterInstance", needs=("endpoint", "writer"))

TABLE = AwsKind("dynamodb", "Table", needs=("arn",))
TABLE_TAG = AwsKind("dynamodb", "Tag")

ROLE = AwsKind("iam", "Role", needs=("arn",))
ROLE_POLICY = AwsKind("iam", "RolePolicy")

KINDS: tuple[AwsKind, ...] = tuple(sorted(value for value in tuple(globals().values()) if isinstance(value, AwsKind)))
