"""`spec.monitoring.trail: Create`: a trail in each region, made once the log bucket and the key admit it."""

import json
from collections.abc import Callable

import pytest

from golden.world import ACCOUNT, Environment, World, regional_tap
from tap_api.base import Json
from tap_stack.compose import compose
from tap_stack.composed import Composed, Condition
from tap_stack.observation import of

MakeTap = Callable[..., Json]
CREATE = {"trail": "Create"}
NAME = "prod-us-east-1-trail-234a2353"
ARN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/{NAME}"
LOGS = f"arn:aws:s3:::prod-us-east-1-logs-{ACCOUNT}-234a2353"
REGION, STORAGE, MONITORING = "prod-us-east-1", "prod-us-east-1-storage", "prod-us-east-1-monitoring"


def composed(world: World) -> dict[str, Composed]:
    return {xr["metadata"]["name"]: result for xr, result in world.look()}


def settled(tap: Json) -> World:
    world = World(tap)
    world.settle()
    return world


def wanted(result: Composed, key: str) -> Json:
    found: Json = next(item.manifest for item in result.resources if item.key == key)["spec"]["forProvider"]
    return found


def statements(text: str) -> dict[str, Json]:
    return {statement.pop("Sid"): statement for statement in json.loads(text)["Statement"]}


def said(result: Composed, kind: str) -> list[tuple[str, str]]:
    return [(condition.status, condition.reason) for condition in result.conditions if condition.type == kind]


def waits(world: World) -> list[str]:
    return [item.key for item in composed(world)[MONITORING].withheld]


def test_each_region_has_a_trail_of_its_own_and_one_records_what_is_in_no_region() -> None:
    """Three that record IAM would tell of everything three times, were it not that two of them never hear of it."""
    environment = Environment("prod", monitoring=CREATE)
    environment.settle()
    for region, world in environment.worlds.items():
        trail = world.objects[f"prod-{region}-monitoring"]["trail"]
        key = world.objects[f"prod-{region}"]["key"]["status"]["atProvider"]["arn"]
        spec = {name: value for name, value in trail["spec"]["forProvider"].items() if name != "tags"}
        assert trail["metadata"]["annotations"]["crossplane.io/external-name"] == f"prod-{region}-trail-234a2353"
        assert spec == {
            "region": region,
            "s3BucketNameRef": {"name": f"prod-{region}-storage-log-bucket"},
            "s3KeyPrefix": "trail",
            "kmsKeyId": key,
            "enableLogFileValidation": True,
            "enableLogging": True,
            "isMultiRegionTrail": False,
            "includeGlobalServiceEvents": region == "us-east-1",
        }


@pytest.mark.parametrize("chosen", [{}, {"trail": "Existing"}])
def test_where_no_trail_is_made_nothing_admits_one(make_tap: MakeTap, chosen: Json) -> None:
    world = settled(make_tap(monitoring=chosen))
    assert "trail" not in world.objects[MONITORING]
    for name, key in ((REGION, "key"), (STORAGE, "log-bucket-policy")):
        assert "cloudtrail" not in world.objects[name][key]["spec"]["forProvider"]["policy"]
    assert said(composed(world)[STORAGE], "TrailAdmitted") == []


def test_the_log_bucket_lets_our_trail_look_and_write_below_its_prefix_and_no_other(make_tap: MakeTap) -> None:
    world = settled(make_tap(monitoring=CREATE))
    found = statements(wanted(composed(world)[STORAGE], "log-bucket-policy")["policy"])
    ours = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceArn": ARN}},
    }
    assert set(found) == {"OnlyTls", "AccessLogs", "TrailLooks", "TrailWrites"}
    assert found["TrailLooks"] == {**ours, "Action": "s3:GetBucketAcl", "Resource": LOGS}
    assert found["TrailWrites"] == {
        **ours,
        "Action": "s3:PutObject",
        "Resource": f"{LOGS}/trail/AWSLogs/{ACCOUNT}/*",
    }


def test_the_key_lets_our_trail_encrypt_and_no_other(make_tap: MakeTap) -> None:
    world = settled(make_tap(monitoring=CREATE))
    assert statements(wanted(composed(world)[REGION], "key")["policy"])["Trail"] == {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceArn": ARN}},
    }


