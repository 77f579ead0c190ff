"""The model of a CidrBlock: who holds which address ranges of one /16 in one peering group.

AWS's VPCs are /16 to /28, so every range lies in exactly one /16, and the one object of that /16 and group decides. The
rules here hold whoever writes: an apiserver that keeps them cannot store two claims that overlap.
"""

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from tap_api.addressing import LONGEST_PREFIX, SHORTEST_PREFIX
from tap_api.base import ApiModel, Check, Cidr, DnsLabel, cel, immutable, list_map
from tap_api.common import Environment

#: What a rule over all pairs of claims may cost the apiserver (07, section 3). A /16 holds 64 ranges of /22.
MOST_CLAIMS = 64
_DISJOINT = (
    "self.claims.all(a, self.claims.all(b, a.cidr == b.cidr || "
    "!(cidr(a.cidr).containsCIDR(cidr(b.cidr)) || cidr(b.cidr).containsCIDR(cidr(a.cidr)))))"
)
_INSIDE = (
    "self.claims.all(c, isCIDR(c.cidr) && cidr(c.cidr).masked() == cidr(c.cidr) "
    f"&& cidr(c.cidr).prefixLength() <= {LONGEST_PREFIX} && cidr(self.cidr).containsCIDR(c.cidr))"
)

#: Names of objects: DNS subdomains (RFC 1123).
ObjectName = Annotated[str, StringConstraints(min_length=1, max_length=253)]


class _Stored(ApiModel):
    """A piece of a block. A function may read what an operator of a newer version wrote."""

    model_config = ConfigDict(extra="ignore")


class RegionalTapRef(_Stored):
    """A RegionalTap."""

    namespace: DnsLabel = Field(description="Its namespace.")
    name: ObjectName = Field(description="Its name.")


class ClaimOwner(_Stored):
    """Whose spec asks for a range."""

    kind: Literal["EnvironmentTap", "RegionalTap"] = Field(
        description="EnvironmentTap, or RegionalTap for one that a person wrote alone."
    )
    namespace: DnsLabel = Field(description="Its namespace.")
    name: ObjectName = Field(description="Its name.")
    uid: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        description="Its uid: a claim of an earlier object of that name is taken over in one write."
    )


class CidrClaim(_Stored):
    """A range, and the region that holds it."""

    cidr: Cidr = Field(description="The range of the region's VPC.")
    regional_tap: RegionalTapRef = Field(description="The region that holds it.")
    owner: ClaimOwner = Field(description="Whose spec asks for it.")
    protected: bool = Field(
        default=False,
        description="The VPC stays in AWS when its region goes (spec.protection), and this claim with it.",
    )
    releasing: bool = Field(
        default=False,
        description="Nothing uses the range any more; once that is seen again, the claim goes.",
    )
    retained: bool = Field(
        default=False,
        description="The region is gone and its VPC was left in AWS. An administrator removes this claim once the VPC "
        "is deleted there.",
    )


class CidrBlockSpec(_Stored):
    """The claims of one /16 in one peering group."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Check("Cidr", _INSIDE, f"every claim must lie in spec.cidr, /16 to /{LONGEST_PREFIX}, without host bits"),
            Check("CidrOverlap", _DISJOINT, "two claims overlap: each range belongs to one region of a peering group"),
        )
    )

    peering_group: DnsLabel = Field(
        description="Regions of one group never overlap.", json_schema_extra=immutable("its claims were made in it")
    )
    cidr: Annotated[str, StringConstraints(max_length=18, pattern=r"^\d{1,3}\.\d{1,3}\.0\.0/16$")] = Field(
        description="The /16 that this block decides.", json_schema_extra=immutable("its claims lie in it")
    )
    claims: list[CidrClaim] = Field(
        [], max_length=MOST_CLAIMS, description="Who holds what.", json_schema_extra=list_map("cidr")
    )
    summary: Annotated[str, StringConstraints(max_length=1024)] = Field(
        "", description="The claims in one line, for `kubectl get`."
    )


def peering_group(environment: Environment | str, chosen: str | None) -> str:
    """Returns the peering group that a spec is in: the one it names, else its environment's."""
    return chosen or str(environment)


def block_range(cidr: str) -> str:
    """Returns the /16 that `cidr` lies in. `cidr` is one that tap_api.cidrs finds no fault in."""
    return str(IPv4Network(cidr).supernet(new_prefix=SHORTEST_PREFIX))


def block_name(group: str, cidr: str) -> str:
    """Returns the name of the block that decides `cidr` in `group`: `<group>-10-42`.

    The numbers are the last two words, so two groups never have one name.
    """
    first, second, *_ = cidr.split(".")
    return f"{group}-{first}-{second}"
