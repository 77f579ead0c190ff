import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_api import cidrs


@pytest.mark.parametrize("text", ["10.0.0.0/16", "10.2.2.0/23", "172.31.0.0/16", "192.168.0.0/16"])
def test_a_private_range_is_accepted(text: str) -> None:
    assert cidrs.fault(text) == ""
    assert str(cidrs.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10.0.0.1/16", "'10.0.0.1/16' is an address inside 10.0.0.0/16; write 10.0.0.0/16"),
        (
            "10.0.0.0/8",
            "'10.0.0.0/8' must be /16 (AWS's largest VPC) to /23 (room for nine subnets); choose another size",
        ),
        (
            "10.0.0.0/24",
            "'10.0.0.0/24' must be /16 (AWS's largest VPC) to /23 (room for nine subnets); choose another size",
        ),
        ("8.8.0.0/16", "'8.8.0.0/16' is not private; take a range out of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"),
        (
            "172.32.0.0/16",
            "'172.32.0.0/16' is not private; take a range out of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
        ),
        ("10.0.0.0", "'10.0.0.0' is not an IPv4 range; write it like 10.0.0.0/16"),
        ("10.0.0.0/16 ", "'10.0.0.0/16 ' is not an IPv4 range; write it like 10.0.0.0/16"),
        ("10.0.0.0/16\n", "'10.0.0.0/16\\n' is not an IPv4 range; write it like 10.0.0.0/16"),
        ("::ffff:10.0.0.0/112", "'::ffff:10.0.0.0/112' is not an IPv4 range; write it like 10.0.0.0/16"),
        ("١٠.٠.٠.٠/١٦", "'١٠.٠.٠.٠/١٦' is not an IPv4 range; write it like 10.0.0.0/16"),
        ("", "'' is not an IPv4 range; write it like 10.0.0.0/16"),
    ],
)
def test_another_spelling_is_refused_with_the_right_one(text: str, message: str) -> None:
    assert cidrs.fault(text) == message


@pytest.mark.parametrize("text", ["010.0.0.0/16", "10.0.0.0/33", "10.0.0.0/016", "256.0.0.0/16", "10.0.0.0/0"])
def test_what_readers_disagree_about_is_refused(text: str) -> None:
    assert cidrs.fault(text)
    with pytest.raises(ValueError, match="10"):
        cidrs.parse(text)


def test_a_megabyte_is_refused_in_a_short_message() -> None:
    assert len(cidrs.fault("9" * 2**20)) < 120


@given(st.text(alphabet=string.digits + "./ :-x", max_size=40) | st.text(max_size=40))
def test_whatever_is_accepted_is_spelled_canonically(text: str) -> None:
    if not cidrs.fault(text):
        assert str(cidrs.parse(text)) == text
