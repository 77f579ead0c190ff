"""Gateway endpoints: traffic to S3 and DynamoDB stays inside AWS, costs no NAT, and reaches this account alone."""

from tap_stack import aws
from tap_stack.documents import Statement, Text, policy
from tap_stack.network.routes import DATABASE, private_tables
from tap_stack.network.scope import Network
from tap_stack.network.vpc import VPC
from tap_stack.resource import Resources
from tap_stack.values import Ref

SERVICES = ("s3", "dynamodb")


def resources(network: Network) -> Resources:
    """Yields the endpoints and the route tables that they are in: every one but the public."""
    for service in SERVICES:
        endpoint = f"endpoint-{service}"
        yield network.make(
            endpoint,
            aws.VPC_ENDPOINT,
            {
                "vpcIdRef": Ref(VPC),
                "serviceName": f"com.amazonaws.{network.subject.region}.{service}",
                "vpcEndpointType": "Gateway",
                "policy": endpoint_policy(service, network.subject.account),
            },
        )
        for table in (*private_tables(network), DATABASE):
            # A kind of its own: the endpoint's routeTableIds are status only (provider-upjet-aws#1824).
            yield network.make(
                f"{endpoint}-{table.removeprefix('routes-')}",
                aws.VPC_ENDPOINT_ROUTE_TABLE_ASSOCIATION,
                {"vpcEndpointIdRef": Ref(endpoint), "routeTableIdRef": Ref(table)},
            )


def endpoint_policy(service: str, account: Text) -> Text:
    """Returns a policy that lets this account's principals reach this account's resources, and nothing else.

    Without the first condition a stranger's credentials could carry data out; without the second, ours could carry it
    into a stranger's bucket.
    """
    return policy(
        Statement(
            sid="ThisAccount",
            actions=(f"{service}:*",),
            resources=("*",),
            principal="*",
            conditions={"StringEquals": {"aws:PrincipalAccount": account, "aws:ResourceAccount": account}},
        )
    )
