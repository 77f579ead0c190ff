"""Address ranges in a storm: random wishes, and what has to hold of whoever won, lost and believes to have won."""

import random
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network
from itertools import pairwise
from typing import Any

from tap_api.blocks import CidrClaim
from tap_api.claims import Wish, claims_of, holder


def nested(chance: random.Random, blocks: int = 2) -> str:
    """Returns a random range in one of a few /16; many of them lie in one another."""
    prefix = chance.choice((17, 18, 19, 20, 20, 21, 22, 22))
    first = chance.randrange(blocks)
    return str(IPv4Network((f"10.{first}.{chance.randrange(256)}.0", prefix), strict=False))


def wish(group: str, name: str, cidr: str) -> Wish:
    tap = {"namespace": "storm", "name": name}
    owner = {"kind": "RegionalTap", **tap, "uid": name}
    return Wish(group, CidrClaim.parse({"cidr": cidr, "regionalTap": tap, "owner": owner}))


def overlap(one: str, other: str) -> bool:
    return IPv4Network(one).overlaps(IPv4Network(other))


def held(blocks: Iterable[Mapping[str, Any]]) -> list[CidrClaim]:
    return [there for block in blocks for there in claims_of(block)]


def check_disjoint(ranges: Iterable[str], what: str) -> None:
    """Whatever happens: no two of them overlap. In order, what overlaps at all overlaps its neighbour."""
    both = [pair for pair in pairwise(sorted(map(IPv4Network, ranges))) if pair[0].overlaps(pair[1])]
    assert not both, f"{what} overlap: {', '.join(f'{one} and {other}' for one, other in both[:3])}"


def check_storm(claims: Sequence[CidrClaim], believed: Mapping[str, str], lost: Mapping[str, str]) -> None:
    """What holds once everybody was answered.

    Args:
        claims: The claims that are stored.
        believed: Who was told that the range is theirs, and the range.
        lost: Who was told that it is not, and the range.
    """
    check_disjoint([there.cidr for there in claims], "claims")
    check_disjoint(list(believed.values()), "ranges that were given out")
    assert {there.regional_tap.name: there.cidr for there in claims} == believed
    for name, cidr in lost.items():
        assert any(overlap(cidr, there.cidr) for there in claims), f"{name} lost {cidr} to nobody"


def check_told(claims: Sequence[CidrClaim], cidr: str, message: str) -> None:
    """Whoever lost a range is told of one who holds it."""
    holders = [there for there in claims if overlap(cidr, there.cidr)]
    assert holders, f"{cidr} is lost to nobody: {message}"
    assert any(holder(there) in message for there in holders), (message, [holder(there) for there in holders])
