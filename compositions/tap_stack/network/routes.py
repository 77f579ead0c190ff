"""Route tables: one public, one private a zone, one for databases, which has no way out.

A private table a zone whatever the NAT mode, so that changing the mode moves a route and never a subnet.
"""

from tap_stack import aws
from tap_stack.network.nat import gateway_of
from tap_stack.network.scope import Network
from tap_stack.network.vpc import INTERNET_GATEWAY, VPC
from tap_stack.resource import Resources
from tap_stack.values import Ref

ANYWHERE = "0.0.0.0/0"
PUBLIC = "routes-public"
DATABASE = "routes-database"


def private_tables(network: Network) -> list[str]:
    """Returns the keys of the private route tables, one a zone."""
    return [f"routes-private-{zone.letter}" for zone in network.zones]


def resources(network: Network) -> Resources:
    """Yields the tables, their routes to the internet, and which subnet has which table."""
    for table in (PUBLIC, *private_tables(network), DATABASE):
        yield network.make(table, aws.ROUTE_TABLE, {"vpcIdRef": Ref(VPC)})
    yield network.make(
        "route-public-internet",
        aws.ROUTE,
        {
            "routeTableIdRef": Ref(PUBLIC),
            "destinationCidrBlock": ANYWHERE,
            "gatewayIdRef": Ref(INTERNET_GATEWAY),
        },
    )
    for zone in network.zones:
        yield network.make(
            f"route-private-{zone.letter}-internet",
            aws.ROUTE,
            {
                "routeTableIdRef": Ref(f"routes-private-{zone.letter}"),
                "destinationCidrBlock": ANYWHERE,
                # A reference is resolved once and kept (provider-upjet-aws#1242); this one moves with the NAT mode,
                # and a route to a gateway that is gone drops every packet.
                "natGatewayIdRef": Ref(gateway_of(network, zone), always=True),
            },
        )
    for zone in network.zones:
        tables = {"public": PUBLIC, "private": f"routes-private-{zone.letter}", "database": DATABASE}
        for tier in zone.ranges:
            yield network.make(
                f"association-{tier}-{zone.letter}",
                aws.ROUTE_TABLE_ASSOCIATION,
                {"routeTableIdRef": Ref(tables[tier]), "subnetIdRef": Ref(f"{tier}-{zone.letter}")},
            )
