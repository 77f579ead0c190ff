"""The protocol of address ranges, as tables: what becomes of a wish in a block, and of a block by what is seen."""

from typing import Any

import pytest

from tap_api import manifest
from tap_api.base import Json
from tap_api.blocks import MOST_CLAIMS, CidrClaim, ClaimOwner, block_name, block_range
from tap_api.claims import (
    AlreadyMine,
    Claimed,
    Conflict,
    Reowned,
    Wish,
    claim,
    claims_of,
    holds,
    in_the_way,
    mark,
    release,
)
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP
from tap_api.tenure import asked


def held(cidr: str, name: str = "dev", *, uid: str = "1", **marks: bool) -> CidrClaim:
    owner = {"kind": "EnvironmentTap", "namespace": "tap", "name": name, "uid": uid}
    tap = {"namespace": "tap", "name": f"{name}-us-east-1"}
    return CidrClaim.parse({"cidr": cidr, "regionalTap": tap, "owner": owner, **marks})


def block(*claims: CidrClaim) -> Json:
    """Returns a block as the apiserver has it."""
    spec = {"peeringGroup": "dev", "cidr": "10.0.0.0/16", "claims": [there.manifest() for there in claims]}
    return {"metadata": {"name": "dev-10-0", "resourceVersion": "7"}, "spec": spec}


def wish(there: CidrClaim) -> Wish:
    return Wish("dev", there)


MINE = held("10.0.16.0/20", "mine")
OTHER = held("10.0.0.0/20", "other")
ALONE = MINE.model_copy(
    update={"owner": ClaimOwner(kind="RegionalTap", namespace="tap", name="mine-us-east-1", uid="3")}
)
WIDE = held("10.0.0.0/16", "mine")
FULL = [held(f"10.0.{4 * i}.0/22", f"e{i}") for i in range(MOST_CLAIMS)]


@pytest.mark.parametrize(
    ("before", "wanted", "kind", "after"),
    [
        pytest.param(None, MINE, Claimed, [MINE], id="no block yet"),
        pytest.param(block(), MINE, Claimed, [MINE], id="an empty block"),
        pytest.param(block(OTHER), MINE, Claimed, [OTHER, MINE], id="beside another"),
        pytest.param(block(MINE), MINE, AlreadyMine, None, id="mine already"),
        pytest.param(
            block(MINE),
            held("10.0.16.0/20", "mine", uid="2"),
            Reowned,
            [held("10.0.16.0/20", "mine", uid="2")],
            id="mine in an earlier life",
        ),
        pytest.param(block(MINE), ALONE, Reowned, [ALONE], id="an environment's that was orphaned"),
        pytest.param(
            block(held("10.0.16.0/20", "mine", releasing=True)), MINE, Claimed, [MINE], id="mine and about to go"
        ),
        pytest.param(
            block(MINE),
            held("10.0.16.0/20", "mine", protected=True),
            Claimed,
            [held("10.0.16.0/20", "mine", protected=True)],
            id="protected from now on",
        ),
        pytest.param(
            block(held("10.0.16.0/20", "mine", protected=True)),
            MINE,
            AlreadyMine,
            None,
            id="protected until the VPC shows",
        ),
    ],
)
def test_a_range_that_is_free_or_mine_is_mine(before: Any, wanted: CidrClaim, kind: type, after: Any) -> None:
    answer = claim(before, wish(wanted))
    assert type(answer) is kind
    if after is not None:
        assert isinstance(answer, Claimed | Reowned)
        assert list(claims_of(answer.block)) == after
        assert answer.claim in claims_of(answer.block)
        assert answer.block["metadata"]["name"] == "dev-10-0"


@pytest.mark.parametrize(
    ("before", "wanted", "reason", "holders"),
    [
        pytest.param(block(OTHER), WIDE, "Overlap", (OTHER,), id="wider"),
        pytest.param(block(WIDE), OTHER, "Overlap", (WIDE,), id="narrower"),
        pytest.param(block(OTHER), held("10.0.0.0/20", "mine"), "Overlap", (OTHER,), id="the same"),
        pytest.param(block(OTHER, MINE), held("10.0.0.0/16", "third"), "Overlap", (OTHER, MINE), id="over two"),
        pytest.param(block(*FULL), held("10.0.0.0/22", "late"), "Overlap", (FULL[0],), id="over one in a full block"),
        pytest.param(
            block(held("10.0.16.0/20", "mine", protected=True, retained=True)),
            MINE,
            "Retained",
            (held("10.0.16.0/20", "mine", protected=True, retained=True),),
            id="my own, left in AWS",
        ),
        pytest.param(
            block(held("10.0.16.0/20", "mine", protected=True)),
            held("10.0.16.0/20", "mine", uid="2"),
            "Retained",
            (held("10.0.16.0/20", "mine", protected=True),),
            id="of an earlier life, and protected",
        ),
    ],
)
def test_a_range_that_others_hold_names_them(before: Json, wanted: CidrClaim, reason: str, holders: Any) -> None:
    answer = claim(before, wish(wanted))
    assert isinstance(answer, Conflict)
    assert (answer.reason, answer.holders) == (reason, holders)


