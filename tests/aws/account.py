"""What an account holds, asked of AWS's own API as anybody would: moto answers here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from tap_cluster import moto

#: What every AWS account has without asking for it.
_DEFAULT = {"Name": "isDefault", "Values": ["false"]}
_GONE = {"deleted", "deleting", "PendingDeletion"}


@dataclass(frozen=True)
class Account:
    """moto's account, reached as the provider reaches it: by its proxy.

    Attributes:
        proxy: URL of moto's server.
    """

    proxy: str

    def client(self, service: str, region: str) -> Any:
        """Returns AWS's own client of a service."""
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=moto.ENDPOINT,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 (moto takes any)
            config=Config(proxies={"http": self.proxy}, s3={"addressing_style": "path"}),
        )

    def holds(self, region: str) -> set[str]:
        """Returns everything of a region that somebody made, and of IAM, by kind and id."""
        return {
            f"{kind} {found}" for kind, ask in _ASK.items() for found in ask(lambda name: self.client(name, region))
        }


_Clients = Callable[[str], Any]


def _keys(of: _Clients) -> list[str]:
    """Returns the keys that somebody made, with what they are for: an id alone tells nobody whose key was left."""
    kms = of("kms")
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    # moto says of a key of AWS's own that a customer manages it.
    own = {alias.get("TargetKeyId") for alias in kms.list_aliases()["Aliases"] if _is_own(alias)}
    return [
        f"{key['KeyId']} {key['KeyState']} {key['Description']!r}"
        for key in keys
        if key["KeyState"] not in _GONE and key["KeyManager"] == "CUSTOMER" and key["KeyId"] not in own
    ]


def _is_own(alias: dict[str, Any]) -> bool:
    """Returns whether an alias is of a key that AWS makes itself, where a service first needs it."""
    return str(alias["AliasName"]).startswith("alias/aws/")


def _vpcs(of: _Clients) -> list[str]:
    return [vpc["VpcId"] for vpc in of("ec2").describe_vpcs(Filters=[_DEFAULT])["Vpcs"]]


def _of_vpcs(operation: str, field: str, name: str) -> Callable[[_Clients], list[str]]:
    """Returns what lists the members of VPCs that somebody made: the default one has members too."""

    def ask(of: _Clients) -> list[str]:
        vpcs = _vpcs(of)
        found = getattr(of("ec2"), operation)()[field]
        return [one[name] for one in found if one["VpcId"] in vpcs and one.get("State") not in _GONE]

    return ask


def _list(service: str, operation: str, field: str, name: str = "") -> Callable[[_Clients], list[str]]:
    def ask(of: _Clients) -> list[str]:
        found = getattr(of(service), operation)().get(field, [])
        return [one[name] if name else one for one in found]

    return ask


def _gateways(of: _Clients) -> list[str]:
    found = of("ec2").describe_internet_gateways()["InternetGateways"]
    return [gateway["InternetGatewayId"] for gateway in found]


def _objects(of: _Clients) -> list[str]:
    s3 = of("s3")
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    return [f"{name}/{item['Key']}" for name in buckets for item in s3.list_objects_v2(Bucket=name).get("Contents", [])]


def _roles(of: _Clients) -> list[str]:
    return [role["RoleName"] for role in of("iam").list_roles()["Roles"]]


_ASK: dict[str, Callable[[_Clients], list[str]]] = {
    "alarm": _list("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "alias": lambda of: [alias["AliasName"] for alias in of("kms").list_aliases()["Aliases"] if not _is_own(alias)],
    "address": _list("ec2", "describe_addresses", "Addresses", "AllocationId"),
    "api": _list("apigatewayv2", "get_apis", "Items", "ApiId"),
    "bucket": _list("s3", "list_buckets", "Buckets", "Name"),
    "cluster": _list("rds", "describe_db_clusters", "DBClusters", "DBClusterIdentifier"),
    "dashboard": _list("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "endpoint": _of_vpcs("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    "flow log": _list("ec2", "describe_flow_logs", "FlowLogs", "FlowLogId"),
    "function": _list("lambda", "list_functions", "Functions", "FunctionName"),
    "global cluster": _list("rds", "describe_global_clusters", "GlobalClusters", "GlobalClusterIdentifier"),
    "instance": _list("rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
    "internet gateway": _gateways,
    "key": _keys,
    "log group": _list("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "metric filter": _list("logs", "describe_metric_filters", "metricFilters", "filterName"),
    "NAT gateway": _of_vpcs("describe_nat_gateways", "NatGateways", "NatGatewayId"),
    "object": _objects,
    "queue": _list("sqs", "list_queues", "QueueUrls"),
    "role": _roles,
    "route table": _of_vpcs("describe_route_tables", "RouteTables", "RouteTableId"),
    "rule": _list("events", "list_rules", "Rules", "Name"),
    "security group": _of_vpcs("describe_security_groups", "SecurityGroups", "GroupId"),
    "subnet": _of_vpcs("describe_subnets", "Subnets", "SubnetId"),
    "subnet group": _list("rds", "describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName"),
    "parameter group": lambda of: [
        group["DBClusterParameterGroupName"]
        for group in of("rds").describe_db_cluster_parameter_groups()["DBClusterParameterGroups"]
        if not group["DBClusterParameterGroupName"].startswith("default.")
    ],
    "subscription": _list("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    "table": _list("dynamodb", "list_tables", "TableNames"),
    "topic": _list("sns", "list_topics", "Topics", "TopicArn"),
    "VPC": _vpcs,
}
