"""The kinds of AWS resources that are composed. A part that needs another one adds it here; emit.py does the rest."""

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
DEFAULT_SECURITY_GROUP = AwsKind("ec2", "DefaultSecurityGroup")
SECURITY_GROUP = AwsKind("ec2", "SecurityGroup")
SECURITY_GROUP_INGRESS_RULE = AwsKind("ec2", "SecurityGroupIngressRule")
SECURITY_GROUP_EGRESS_RULE = AwsKind("ec2", "SecurityGroupEgressRule")
FLOW_LOG = AwsKind("ec2", "FlowLog")

LOG_GROUP = AwsKind("cloudwatchlogs", "Group", needs=("arn",))

ROLE = AwsKind("iam", "Role", needs=("arn",))
ROLE_POLICY = AwsKind("iam", "RolePolicy")

KINDS: tuple[AwsKind, ...] = tuple(sorted(value for value in tuple(globals().values()) if isinstance(value, AwsKind)))
