"""References are asked for as the provider left them."""

from typing import Any

import pytest

from tap_stack.references import hold

A, B, C = ({"name": name, "policy": {"resolve": "Always"}} for name in "abc")
ROLE = {"name": "role"}


def stored(reference: dict[str, Any]) -> dict[str, Any]:
    """Returns a reference as the apiserver has it: with the CRD's default."""
    return {**reference, "policy": {"resolution": "Required", **reference["policy"]}}


@pytest.mark.parametrize(
    ("wanted", "observed", "held"),
    [
        pytest.param({"subnetIdRefs": [A, B]}, None, {"subnetIdRefs": [A, B]}, id="nothing-is-observed"),
        pytest.param({"subnetIdRefs": [A, B]}, {}, {"subnetIdRefs": [A, B]}, id="nothing-is-resolved"),
        pytest.param(
            {"subnetIdRefs": [A, B]},
            {"subnetIdRefs": [stored(B), stored(A)], "subnetIds": ["1", "2"]},
            {"subnetIdRefs": [B, A], "subnetIds": ["1", "2"]},
            id="sorted-by-the-provider",
        ),
        pytest.param(
            {"subnetIdRefs": [A, B]},
            {"subnetIds": ["1", "2"]},
            {"subnetIdRefs": [A, B], "subnetIds": ["1", "2"]},
            id="references-lost-to-a-patch",
        ),
        pytest.param(
            {"subnetIdRefs": [A, B, C]},
            {"subnetIdRefs": [B, A], "subnetIds": ["1", "2"]},
            {"subnetIdRefs": [A, B, C]},
            id="one-more",
        ),
        pytest.param(
            {"subnetIdRefs": [A, B]},
            {"subnetIdRefs": [A, B, C], "subnetIds": ["1", "2", "3"]},
            {"subnetIdRefs": [A, B]},
            id="one-less",
        ),
        pytest.param(
            {"subnetIdRefs": [A, B]},
            {"subnetIdRefs": [A, B], "subnetIds": ["1", "2", "3"]},
            {"subnetIdRefs": [A, B]},
            id="a-value-that-a-set-kept",
        ),
        pytest.param(
            {"roleRef": ROLE, "memory": 1},
            {"roleRef": ROLE, "role": "arn", "memory": 2, "more": 3},
            {"roleRef": ROLE, "role": "arn", "memory": 1},
            id="one-reference-and-nothing-else",
        ),
        pytest.param({"roleRef": ROLE}, {"roleRef": A, "role": "arn"}, {"roleRef": ROLE}, id="another-reference"),
        pytest.param(
            {"vpcConfig": {"subnetIdRefs": [A, B]}},
            {"vpcConfig": {"subnetIdRefs": [B, A], "subnetIds": ["1", "2"]}},
            {"vpcConfig": {"subnetIdRefs": [B, A], "subnetIds": ["1", "2"]}},
            id="further-down",
        ),
        pytest.param(
            {"masterPasswordSecretRef": {"name": "password", "key": "password"}},
            {"masterPasswordSecretRef": {"name": "password", "key": "password"}},
            {"masterPasswordSecretRef": {"name": "password", "key": "password"}},
            id="a-secret-fills-nothing",
        ),
    ],
)
def test_references_are_held_as_the_provider_left_them(
    wanted: dict[str, Any], observed: Any, held: dict[str, Any]
) -> None:
    assert hold(wanted, observed) == held
