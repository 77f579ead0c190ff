from typing import Any

import pytest

from tap_operator.fanout import blocks, owners
from tap_operator.waiting import Waiting
from tap_operator.workqueue import Key

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


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ({"environment": "dev", "cidr": "10.9.16.0/20"}, {"dev-10-9"}),
        ({"environment": "dev", "peeringGroup": "shared", "cidr": "10.9.0.0/16"}, {"shared-10-9"}),
        (
            {"environment": "dev", "regions": [{"cidr": "10.0.0.0/16"}, {"cidr": "10.1.0.0/16"}, {"name": "x"}]},
            {"dev-10-0", "dev-10-1"},
        ),
        (None, set()),
    ],
)
def test_what_is_deleted_names_the_blocks_to_look_after(spec: dict[str, Any] | None, names: set[str]) -> None:
    assert blocks({"metadata": {"name": "x"}, "spec": spec}) == names


def test_whoever_lost_waits_for_the_block_until_it_changes_or_until_he_waits_for_another() -> None:
    waiting, one, other = Waiting(), Key("tap", "one"), Key("tap", "other", "RegionalTap")
    waiting.note(one, {"dev-10-0", "dev-10-1"})
    waiting.note(other, {"dev-10-0"})
    waiting.note(one, {"dev-10-0"})
    assert waiting.take("dev-10-1") == []
    assert waiting.take("dev-10-0") == [one, other]
    assert waiting.take("dev-10-0") == []
    assert (str(one), str(other)) == ("tap/one", "RegionalTap tap/other")
