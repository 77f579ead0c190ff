import re

import pytest

from golden.world import Environment
from tap_stack import aws, pictures
from tap_stack.catalogue import AwsKind
from tap_stack.pictures import Graph, environment_picture, region_picture


@pytest.fixture(scope="module")
def drawn() -> Graph:
    return pictures.graph()


def test_every_resource_of_a_settled_environment_is_in_the_graph(drawn: Graph) -> None:
    settled = Environment("prod").settle()
    composed = {
        item.manifest["metadata"]["name"]
        for turned in settled.values()
        for _, composed in turned
        for item in composed.resources
        if "forProvider" in item.manifest["spec"]
    }
    assert {node.name for node in drawn.nodes} == composed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (aws.SUBNET, aws.VPC),
        (aws.FUNCTION, aws.SUBNET),
        (aws.METRIC_ALARM, aws.TOPIC),
        (aws.METRIC_ALARM, aws.DB_CLUSTER),
        (aws.METRIC_FILTER, aws.LOG_GROUP),
        (aws.INTEGRATION, aws.FUNCTION_ALIAS),
        (aws.BUCKET_NOTIFICATION, aws.PERMISSION),
        (aws.TABLE, aws.KEY),
    ],
    ids=str,
)
def test_an_arrow_leads_to_what_is_referred_to_named_or_waited_for(drawn: Graph, one: AwsKind, other: AwsKind) -> None:
    assert any((a.kind, b.kind) == (one, other) for a, b in drawn.edges)


def test_what_crosses_from_one_region_to_another_is_the_global_database_and_the_keys_of_the_table(drawn: Graph) -> None:
    across = {(a.region, a.kind, b.region, b.kind) for a, b in drawn.edges if a.region != b.region}
    assert across == {
        ("us-east-2", aws.DB_CLUSTER, "us-east-1", aws.DB_GLOBAL_CLUSTER),
        ("eu-west-1", aws.DB_CLUSTER, "us-east-1", aws.DB_GLOBAL_CLUSTER),
        ("us-east-1", aws.TABLE, "us-east-2", aws.KEY),
        ("us-east-1", aws.TABLE, "eu-west-1", aws.KEY),
    }


def test_a_picture_names_what_it_draws(drawn: Graph) -> None:
    for text in (region_picture(drawn), environment_picture(drawn)):
        nodes = set(re.findall(r"^\s+(\w+)\[", text, re.MULTILINE))
        arrows = re.findall(r'^\s+(\w+) (?:-->|-\.->|== ".*" ==>) (\w+)$', text, re.MULTILINE)
        assert len(arrows) > 20
        assert {end for arrow in arrows for end in arrow} <= nodes
        assert len(arrows) == len(set(arrows))


def test_every_reference_leads_to_something_that_is_composed() -> None:
    """A name that is derived in two places would wait for ever: the provider only says that it is not there."""
    settled = Environment("prod").settle()
    manifests = [item.manifest for turned in settled.values() for _, made in turned for item in made.resources]
    there = {manifest["metadata"]["name"] for manifest in manifests}
    lost = {
        (manifest["metadata"]["name"], field, reference["name"])
        for manifest in manifests
        for field, value in manifest["spec"].get("forProvider", {}).items()
        # A Secret is not composed: the provider writes the password into it.
        if field.endswith(("Ref", "Refs")) and not field.endswith("SecretRef")
        for reference in (value if isinstance(value, list) else [value])
        if reference["name"] not in there
    }
    assert lost == set()
