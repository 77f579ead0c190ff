"""The claim of a network's address range: whether the VPC may be made, and who is in the way.

The operator claims, and this only looks: a VPC is not *made* without its claim. One that is there stays, whatever
becomes of the claim: what a function stops to return is deleted.
"""

from collections.abc import Mapping
from typing import Any

from tap_api.blocks import CidrClaim, block_name, peering_group
from tap_api.claims import holds, in_the_way, taken
from tap_api.kinds import REGIONAL_TAP, RegionalNetworkSpec
from tap_api.status import CIDR_RESERVED
from tap_stack.composed import Condition
from tap_stack.subject import Subject
from tap_stack.values import Unknown


def block(subject: Subject[RegionalNetworkSpec]) -> str:
    """Returns the name of the CidrBlock that decides the range."""
    return block_name(_group(subject), subject.spec.cidr)


def missing(subject: Subject[RegionalNetworkSpec]) -> tuple[Unknown, ...]:
    """Returns what the VPC waits for; nothing where it has its claim, and nothing where nobody looked."""
    return (Unknown(_why(subject)),) if subject.blocks is not None and not _is_claimed(subject) else ()


def conditions(subject: Subject[RegionalNetworkSpec]) -> tuple[Condition, ...]:
    """Returns the condition CidrReserved; none where nobody looked."""
    if subject.blocks is None:
        return ()
    if _is_claimed(subject):
        return (Condition(CIDR_RESERVED, "True", "Reserved", f"{subject.spec.cidr} is claimed in {block(subject)}"),)
    return (Condition(CIDR_RESERVED, "False", "Overlap" if _others(subject) else "NotClaimed", _why(subject)),)


def _is_claimed(subject: Subject[RegionalNetworkSpec]) -> bool:
    """Returns whether the claim is this very region's.

    A block may be read a moment too late. One whose region stands alone shows by the uid that it is not an earlier
    region's of that name; an environment's region is there only since its claim is.
    """
    found = holds(_block(subject), subject.spec.cidr, subject.namespace, subject.regional_tap)
    if found is None:
        return False
    if found.owner.kind == REGIONAL_TAP.kind:
        return found.owner.uid == subject.controller
    reference = subject.spec.environment_ref
    return reference is not None and reference.name == found.owner.name


def _why(subject: Subject[RegionalNetworkSpec]) -> str:
    others = _others(subject)
    if others:
        return taken(subject.spec.cidr, _group(subject), others)
    return (
        f"{subject.spec.cidr} is not claimed in CidrBlock {block(subject)} yet, which the operator does; if that lasts,"
        " see whether it runs (kubectl get cidrblocks)"
    )


def _others(subject: Subject[RegionalNetworkSpec]) -> tuple[CidrClaim, ...]:
    return in_the_way(_block(subject), subject.spec.cidr, subject.namespace, subject.regional_tap)


def _block(subject: Subject[RegionalNetworkSpec]) -> Mapping[str, Any] | None:
    return (subject.blocks or {}).get(block(subject))


def _group(subject: Subject[RegionalNetworkSpec]) -> str:
    return peering_group(subject.spec.environment, subject.spec.peering_group)
