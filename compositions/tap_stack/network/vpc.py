"""The VPC, its way to the internet, and its default security group, which is locked when it is made."""

from tap_api.naming import VPC_KEY
from tap_stack import aws
from tap_stack.network import claim
from tap_stack.network.scope import Network
from tap_stack.resource import Resources
from tap_stack.values import Ref

VPC = VPC_KEY
INTERNET_GATEWAY = "internet-gateway"
DEFAULT_SECURITY_GROUP = "default-security-group"


def resources(network: Network) -> Resources:
    """Yields the VPC, its internet gateway and its default security group."""
    yield network.make(
        VPC,
        aws.VPC,
        {"cidrBlock": network.subject.spec.cidr, "enableDnsSupport": True, "enableDnsHostnames": True},
        kept=True,
        after=claim.missing(network.subject),
    )
    yield network.make(INTERNET_GATEWAY, aws.INTERNET_GATEWAY, {"vpcIdRef": Ref(VPC)})
    # No ingress and no egress: the provider revokes every rule that AWS put there, once, when it takes the group over
    # (resourceDefaultSecurityGroupCreate in terraform-provider-aws). Both are computed where nothing is wanted, so a
    # rule that somebody adds later stays, and is reported as a change (monitoring.changes).
    yield network.make(DEFAULT_SECURITY_GROUP, aws.DEFAULT_SECURITY_GROUP, {"vpcIdRef": Ref(VPC)})
