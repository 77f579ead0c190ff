from typing import Any

import pytest

from tap_operator.fanout import owners

OWNER = {"apiVersion": "tap.platform/v1alpha1", "kind": "EnvironmentTap", "name": "prod", "uid": "u"}


@pytest.mark.parametrize(
    ("regional_tap", "names"),
    [
        pytest.param({"metadata": {"name": "x", "ownerReferences": [OWNER]}}, {"prod"}, id="its owner"),
        pytest.param(
            {"metadata": {"name": "x", "labels": {"tap.platform/environmenttap": "prod"}}}, {"prod"}, id="its label"
        ),
        pytest.param({"metadata": {"name": "x"}, "spec": {"environmentRef": {"name": "prod"}}}, {"prod"}, id="it says"),
        pytest.param(
            {"metadata": {"name": "prod-us-east-1"}, "spec": {"region": "us-east-1"}}, {"prod"}, id="the name it has"
        ),
        pytest.param({"metadata": {"name": "alone"}, "spec": {"region": "us-east-1"}}, set(), id="nobody"),
        pytest.param(
            {"metadata": {"name": "x", "ownerReferences": [{**OWNER, "apiVersion": "other/v1"}]}}, set(), id="namesake"
        ),
        pytest.param({"metadata": {}}, set(), id="nothing known"),
    ],
)
def test_a_regionaltap_wakes_the_environments_that_it_concerns(regional_tap: dict[str, Any], names: set[str]) -> None:
    assert owners(regional_tap) == names
