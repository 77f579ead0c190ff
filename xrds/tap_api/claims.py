"""The protocol of address ranges: what a writer of CidrBlocks makes of the block that it read.

Pure functions of one block and one wish. Whoever calls them reads the block, asks here, and writes the answer with the
resourceVersion that it read (a block that is absent: creates it by its name); where that is refused, somebody else was
quicker, and it reads again. A block's claims then never overlap: each write was computed from the very claims that it
replaced, and from disjoint ones comes nothing but disjoint ones. Distinct blocks of a group are distinct /16, and each
range lies in one.

A claim that stands is not written again by whoever finds it his, so a release takes two writes: the first says that it
is about to go, and whoever wants it still has to take that back; the second follows when all was looked at once more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any, Literal

from tap_api.base import Json
from tap_api.blocks import MOST_CLAIMS, CidrBlockSpec, CidrClaim, block_name, block_range
from tap_api.kinds import CIDR_BLOCK
from tap_api.naming import LABEL_PEERING_GROUP
from tap_api.text import clip, named

Reason = Literal["Overlap", "Retained", "BlockFull"]
_MOST_NAMED = 3
_LONGEST_SUMMARY = 1024


@dataclass(frozen=True)
class Wish:
    """A range that a region asks for.

    Attributes:
        group: The peering group.
        claim: The claim, as it would stand in the block.
    """

    group: str
    claim: CidrClaim

    @property
    def block(self) -> str:
        """Name of the block that decides it."""
        return block_name(self.group, self.claim.cidr)


@dataclass(frozen=True)
class Claimed:
    """The range is free, and this is the block that has it claimed, and the claim in it."""

    block: Json
    claim: CidrClaim


@dataclass(frozen=True)
class Reowned:
    """The range was claimed for an earlier object of the same name, and this is the block that hands it on."""

    block: Json
    claim: CidrClaim


@dataclass(frozen=True)
class AlreadyMine:
    """The block has the claim as it is wished for; nothing is to be written."""

    claim: CidrClaim


@dataclass(frozen=True)
class Conflict:
    """The range cannot be had now.

    Attributes:
        reason: Why, in one word.
        holders: Whose claims are in the way.
        message: Why, for a person, and what to do.
    """

    reason: Reason
    holders: tuple[CidrClaim, ...]
    message: str


Answer = Claimed | Reowned | AlreadyMine | Conflict


def claims_of(block: Mapping[str, Any] | None) -> tuple[CidrClaim, ...]:
    """Returns the claims of a block; none where there is no block."""
    spec = CidrBlockSpec.parse(block["spec"]) if block else None
    return tuple(spec.claims) if spec else ()


def claim(block: Mapping[str, Any] | None, wish: Wish, *, vpc_there: bool = False) -> Answer:
    """Returns what becomes of `wish` in `block`.

    Args:
        block: The block that decides it, as it was read; None where there is none.
        wish: What is asked for.
        vpc_there: Whether the VPC's object is there and stays. A claim that outlives its region, since the VPC was left
            in AWS, goes to a namesake only if that will take the VPC up again: with no object to hold its id, a second
            VPC would be made beside it.
    """
    claims, wanted = claims_of(block), wish.claim
    mine = next((there for there in claims if _is_same_region(there, wanted)), None)
    if mine is not None:
        return _again(block, claims, mine, wish, vpc_there=vpc_there)
    holders = tuple(there for there in claims if _overlap(there.cidr, wanted.cidr))
    if holders:
        return Conflict("Overlap", holders, taken(wanted.cidr, wish.group, holders))
    if len(claims) >= MOST_CLAIMS:
        message = (
            f"CidrBlock {wish.block} holds {MOST_CLAIMS} claims, the most there can be; use a range of another /16"
        )
        return Conflict("BlockFull", (), message)
    return Claimed(_block(block, wish.group, wanted.cidr, [*claims, wanted]), wanted)


def _again(
    block: Mapping[str, Any] | None, claims: Sequence[CidrClaim], mine: CidrClaim, wish: Wish, *, vpc_there: bool
) -> Answer:
    """Returns what becomes of a wish whose region has a claim on that range already."""
    earlier = mine.owner.uid != wish.claim.owner.uid
    left_in_aws = mine.retained or (mine.protected and earlier)
    if left_in_aws and not vpc_there:
        return Conflict("Retained", (mine,), _left(mine, wish.group))
    # What was protected stays so until the VPC's own object says otherwise (tap_api.tenure).
    wanted = wish.claim.model_copy(update={"protected": wish.claim.protected or mine.protected})
    if wanted == mine:
        return AlreadyMine(mine)
    changed = _block(block, wish.group, mine.cidr, [wanted if there == mine else there for there in claims])
    return Reowned(changed, wanted) if earlier else Claimed(changed, wanted)


def holds(block: Mapping[str, Any] | None, cidr: str, namespace: str, regional_tap: str) -> CidrClaim | None:
    """Returns the claim that a region has on `cidr`; None where it has none that stands."""
    for there in claims_of(block):
        if there.cidr == cidr and _region(there) == (namespace, regional_tap):
            return None if there.retained or there.releasing else there
    return None


def in_the_way(block: Mapping[str, Any] | None, cidr: str, namespace: str, regional_tap: str) -> tuple[CidrClaim, ...]:
    """Returns the claims of others that overlap `cidr`."""
    return tuple(
        there
        for there in claims_of(block)
        if _overlap(there.cidr, cidr) and (there.cidr, *_region(there)) != (cidr, namespace, regional_tap)
    )


def release(block: Mapping[str, Any], gone: CidrClaim) -> Json | None:
    """Returns `block` without a claim; None where it does not hold that very claim (any more)."""
    return _with(block, gone, None)


def mark(
    block: Mapping[str, Any], there: CidrClaim, *, protected: bool, retained: bool, releasing: bool
) -> Json | None:
    """Returns `block` with a claim marked; None where it does not hold that very claim, or is marked so already."""
    marked = there.model_copy(update={"protected": protected, "retained": retained, "releasing": releasing})
    return None if marked == there else _with(block, there, marked)


def taken(cidr: str, group: str, holders: Sequence[CidrClaim]) -> str:
    """Returns the message about a range that others hold."""
    held = named([f"{there.cidr} of {holder(there)}" for there in holders], _MOST_NAMED, "; ")
    return (
        f"{cidr} overlaps {held}, in peering group {group}. Take another range, or another peering group if the"
        " two are never to be connected"
    )


def holder(there: CidrClaim) -> str:
    """Returns who holds a claim, in words."""
    owner, tap = there.owner, there.regional_tap
    left = ", whose VPC was left in AWS" if there.retained else ""
    if owner.kind == "RegionalTap":
        return f"RegionalTap {tap.namespace}/{tap.name}{left}"
    return f"EnvironmentTap {owner.namespace}/{owner.name} (RegionalTap {tap.name}){left}"


def _left(mine: CidrClaim, group: str) -> str:
    return (
        f"{mine.cidr} was an earlier RegionalTap's of this name, whose VPC is protected and was left in AWS: a second"
        f" one would overlap it. Delete that VPC in AWS and remove its claim from CidrBlock"
        f" {block_name(group, mine.cidr)} (docs/cidrs.md), or restore its VPC object, or take another range"
    )


def _is_same_region(there: CidrClaim, wanted: CidrClaim) -> bool:
    """Returns whether a claim is of the same range and region; its owner may be another: an earlier life, or none now.

    An environment that was orphaned leaves regions that stand alone and keep their range.
    """
    return (there.cidr, _region(there)) == (wanted.cidr, _region(wanted))


def _region(there: CidrClaim) -> tuple[str, str]:
    return there.regional_tap.namespace, there.regional_tap.name


def _overlap(one: str, other: str) -> bool:
    return IPv4Network(one).overlaps(IPv4Network(other))


def _with(block: Mapping[str, Any], old: CidrClaim, new: CidrClaim | None) -> Json | None:
    claims = claims_of(block)
    if old not in claims:
        return None
    changed = [new if there == old else there for there in claims]
    spec = block["spec"]
    return _block(block, spec["peeringGroup"], spec["cidr"], [there for there in changed if there is not None])


def _block(block: Mapping[str, Any] | None, group: str, cidr: str, claims: Sequence[CidrClaim]) -> Json:
    """Returns the block with other claims, sorted by range; a new one where there is none."""
    if block is None:
        made = CIDR_BLOCK.reference(block_name(group, cidr))
        made["metadata"]["labels"] = {LABEL_PEERING_GROUP: group}
    else:
        made = dict(block)
    ordered = sorted(claims, key=lambda there: IPv4Network(there.cidr))
    spec = CidrBlockSpec(peering_group=group, cidr=block_range(cidr), claims=ordered, summary=_summary(ordered))
    return {**made, "spec": spec.manifest()}


def _summary(claims: Sequence[CidrClaim]) -> str:
    said = ", ".join(
        f"{there.cidr} {there.regional_tap.namespace}/{there.regional_tap.name}{' (left in AWS)' * there.retained}"
        for there in claims
    )
    return clip(said, _LONGEST_SUMMARY)
