"""The address plan of a VPC: which subnet has which range. A function of the VPC's range alone.

A quarter of the VPC goes to the private subnet of each of three zones; the last quarter is cut into eight, three for
public subnets and three for databases, two kept free. A zone's ranges do not depend on how many zones are in use,
because AWS cannot change the range of a subnet (05-aws.md): going from two zones to three adds subnets, moves none.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network

#: A subnet has at least sixteen addresses, /28 (https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html);
#: the smallest of the plan is the VPC's prefix plus five.
LONGEST_PREFIX = 23
#: The largest VPC there is (https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html).
SHORTEST_PREFIX = 16
PRIVATE_RANGES = tuple(IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


@dataclass(frozen=True)
class SubnetPlan:
    """The ranges of one zone.

    Attributes:
        public: For NAT gateways and load balancers.
        private: For workloads.
        database: For Aurora.
    """

    public: IPv4Network
    private: IPv4Network
    database: IPv4Network


def plan(vpc: IPv4Network) -> tuple[SubnetPlan, SubnetPlan, SubnetPlan]:
    """Returns the ranges of the three zones of `vpc`.

    Raises:
        ValueError: `vpc` is not /16 to /23.
    """
    if not SHORTEST_PREFIX <= vpc.prefixlen <= LONGEST_PREFIX:
        message = f"{vpc} must be /{SHORTEST_PREFIX} to /{LONGEST_PREFIX}"
        raise ValueError(message)
    *private, rest = vpc.subnets(prefixlen_diff=2)
    small = list(rest.subnets(prefixlen_diff=3))
    zones = [SubnetPlan(public=small[i], private=private[i], database=small[i + 3]) for i in range(3)]
    return zones[0], zones[1], zones[2]
