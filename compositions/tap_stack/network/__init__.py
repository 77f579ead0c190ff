"""The network of a region: one VPC with three tiers of subnets over two or three zones. One file a concern."""

from typing import Any

from tap_api.kinds import RegionalNetworkSpec
from tap_stack.composed import Condition
from tap_stack.network import claim, endpoints, flow_logs, nat, routes, security_groups, subnets, vpc
from tap_stack.network.scope import Network
from tap_stack.resource import Resources
from tap_stack.subject import Subject


def resources(subject: Subject[RegionalNetworkSpec]) -> Resources:
    """Yields the resources of the network, in the order in which they refer to one another."""
    network = Network.of(subject)
    yield from vpc.resources(network)
    yield from subnets.resources(network)
    yield from nat.resources(network)
    yield from routes.resources(network)
    yield from endpoints.resources(network)
    yield from flow_logs.resources(network)
    yield from security_groups.resources(network)


def outputs(subject: Subject[Any]) -> dict[str, str | None]:
    """Returns the id of the VPC."""
    observation = subject.observed.get(vpc.VPC)
    return {"vpcId": observation.field("status", "atProvider", "id") if observation else None}


def conditions(subject: Subject[RegionalNetworkSpec]) -> tuple[Condition, ...]:
    """Returns whether the network has its address range."""
    return claim.conditions(subject)


def requires(subject: Subject[RegionalNetworkSpec]) -> tuple[str, ...]:
    """Returns the name of the CidrBlock that says so."""
    return (claim.block(subject),)