def test_a_full_block_says_so() -> None:
    spread = [held(f"10.0.{2 * i}.0/23", f"e{i}") for i in range(MOST_CLAIMS)]
    answer = claim(block(*spread), wish(held("10.0.254.0/23", "late")))
    assert answer == Conflict(
        "BlockFull",
        (),
        f"CidrBlock dev-10-0 holds {MOST_CLAIMS} claims, the most there can be; use a range of another /16",
    )


def test_what_is_in_the_way_is_said_with_what_to_do() -> None:
    answer = claim(block(OTHER), wish(WIDE))
    assert isinstance(answer, Conflict)
    assert answer.message == (
        "10.0.0.0/16 overlaps 10.0.0.0/20 of EnvironmentTap tap/other (RegionalTap other-us-east-1), in peering group"
        " dev. Take another range, or another peering group if the two are never to be connected"
    )


def test_a_claim_that_outlived_its_region_goes_to_whoever_takes_its_vpc_up_again() -> None:
    before = block(held("10.0.16.0/20", "mine", protected=True, retained=True))
    answer = claim(before, wish(held("10.0.16.0/20", "mine", uid="2")), vpc_there=True)
    assert isinstance(answer, Reowned)
    assert claims_of(answer.block) == (held("10.0.16.0/20", "mine", uid="2", protected=True),)


def test_a_block_keeps_its_version_and_says_its_claims_in_one_line() -> None:
    answer = claim(block(OTHER), wish(MINE))
    assert isinstance(answer, Claimed)
    assert answer.block["metadata"]["resourceVersion"] == "7"
    assert answer.block["spec"]["summary"] == "10.0.0.0/20 tap/other-us-east-1, 10.0.16.0/20 tap/mine-us-east-1"
    assert claim(block(OTHER), wish(MINE)) == answer


def test_only_the_very_claim_that_was_seen_is_released_or_marked() -> None:
    seen = held("10.0.16.0/20", "mine", releasing=True)
    released = release(block(OTHER, seen), seen)
    assert released is not None
    assert claims_of(released) == (OTHER,)
    assert release(block(OTHER, MINE), seen) is None
    assert mark(block(MINE), MINE, protected=False, retained=False, releasing=False) is None
    marked = mark(block(MINE), MINE, protected=False, retained=False, releasing=True)
    assert marked is not None
    assert claims_of(marked) == (seen,)


@pytest.mark.parametrize("marks", [{"releasing": True}, {"retained": True}])
def test_a_region_does_not_build_on_a_claim_that_goes_or_that_it_outlived(marks: dict[str, bool]) -> None:
    region = ("tap", "mine-us-east-1")
    assert holds(block(MINE), MINE.cidr, *region) == MINE
    assert holds(block(MINE.model_copy(update=marks)), MINE.cidr, *region) is None
    assert holds(block(OTHER), MINE.cidr, *region) is None
    assert in_the_way(block(OTHER, MINE), "10.0.0.0/16", *region) == (OTHER, MINE)
    assert in_the_way(block(OTHER, MINE), MINE.cidr, *region) == ()


@pytest.mark.parametrize(
    ("cidr", "name", "whole"),
    [
        ("10.42.0.0/16", "prod-10-42", "10.42.0.0/16"),
        ("10.42.255.0/23", "prod-10-42", "10.42.0.0/16"),
        ("192.168.8.0/21", "prod-192-168", "192.168.0.0/16"),
    ],
)
def test_every_range_is_decided_by_one_block(cidr: str, name: str, whole: str) -> None:
    assert (block_name("prod", cidr), block_range("10.42.254.0/23" if "255" in cidr else cidr)) == (name, whole)


def test_two_groups_never_share_a_block() -> None:
    assert block_name("prod-10", "10.42.0.0/16") != block_name("prod", "10.10.0.0/16")


def test_an_environment_asks_for_one_range_a_region_and_a_region_for_its_own() -> None:
    [environment] = manifest.load(
        """
apiVersion: tap.platform/v1alpha1
kind: EnvironmentTap
metadata: {name: dev, namespace: tap, uid: "1"}
spec:
  environment: dev
  peeringGroup: shared
  primaryRegion: us-east-1
  tags: {CostCenter: x}
  regions: [{name: us-east-1, cidr: 10.0.0.0/20}, {name: eu-west-1, cidr: 10.0.0.1/20}]
""",
        __file__,  # type: ignore[arg-type]
    )
    [(path, found)] = asked(ENVIRONMENT_TAP, environment)
    assert (path, found.group, found.block) == ("spec.regions[0].cidr", "shared", "shared-10-0")
    assert (found.claim.owner.name, found.claim.regional_tap.name) == ("dev", "dev-us-east-1")
    alone = {"environment": "dev", "region": "eu-west-1", "cidr": "10.9.0.0/16", "tags": {"CostCenter": "x"}}
    [(path, found)] = asked(REGIONAL_TAP, {"metadata": {"name": "alone", "namespace": "tap"}, "spec": alone})
    assert (path, found.block, found.claim.owner.kind) == ("spec.cidr", "dev-10-9", "RegionalTap")


@pytest.mark.parametrize("broken", [{}, {"spec": []}, {"spec": {"regions": 1}}, {"metadata": None, "spec": {}}])
def test_what_has_no_shape_asks_for_nothing(broken: Json) -> None:
    assert asked(ENVIRONMENT_TAP, broken) == asked(REGIONAL_TAP, broken) == []
