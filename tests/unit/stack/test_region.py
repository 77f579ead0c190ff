import json
from collections.abc import Callable

import pytest

from golden.world import ACCOUNT, AWS_DEFAULT_POLICY, World, provided
from tap_api.base import Json
from tap_api.kinds import PARTS
from tap_stack.compose import compose
from tap_stack.composed import Composed, Condition
from tap_stack.observation import of
from tap_stack.tree import stored

MakeTap = Callable[..., Json]


def find(composed: Composed, key: str) -> Json:
    return next(item.manifest for item in composed.resources if item.key == key)


def part_facts(composed: Composed, part: str = "network") -> Json:
    spec = find(composed, part)["spec"]
    return {field: spec[field] for field in ("accountId", "keyArn") if field in spec}


def objects(tap: Json, composed: Composed) -> dict[str, Json]:
    return {item.key: stored(tap, item) for item in composed.resources}


def test_the_key_is_made_with_the_policy_of_aws_then_given_ours_then_handed_to_the_parts(make_tap: MakeTap) -> None:
    tap = make_tap()
    first = compose(tap, {})
    assert "policy" not in find(first, "key")["spec"]["forProvider"]
    assert part_facts(first) == {}

    there = objects(tap, first)
    there["key"] = provided(there["key"])
    assert there["key"]["status"]["atProvider"]["policy"] == AWS_DEFAULT_POLICY.replace(",", ", ")
    second = compose(tap, of(there))
    policy = json.loads(find(second, "key")["spec"]["forProvider"]["policy"])
    assert policy["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert part_facts(second) == {"accountId": ACCOUNT}

    there = objects(tap, second)
    there["key"] = provided(there["key"])
    third = compose(tap, of(there))
    assert part_facts(third) == {"accountId": ACCOUNT, "keyArn": there["key"]["status"]["atProvider"]["arn"]}
    assert find(third, "key") == find(second, "key")


def test_what_a_part_was_told_of_the_key_stays_when_the_key_falls_silent(make_tap: MakeTap) -> None:
    world = World(make_tap())
    world.settle()
    settled = dict(next(world.look())[1].resources[2].manifest["spec"])
    for key in ("key", "network"):
        del world.objects["prod-us-east-1"][key]["status"]
    silent = next(world.look())[1]
    assert find(silent, "network")["spec"] == settled
    assert find(silent, "key")["spec"] == world.objects["prod-us-east-1"]["key"]["spec"]


def test_a_part_gets_the_sections_of_its_own_kind_and_nothing_else(make_tap: MakeTap) -> None:
    composed = compose(make_tap(), {})
    context = {"environment", "environmentRef", "region", "role", "tags", "protection", "drift", "state", "facts"}
    assert {kind.part: set(find(composed, kind.part)["spec"]) - context for kind in PARTS} == {
        "network": {"cidr", "network"},
        "database": {"zones", "database"},
        "sessions": {"sessions"},
        "storage": {"storage", "monitoring"},
        "processor": {"zones", "processor", "api", "sessions"},
        "monitoring": {"database", "processor", "monitoring"},
    }


@pytest.mark.parametrize(("protection", "days"), [(True, 30), (False, 7)])
def test_a_protected_key_can_be_brought_back_for_as_long_as_aws_allows(
    make_tap: MakeTap,
    protection: bool,  # noqa: FBT001
    days: int,
) -> None:
    key = find(compose(make_tap(protection=protection), {}), "key")["spec"]["forProvider"]
    assert (key["deletionWindowInDays"], key["enableKeyRotation"]) == (days, True)


@pytest.mark.usefixtures("only_the_network")
@pytest.mark.usefixtures("only_the_network")
def test_a_region_says_which_parts_are_not_built_and_is_not_ready(make_tap: MakeTap) -> None:
    composed = World(make_tap()).settle()[0][1]
    assert composed.conditions[:2] == (
        Condition(
            "Built",
            "False",
            "PartsNotBuilt",
            "This version does not build yet: database, sessions, storage, processor, monitoring.",
        ),
        Condition("ResourcesHealthy", "True", "Healthy"),
    )
    assert [(entry["name"], entry["ready"], entry.get("message")) for entry in composed.status["parts"]] == [
        ("network", True, None),
        *(
            (part, False, "not built in this version")
            for part in ("database", "sessions", "storage", "processor", "monitoring")
        ),
    ]
    assert (composed.ready, composed.ttl) == (None, 300)


@pytest.mark.usefixtures("only_the_network")
def test_a_region_counts_its_own_resources_and_those_of_its_parts(make_tap: MakeTap) -> None:
    assert World(make_tap()).settle()[0][1].status["resources"] == {
        "desired": 58,
        "created": 58,
        "ready": 58,
        "withheld": 0,
    }


@pytest.mark.usefixtures("only_the_network")
def test_outputs_come_from_the_parts_and_the_key_and_stay(make_tap: MakeTap) -> None:
    world = World(make_tap())
    outputs = world.settle()[0][1].status["outputs"]
    key = world.objects["prod-us-east-1"]["key"]["status"]["atProvider"]
    vpc = world.objects["prod-us-east-1-network"]["vpc"]["status"]["atProvider"]
    assert outputs == {"vpcId": vpc["id"], "keyId": key["keyId"], "keyArn": key["arn"]}
    world.tap["status"]["outputs"] = {**outputs, "ofANewerVersion": "x"}
    world.objects.clear()
    assert next(world.look())[1].status["outputs"] == outputs


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ({}, "not composed yet"),
        ({"conditions": [{"type": "Ready", "status": "False", "reason": "Creating"}]}, "Creating"),
        (
            {"waiting": [{"key": "flow-log", "source": "the key"}, {"key": "role", "source": "the account"}]},
            "flow-log waits for the key (and 1 more)",
        ),
        (
            {
                "waiting": [{"key": "flow-log", "source": "the key"}],
                "conditions": [{"type": "ResourcesHealthy", "status": "False", "message": "vpc: limit exceeded"}],
            },
            "vpc: limit exceeded",
        ),
        ({"conditions": [{"type": "Built", "status": "False", "message": "not built"}]}, "not built"),
    ],
)
def test_a_part_that_is_not_ready_says_the_cause_before_the_symptom(
    make_tap: MakeTap, status: Json, message: str
) -> None:
    composed = compose(make_tap(), of({"network": {"status": status}}))
    assert composed.status["parts"][0]["message"] == message


def test_a_region_that_stands_alone_shares_its_suffix_with_its_parts(make_tap: MakeTap) -> None:
    tap = make_tap(environmentRef=None)
    tap["metadata"]["name"] = "lonely"
    turned = World(tap).settle()
    names = [
        item.manifest["metadata"]["annotations"]["crossplane.io/external-name"]
        for _, composed in turned
        for item in composed.resources
        if (item.manifest["apiVersion"].partition(".")[0], item.manifest["kind"])
        in (("kms", "Alias"), ("cloudwatchlogs", "Group"))
    ]
    assert names[:2] == ["lonely-0b0c4eb6", "/aws/vpc/flow-logs/lonely-0b0c4eb6"]
    assert [name for name in names if "0b0c4eb6" not in name] == []
