from collections.abc import Callable

import pytest

from tap_api.base import Json
from tap_stack.compose import compose
from tap_stack.subject import RefusedError

MakeTap = Callable[..., Json]


def refusal(xr: Json) -> list[tuple[str, str]]:
    with pytest.raises(RefusedError) as caught:
        compose(xr, {})
    return [(violation.path, violation.code) for violation in caught.value.violations]


def test_every_fault_of_shape_is_named_by_its_path(make_tap: MakeTap) -> None:
    tap = make_tap(region=7, network={"zones": 9, "colour": "red"}, cidr=None)
    assert refusal(tap) == [
        ("spec.cidr", "Schema"),
        ("spec.network.colour", "Schema"),
        ("spec.network.zones", "Schema"),
        ("spec.region", "Schema"),
    ]


def test_the_message_says_that_nothing_was_changed_and_what_to_mend(make_tap: MakeTap) -> None:
    with pytest.raises(RefusedError) as caught:
        compose(make_tap(network={"zones": 9}), {})
    assert str(caught.value) == (
        "RegionalTap prod-us-east-1 is refused; nothing was changed. Mend its spec:\n"
        "- spec.network.zones: must be at most 3; got 9 (Schema)"
    )


@pytest.mark.parametrize(
    "xr",
    [{}, {"kind": "EnvironmentTap"}, {"kind": "Elephant"}, {"kind": None}, {"kind": ["RegionalTap"]}],
)
def test_a_kind_that_nobody_composes_is_refused(xr: Json) -> None:
    assert refusal(xr) == [("kind", "Kind")]


@pytest.mark.parametrize("spec", [None, {}, [], "hostile", 7])
def test_a_spec_that_is_none_is_refused_field_by_field(spec: object) -> None:
    assert refusal({"kind": "RegionalNetwork", "metadata": {"name": "x"}, "spec": spec}) == [
        ("spec.cidr", "Schema"),
        ("spec.environment", "Schema"),
        ("spec.region", "Schema"),
    ]


def test_the_machinery_of_crossplane_in_the_spec_is_no_fault(make_tap: MakeTap) -> None:
    tap = make_tap(crossplane={"compositionRef": {"name": "regionaltaps.tap.platform"}, "resourceRefs": []})
    assert compose(tap, {}) == compose(make_tap(), {})
