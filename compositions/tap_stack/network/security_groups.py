"""Security groups by purpose. A workload that needs the database is put into `database-client`, and that is all.

Rules are kinds of their own, one peer each: SecurityGroupRule gets stuck and misses changes (provider-upjet-aws#1045,
#1096), and the provider takes away the rule that AWS adds, which lets everything out.
"""

from tap_stack import aws
from tap_stack.network.routes import ANYWHERE
from tap_stack.network.scope import Network
from tap_stack.network.vpc import VPC
from tap_stack.resource import Resources
from tap_stack.values import Ref

PROCESSOR = "security-group-processor"
DATABASE = "security-group-database"
DATABASE_CLIENT = "security-group-database-client"

#: Key -> what the group is for. Name and description cannot be changed in AWS.
GROUPS = {
    PROCESSOR: "The processor: HTTPS to AWS and beyond",
    DATABASE: "Aurora: MySQL from database clients",
    DATABASE_CLIENT: "Whatever may connect to Aurora",
}
MYSQL = 3306
HTTPS = 443


def resources(network: Network) -> Resources:
    """Yields the groups and their rules."""
    for group, description in GROUPS.items():
        yield network.make(
            group,
            aws.SECURITY_GROUP,
            {
                "vpcIdRef": Ref(VPC),
                # Unique in its VPC, which is all that AWS asks for; `sg-` in front is AWS's own.
                "name": f"{network.subject.name}-{group.removeprefix('security-group-')}",
                "description": description,
            },
            kept=True,
        )
    yield network.make(
        "rule-database-from-client",
        aws.SECURITY_GROUP_INGRESS_RULE,
        {
            "securityGroupIdRef": Ref(DATABASE),
            "description": "MySQL from database clients",
            **_tcp(MYSQL),
            "referencedSecurityGroupIdRef": Ref(DATABASE_CLIENT),
        },
    )
    yield network.make(
        "rule-client-to-database",
        aws.SECURITY_GROUP_EGRESS_RULE,
        {
            "securityGroupIdRef": Ref(DATABASE_CLIENT),
            "description": "MySQL to the database",
            **_tcp(MYSQL),
            "referencedSecurityGroupIdRef": Ref(DATABASE),
        },
    )
    yield network.make(
        "rule-processor-to-https",
        aws.SECURITY_GROUP_EGRESS_RULE,
        {
            "securityGroupIdRef": Ref(PROCESSOR),
            "description": "HTTPS to AWS and beyond",
            **_tcp(HTTPS),
            "cidrIpv4": ANYWHERE,
        },
    )


def _tcp(port: int) -> dict[str, str | int]:
    return {"ipProtocol": "tcp", "fromPort": port, "toPort": port}
