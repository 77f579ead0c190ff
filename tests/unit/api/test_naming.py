import re

from hypothesis import given
from hypothesis import strategies as st

from tap_api.common import EnvironmentRef
from tap_api.naming import account_name, account_suffix, join, regional_tap_name, resource_name
from tap_api.regions import ZONES

WORDS = st.lists(st.from_regex(r"[a-z]([-a-z0-9]{0,60}[a-z0-9])?", fullmatch=True), min_size=1, max_size=4)


def test_a_short_name_is_its_words() -> None:
    assert regional_tap_name("prod", "us-east-1") == "prod-us-east-1"
    assert resource_name("prod-us-east-1-network", "vpc") == "prod-us-east-1-network-vpc"


@given(WORDS, st.integers(20, 63))
def test_a_name_is_a_dns_label_inside_its_limit(words: list[str], limit: int) -> None:
    name = join(*words, limit=limit)
    assert len(name) <= limit
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name)


@given(WORDS, WORDS)
def test_names_that_differ_before_the_cut_differ_after_it(some: list[str], others: list[str]) -> None:
    assert (join(*some) == join(*others)) == ("-".join(some) == "-".join(others))


def test_the_same_environment_in_two_namespaces_has_two_suffixes() -> None:
    ref = EnvironmentRef(name="prod")
    assert account_suffix("tap-prod", ref, "x") != account_suffix("tap-other", ref, "x")


def test_every_region_of_an_environment_has_one_suffix() -> None:
    ref = EnvironmentRef(name="prod")
    assert len({account_suffix("tap-prod", ref, f"prod-{region}") for region in ZONES}) == 1


def test_a_region_that_stands_alone_has_no_suffix_of_an_environment_of_its_name() -> None:
    assert account_suffix("tap-prod", None, "prod") != account_suffix("tap-prod", EnvironmentRef(name="prod"), "x")


def test_an_account_name_keeps_its_suffix_when_it_is_cut() -> None:
    assert account_name("x" * 80, suffix="0123abcd", limit=64).endswith("-0123abcd")
    assert len(account_name("x" * 80, suffix="0123abcd", limit=64)) <= 64
