"""The provider's own policy: whole, real, and no wider than AWS lets it be."""

import json
import warnings

import pytest

from tap_stack import aws
from tap_stack.packages import provider_dependencies
from tap_stack.permissions import ANYWHERE, CALLS, POLICIES, RESOURCES, actions, policies

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import parliament
    from policy_sentry.querying.actions import get_action_data, get_actions_that_support_wildcard_arns_only

#: What parliament, whose data is of 2025-04, does not know or takes for more -> why it stands.
FINDINGS = {
    "RESOURCE_MISMATCH": "an action is given on all resources of its service that are ours, whatever their type",
    "UNKNOWN_ACTION": "newer than parliament's data; policy-sentry knows it",
}


def test_every_kind_that_is_composed_has_its_calls_and_no_other_has() -> None:
    assert set(CALLS) == set(aws.KINDS)


def test_every_action_is_in_one_policy() -> None:
    listed = [prefix for prefixes in POLICIES.values() for prefix in prefixes]
    assert sorted(listed) == sorted({call.removeprefix(ANYWHERE).partition(":")[0] for call in actions()})
    assert set(RESOURCES) == set(listed)


@pytest.mark.parametrize("call", actions())
def test_an_action_exists_and_is_given_on_everything_only_where_aws_knows_no_resource(call: str) -> None:
    action = call.removeprefix(ANYWHERE)
    service, _, name = action.partition(":")
    assert get_action_data(service, name), f"AWS has no {action}"
    assert call.startswith(ANYWHERE) == (action in get_actions_that_support_wildcard_arns_only(service))


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_one_that_iam_takes(name: str) -> None:
    text = json.dumps(policies()[name], separators=(",", ":"))
    assert len(text) <= 6144
    found = {(finding.issue, str(finding.detail)) for finding in parliament.analyze_policy_string(text).findings}
    assert [finding for finding in sorted(found) if finding[0] not in FINDINGS] == []


def test_roles_are_ours_and_handed_to_the_services_that_take_them() -> None:
    statements = {statement["Sid"]: statement for statement in policies()["compute"]["Statement"]}
    assert statements["Iam"]["Resource"] == ["arn:aws:iam::*:role/*-????????"]
    assert statements["PassOurRoles"]["Condition"] == {
        "StringEquals": {
            "iam:PassedToService": [
                "lambda.amazonaws.com",
                "monitoring.rds.amazonaws.com",
                "vpc-flow-logs.amazonaws.com",
            ]
        }
    }


def test_trap_16_the_provider_may_take_away_the_interfaces_that_lambda_leaves_behind() -> None:
    """It does so before it deletes a subnet or a group (deleteLingeringENIs), and fails where it may not."""
    calls = {"ec2:DeleteNetworkInterface", "*ec2:DescribeNetworkInterfaces", "ec2:DetachNetworkInterface"}
    assert calls <= set(CALLS[aws.SUBNET]) & set(CALLS[aws.SECURITY_GROUP])


def test_the_packages_are_those_of_the_kinds_that_are_composed() -> None:
    named = [entry["package"].rpartition("/")[2] for entry in provider_dependencies()]
    assert named == ["provider-family-aws", *sorted({f"provider-aws-{kind.service}" for kind in aws.KINDS})]
    assert {entry["version"] for entry in provider_dependencies()} == {">=v2.7.0, <v3.0.0"}
