"""The double of the provider writes into a spec what upjet would: else nothing here would show what that does to ours."""

from doubles.aws import late_initialized
from tap_api.base import Json

SHOWN = {"status": {"atProvider": {"id": "sg-1", "vpcId": "vpc-1", "ingress": [{"fromPort": 22}], "egress": []}}}
KNOWN = ("vpcId", "ingress", "egress")


def group(*policies: str, **asked: object) -> Json:
    return {"spec": {"managementPolicies": list(policies), "forProvider": asked}}


def test_a_field_that_the_spec_lacks_is_taken_from_what_aws_shows_whoever_put_it_there() -> None:
    assert late_initialized(group("*", vpcId="vpc-2"), SHOWN, KNOWN) == {
        "vpcId": "vpc-2",
        "ingress": [{"fromPort": 22}],
    }


def test_a_field_that_the_spec_has_is_left_alone_even_where_it_is_empty() -> None:
    assert late_initialized(group("*", ingress=[]), SHOWN, KNOWN) == {"vpcId": "vpc-1", "ingress": []}


def test_nothing_is_taken_without_late_initialization() -> None:
    policies = ("Observe", "Create", "Update", "Delete")
    assert late_initialized(group(*policies, vpcId="vpc-2"), SHOWN, KNOWN) == {"vpcId": "vpc-2"}
