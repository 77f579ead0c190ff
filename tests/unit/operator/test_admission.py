from copy import deepcopy
from typing import Any

import pytest

from tap_api.base import Json
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP
from tap_operator.admission import decide

GOOD: Json = {
    "metadata": {"name": "prod", "namespace": "tap-prod"},
    "spec": {
        "environment": "prod",
        "primaryRegion": "us-east-1",
        "tags": {"CostCenter": "platform-4200"},
        "regions": [{"name": "us-east-1", "cidr": "10.0.0.0/16"}, {"name": "us-east-2", "cidr": "10.1.0.0/16"}],
    },
}


def edited(**spec: Any) -> Json:
    made = deepcopy(GOOD)
    made["spec"].update(spec)
    return made


def test_a_good_claim_passes() -> None:
    assert decide(ENVIRONMENT_TAP, GOOD, None) == ""


def test_every_violation_is_in_one_message_by_path() -> None:
    bad = edited(
        tags={},
        regions=[{"name": "us-east-1", "cidr": "10.0.0.0/16"}, {"name": "us-east-2", "cidr": "10.0.128.0/17"}],
        primaryRegion="eu-west-1",
    )
    assert decide(ENVIRONMENT_TAP, bad, None) == (
        "3 problems in EnvironmentTap tap-prod/prod:\n"
        "spec.primaryRegion: 'eu-west-1' is not one of spec.regions; use one of us-east-1, us-east-2 (PrimaryRegion)\n"
        "spec.regions[1].cidr: 10.0.128.0/17 (us-east-2) overlaps 10.0.0.0/16 (us-east-1); "
        "give each region a range of its own (CidrOverlap)\n"
        "spec.tags.CostCenter: is required on every AWS resource; add it, such as `CostCenter: platform-4200` (TagMissing)"
    )


def test_one_problem_is_one_problem() -> None:
    message = decide(ENVIRONMENT_TAP, edited(tags={}), None)
    assert message.splitlines()[0] == "1 problem in EnvironmentTap tap-prod/prod:"


def test_a_regionaltap_written_alone_is_held_to_the_same() -> None:
    spec = {"environment": "dev", "region": "eu-west-1", "cidr": "10.0.0.1/16", "tags": {"CostCenter": "x"}}
    message = decide(REGIONAL_TAP, {"metadata": {"name": "alone"}, "spec": spec}, None)
    assert message == (
        "1 problem in RegionalTap alone:\n"
        "spec.cidr: '10.0.0.1/16' is an address inside 10.0.0.0/16; write 10.0.0.0/16 (Cidr)"
    )


def test_a_change_is_judged_against_what_it_replaces() -> None:
    message = decide(ENVIRONMENT_TAP, edited(database={"global": False}), GOOD)
    assert "spec.database.global" in message
    assert "(Immutable)" in message


def test_a_deletion_is_not_for_policy_to_judge() -> None:
    assert decide(ENVIRONMENT_TAP, None, edited(tags={})) == ""


@pytest.mark.parametrize("manifest", [{}, {"metadata": None, "spec": None}, {"metadata": {}, "spec": []}])
def test_what_has_no_shape_is_refused_without_a_traceback(manifest: Json) -> None:
    assert decide(ENVIRONMENT_TAP, manifest, None).splitlines()[0].endswith("problems in EnvironmentTap :")
