from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_api.addressing import SubnetPlan, plan


def net(text: str) -> IPv4Network:
    return IPv4Network(text)


def test_a_quarter_is_private_in_each_zone_and_the_last_quarter_holds_the_small_subnets() -> None:
    assert plan(net("10.0.0.0/16")) == (
        SubnetPlan(public=net("10.0.192.0/21"), private=net("10.0.0.0/18"), database=net("10.0.216.0/21")),
        SubnetPlan(public=net("10.0.200.0/21"), private=net("10.0.64.0/18"), database=net("10.0.224.0/21")),
        SubnetPlan(public=net("10.0.208.0/21"), private=net("10.0.128.0/18"), database=net("10.0.232.0/21")),
    )


def test_the_smallest_vpc_has_subnets_of_sixteen_addresses() -> None:
    assert [zone.public.prefixlen for zone in plan(net("10.0.0.0/23"))] == [28, 28, 28]


@pytest.mark.parametrize("text", ["10.0.0.0/15", "10.0.0.0/24", "10.0.0.0/28"])
def test_a_vpc_of_another_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be /16 to /23"):
        plan(net(text))


@given(st.integers(0, 2**24 - 1), st.integers(16, 23))
def test_nine_subnets_lie_inside_the_vpc_and_apart_from_each_other(address: int, prefix: int) -> None:
    vpc = IPv4Network(((10 << 24) + address, prefix), strict=False)
    subnets = [subnet for zone in plan(vpc) for subnet in (zone.public, zone.private, zone.database)]
    assert all(subnet.subnet_of(vpc) and subnet.prefixlen <= 28 for subnet in subnets)
    assert not any(a.overlaps(b) for i, a in enumerate(subnets) for b in subnets[:i])