@pytest.mark.parametrize(("name", "key"), [(REGION, "key"), (STORAGE, "log-bucket-policy")])
def test_a_trail_that_is_asked_for_later_waits_until_aws_shows_both_policies(
    make_tap: MakeTap, name: str, key: str
) -> None:
    """A trail that cannot write is refused; one that could and cannot any more is charged for its tries."""
    world = settled(make_tap(monitoring={}))
    old = world.objects[name][key]["status"]["atProvider"]["policy"]
    world.tap["spec"]["monitoring"] = CREATE
    for _ in range(5):
        world.turn()
        # The provider is slow: AWS still has the policy of before.
        world.objects[name][key]["status"]["atProvider"]["policy"] = old
        assert "trail" not in world.objects[MONITORING]
    assert waits(world) == ["trail"]
    (item,) = composed(world)[MONITORING].withheld
    assert item.source == "the log bucket and the key, until AWS shows the policies that admit the trail"
    world.settle()
    assert waits(world) == []
    assert "trail" in world.objects[MONITORING]


def test_a_trail_that_is_made_stays_while_a_policy_falls_silent(make_tap: MakeTap) -> None:
    world = settled(make_tap(monitoring=CREATE))
    before = world.objects[MONITORING]["trail"]["spec"]
    del world.objects[STORAGE]["log-bucket-policy"]["status"]
    del world.objects[REGION]["key"]["status"]
    for _ in range(3):
        assert composed(world)[MONITORING].withheld == ()
        xr = world.objects[REGION]["monitoring"]
        assert next(item for item in compose(xr, of(world.objects[MONITORING])).resources if item.key == "trail")
    assert wanted(composed(world)[MONITORING], "trail") == before["forProvider"]


@pytest.mark.parametrize(
    ("status", "reported"),
    [
        (None, ("False", "TrailNotRecording")),
        ({"conditions": [{"type": "Ready", "status": "False"}]}, ("False", "TrailNotRecording")),
        (
            {"conditions": [{"type": "Ready", "status": "True"}], "atProvider": {"enableLogging": False}},
            ("False", "TrailNotRecording"),
        ),
        (
            {"conditions": [{"type": "Ready", "status": "True"}], "atProvider": {"enableLogging": True}},
            ("True", "NobodyTrusted"),
        ),
    ],
)
def test_changes_are_reported_once_the_trail_records_and_no_longer_than_it_does(
    make_tap: MakeTap, status: Json | None, reported: tuple[str, str]
) -> None:
    world = settled(make_tap(monitoring=CREATE))
    del world.objects[MONITORING]["trail"]["status"]
    if status:
        world.objects[MONITORING]["trail"]["status"] = status
    part = composed(world)[MONITORING]
    assert said(part, "ChangesReported") == [reported]
    monitoring = world.objects[REGION]["monitoring"]
    monitoring["status"]["conditions"] = [vars(c) for c in part.conditions if isinstance(c, Condition)]
    assert said(compose(world.tap, of(world.objects[REGION])), "ChangesReported") == [reported]


def test_whoever_is_trusted_is_told_of_by_the_trail_that_is_made(make_tap: MakeTap) -> None:
    chosen = {**CREATE, "trustedPrincipals": [f"arn:aws:iam::{ACCOUNT}:role/provider-aws"]}
    world = settled(make_tap(monitoring=chosen))
    assert said(composed(world)[MONITORING], "ChangesReported") == [("True", "TrailRecords")]
    assert said(composed(world)[REGION], "ChangesReported") == [("True", "TrailRecords")]


def test_who_stops_the_trail_is_reported_by_it(make_tap: MakeTap) -> None:
    sources = {}
    for chosen in ("Create", "Existing"):
        world = settled(make_tap(monitoring={"trail": chosen}))
        detail = json.loads(wanted(composed(world)[MONITORING], "changes-named")["eventPattern"])["detail"]
        sources[chosen] = set(detail["eventSource"])
        fields = {field for either in detail["requestParameters"]["$or"] for field in either}
        assert ("trailName" in fields) == (chosen == "Create")
        assert "name" in fields
    assert sources["Create"] - sources["Existing"] == {"cloudtrail.amazonaws.com"}


def test_the_log_of_a_trail_ends_with_or_without_it(make_tap: MakeTap) -> None:
    for chosen in ({}, CREATE):
        world = settled(make_tap(monitoring=chosen, storage={"accessLogDays": 77}))
        rules = wanted(composed(world)[STORAGE], "log-bucket-lifecycle")["rule"]
        assert {rule["id"]: rule["filter"] for rule in rules if rule["expiration"] == [{"days": 77}]} == {
            "expire": [{"prefix": "data/"}],
            "expire-trail": [{"prefix": "trail/"}],
        }


def test_a_trail_goes_with_its_region_however_protected_the_data_is() -> None:
    tap = regional_tap("prod", "us-east-1")
    tap["spec"]["monitoring"] = CREATE
    trail = settled(tap).objects[MONITORING]["trail"]
    assert trail["spec"]["managementPolicies"] == ["Observe", "Create", "Update", "Delete"]
