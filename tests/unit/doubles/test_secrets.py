"""The Secrets of the double: the ones that provider-aws v2.5.0 writes, with its names, keys, types and owners."""

from typing import Any

import pytest

from doubles.aws import provided
from doubles.secrets import CONNECTION, generated, published, read
from tap_api.base import Json

OWNER = {"apiVersion": "rds.aws.m.upbound.io/v1beta1", "kind": "Cluster", "name": "one", "uid": "u1"}


def cluster(*, connection: str = "one-connection", **spec: Any) -> Json:
    found: Json = {
        "apiVersion": OWNER["apiVersion"],
        "kind": "Cluster",
        "metadata": {
            "name": "one",
            "namespace": "tap-prod",
            "uid": "u1",
            "annotations": {"crossplane.io/external-name": "prod-one"},
        },
        "spec": {
            "forProvider": {
                "region": "us-east-1",
                "masterUsername": "tapadmin",
                "masterPasswordSecretRef": {"name": "one-password", "key": "password"},
                "autoGeneratePassword": True,
                "port": 3306,
                **spec,
            },
        },
    }
    if connection:
        found["spec"]["writeConnectionSecretToRef"] = {"name": connection}
    return found


def test_a_password_is_generated_into_the_secret_that_is_named_and_goes_with_its_resource() -> None:
    secret = generated(cluster(), None)
    assert secret
    assert secret["metadata"] == {"name": "one-password", "namespace": "tap-prod", "ownerReferences": [OWNER]}
    assert secret["type"] == "Opaque"
    assert list(read(secret)) == ["password"]
    assert len(read(secret)["password"]) >= 8
    assert read(secret) != read(generated(cluster(), None))


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        (cluster(), {"data": {"password": "c2VjcmV0"}}),
        (cluster(autoGeneratePassword=False), None),
        (cluster(masterPasswordSecretRef=None), None),
    ],
    ids=["there is one", "nobody asked", "no place for it"],
)
def test_a_password_is_not_generated_where_there_is_one_or_nobody_asks(asked: Json, there: Json | None) -> None:
    assert generated(asked, there) is None


def test_connection_details_are_published_under_the_providers_keys() -> None:
    made = provided(cluster())
    secret = published(made, "s3cret")
    assert secret
    ownership = {"controller": True, "blockOwnerDeletion": True}
    assert secret["metadata"]["ownerReferences"] == [{**OWNER, **ownership}]
    assert (secret["metadata"]["name"], secret["type"]) == ("one-connection", CONNECTION)
    assert read(secret) == {
        "attribute.master_password": "s3cret",
        "endpoint": made["status"]["atProvider"]["endpoint"],
        "master_username": "tapadmin",
        "port": "3306",
        "reader_endpoint": made["status"]["atProvider"]["readerEndpoint"],
    }


def test_nothing_is_published_of_what_asks_for_nothing() -> None:
    assert published(provided(cluster(connection="")), "s3cret") is None
