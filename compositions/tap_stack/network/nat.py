"""NAT gateways: one for the region, or one a zone."""

from tap_api.sections import NatMode
from tap_stack import aws
from tap_stack.network.scope import Network, Zone
from tap_stack.network.vpc import INTERNET_GATEWAY
from tap_stack.resource import Resources
from tap_stack.values import Ref


def gateway_of(network: Network, zone: Zone) -> str:
    """Returns the key of the NAT gateway that `zone` goes through: its own, or the first zone's."""
    through = zone if network.spec.nat is NatMode.PER_ZONE else network.zones[0]
    return f"nat-{through.letter}"


def resources(network: Network) -> Resources:
    """Yields the address and the gateway of each zone that has one."""
    for zone in network.zones:
        if gateway_of(network, zone) != f"nat-{zone.letter}":
            continue
        yield network.make(f"nat-address-{zone.letter}", aws.EIP, {"domain": "vpc"})
        yield network.make(
            f"nat-{zone.letter}",
            aws.NAT_GATEWAY,
            {
                "allocationIdRef": Ref(f"nat-address-{zone.letter}"),
                "subnetIdRef": Ref(f"public-{zone.letter}"),
                "connectivityType": "public",
            },
            # Before the VPC has its internet gateway AWS makes one that failed (`Gateway.NotAttached`), and shows it
            # for an hour: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
            after=(INTERNET_GATEWAY,),
        )
