"""The subnets: public for NAT gateways and load balancers, private for workloads, database for Aurora."""

from tap_stack import aws
from tap_stack.network.scope import Network
from tap_stack.network.vpc import VPC
from tap_stack.resource import Resources
from tap_stack.values import Ref


def resources(network: Network) -> Resources:
    """Yields the subnets of each zone.

    No subnet gives out public addresses: a NAT gateway brings its own, and nothing else belongs there. That is AWS's
    default, and said all the same: late initialization would keep whatever somebody turns on by hand.
    """
    for zone in network.zones:
        for tier, addresses in zone.ranges.items():
            yield network.make(
                f"{tier}-{zone.letter}",
                aws.SUBNET,
                {
                    "vpcIdRef": Ref(VPC),
                    "cidrBlock": str(addresses),
                    "availabilityZone": zone.name,
                    "mapPublicIpOnLaunch": False,
                },
                kept=True,
            )
