import pytest

from tap_stack.documents import Statement, account_of, arn, policy, same, trust
from tap_stack.values import Unknown

ACCOUNT = Unknown("the account")


def test_a_policy_is_canonical_json() -> None:
    statement = Statement(
        sid="Read",
        actions=("s3:GetObject", "s3:ListBucket"),
        resources=("arn:aws:s3:::a",),
        principal={"Service": "s3.amazonaws.com"},
        conditions={"StringEquals": {"aws:SourceAccount": "1"}},
    )
    assert policy(statement) == (
        '{"Statement":[{"Action":["s3:GetObject","s3:ListBucket"],"Condition":{"StringEquals":{"aws:SourceAccount":"1"}},'
        '"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Resource":"arn:aws:s3:::a","Sid":"Read"}],'
        '"Version":"2012-10-17"}'
    )


@pytest.mark.parametrize(
    "statement",
    [
        Statement(sid="A", actions=("a",), resources=(ACCOUNT,)),
        Statement(sid="A", actions=("a",), principal={"AWS": ACCOUNT}),
        Statement(sid="A", actions=("a",), conditions={"StringEquals": {"aws:SourceAccount": ACCOUNT}}),
    ],
)
def test_a_policy_is_unknown_while_anything_in_it_is(statement: Statement) -> None:
    assert policy(Statement(sid="Known", actions=("a",), resources=("*",)), statement) == ACCOUNT


def test_a_trust_policy_names_one_service_and_its_conditions() -> None:
    assert trust("lambda.amazonaws.com", {"StringEquals": {"aws:SourceAccount": "1"}}) == (
        '{"Statement":[{"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"1"}},'
        '"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Sid":"Trust"}],"Version":"2012-10-17"}'
    )


def test_an_arn_is_computed_once_the_account_is_known() -> None:
    assert arn("logs", "us-east-1", "123456789012", "log-group:x") == "arn:aws:logs:us-east-1:123456789012:log-group:x"
    assert arn("logs", "us-east-1", ACCOUNT, "log-group:x") == ACCOUNT
    assert account_of("arn:aws:kms:us-east-1:123456789012:key/1") == "123456789012"


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}', True),
        ('{"Action": ["x"]}', '{"Action": "x"}', True),
        ('{"Action": ["x", "y"]}', '{"Action": ["y", "x"]}', True),
        ('{"Action": "x"}', '{"Action": "y"}', False),
        ("", '{"Action": "y"}', False),
        ("not json", "not json", False),
        (None, '{"Action": "y"}', False),
        ('{"Action": "y"}', ACCOUNT, False),
    ],
)
def test_policies_are_compared_by_meaning_and_not_by_text(one: object, other: object, equal: bool) -> None:  # noqa: FBT001
    assert same(one, other) is equal
