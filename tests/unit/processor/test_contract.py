"""What is composed and what runs fit together: the environment, the rights, the events, the rules of the bucket."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from golden.world import World, regional_tap
from processor.settings import Settings
from tap_api.base import Json
from unit.processor.conftest import BUCKET, Aws

Composed = dict[str, Json]


@pytest.fixture(scope="module")
def composed() -> Composed:
    """What the storage and the processor of dev compose once all is known, by key."""
    settled = World(regional_tap("dev", "us-east-1")).settle()
    return {
        item.key: item.manifest["spec"]["forProvider"]
        for xr, result in settled
        if xr["kind"] in ("RegionalStorage", "RegionalProcessor")
        for item in result.resources
    }


def test_the_environment_that_is_composed_is_the_one_that_is_read(composed: Composed) -> None:
    variables = composed["function"]["environment"]["variables"]
    settings = Settings.of_environment(variables)
    assert (settings.table, settings.bucket) == (variables["TABLE_NAME"], variables["BUCKET_NAME"])
    assert (settings.ttl_attribute, settings.log_level) == ("expiresAt", "DEBUG")
    assert settings.cluster_endpoint.endswith(".rds.amazonaws.com")


def test_the_code_may_do_what_it_does_and_nothing_else(composed: Composed) -> None:
    statements = json.loads(composed["role-policy-data"]["policy"])["Statement"]
    actions = [action for statement in statements for action in _list(statement["Action"])]
    # get_object (of a version too), head_bucket; get_item, put_item, delete_item; both encrypted.
    assert sorted(set(actions)) == [
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "kms:Decrypt",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
    ]


@pytest.mark.parametrize("bucket", ["data-bucket", "log-bucket"])
def test_s3_takes_the_lifecycle_that_is_composed(aws: Aws, composed: Composed, bucket: str) -> None:
    rules = [_plain(rule) for rule in composed[f"{bucket}-lifecycle"]["rule"]]
    aws.s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": rules})
    stored = aws.s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert [rule["ID"] for rule in stored] == [rule["ID"] for rule in rules]


@pytest.mark.parametrize("bucket", ["data-bucket", "log-bucket"])
def test_s3_takes_the_policy_that_is_composed(aws: Aws, composed: Composed, bucket: str) -> None:
    aws.s3.put_bucket_policy(Bucket=BUCKET, Policy=composed[f"{bucket}-policy"]["policy"])


def _plain(node: Any) -> Any:
    """Returns a block of the plugin framework as the API has it: a list of one is an object, but for transitions."""
    names = {"id": "ID", "transition": "Transitions", "noncurrentVersionExpiration": "NoncurrentVersionExpiration"}
    if not isinstance(node, dict):
        return node
    return dict(_fields(node, names))


def _fields(node: Json, names: dict[str, str]) -> Iterator[tuple[str, Any]]:
    for name, value in node.items():
        listed = [_plain(item) for item in value] if isinstance(value, list) else _plain(value)
        single = isinstance(listed, list) and name != "transition"
        yield names.get(name, name[0].upper() + name[1:]), listed[0] if single else listed


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
