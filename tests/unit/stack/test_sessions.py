from collections.abc import Callable
from typing import Any

import pytest

from golden.world import Environment, World
from tap_api.base import Json
from tap_stack import parts
from tap_stack.compose import compose
from tap_stack.composed import Composed
from tap_stack.subject import admit

MakeTap = Callable[..., Json]
NAME = "prod-sessions-234a2353"
REPLICA = {"sessionsTable": {"arn": f"arn:aws:dynamodb:us-east-1:123456789012:table/{NAME}"}}
KEYS = {region: f"arn:aws:kms:{region}:123456789012:key/1" for region in ("eu-west-1", "us-east-2")}
IMAGES = "NEW_AND_OLD_IMAGES"
WAITS = "the replica of the table in this region, which the primary region makes"


@pytest.fixture(autouse=True)
def only_the_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that builds the table alone, for speed."""
    monkeypatch.setattr(parts, "BUILT", {"sessions": parts.BUILT["sessions"]})


def composed(tap: Json) -> Composed:
    """Returns what the sessions of a RegionalTap compose once all is known."""
    return next(composed for xr, composed in World(tap).settle() if xr["kind"] == "RegionalSessions")


def table(tap: Json) -> Json:
    (item,) = (item for item in composed(tap).resources if item.key == "table")
    return item.manifest


def replicas(**keys: str | None) -> Json:
    """Returns facts of replicas: `eu_west_1="arn…"`."""
    named = {region.replace("_", "-"): arn for region, arn in keys.items()}
    return {"replicas": [{"region": region, **({"keyArn": arn} if arn else {})} for region, arn in named.items()]}


def test_a_region_that_stands_alone_has_a_plain_table(make_tap: MakeTap) -> None:
    tap = make_tap()
    tap["spec"]["facts"] = {}
    spec = dict(table(tap)["spec"]["forProvider"])
    assert spec.pop("serverSideEncryption")["enabled"] is True
    assert spec == {
        "region": "us-east-1",
        "billingMode": "PAY_PER_REQUEST",
        "tableClass": "STANDARD",
        "hashKey": "sessionId",
        "attribute": [{"name": "sessionId", "type": "S"}],
        "ttl": {"attributeName": "expiresAt", "enabled": True},
        "pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 35},
        "deletionProtectionEnabled": True,
        "tags": {"CostCenter": "platform-4200", "Environment": "prod", "Region": "us-east-1"},
    }


def test_the_table_is_encrypted_by_the_arn_of_the_key_for_a_reference_would_give_its_id(make_tap: MakeTap) -> None:
    encryption = table(make_tap())["spec"]["forProvider"]["serverSideEncryption"]
    assert encryption["kmsKeyArn"].startswith("arn:aws:kms:us-east-1:123456789012:key/")
    assert set(encryption) == {"enabled", "kmsKeyArn"}


def test_the_table_waits_for_the_key(make_tap: MakeTap) -> None:
    turned = {xr["kind"]: result for xr, result in World(make_tap()).turn()}
    assert [(item.key, item.source) for item in turned["RegionalSessions"].withheld] == [
        ("table", "the region's KMS key, until AWS shows the policy that admits the services")
    ]


def test_what_is_chosen_reaches_the_table(make_tap: MakeTap) -> None:
    spec = table(make_tap(sessions={"ttlAttribute": "gone_at", "recoveryDays": 7}))["spec"]["forProvider"]
    assert (spec["ttl"]["attributeName"], spec["pointInTimeRecovery"]["recoveryPeriodInDays"]) == ("gone_at", 7)


def test_replicas_are_listed_by_region_with_every_field_or_they_differ_for_ever_05_trap_8(make_tap: MakeTap) -> None:
    facts = replicas(us_east_2=KEYS["us-east-2"], eu_west_1=KEYS["eu-west-1"])
    assert table(make_tap(facts=facts))["spec"]["forProvider"]["replica"] == [
        {
            "regionName": region,
            "kmsKeyArn": KEYS[region],
            "consistencyMode": "EVENTUAL",
            "deletionProtectionEnabled": True,
            "pointInTimeRecovery": True,
            "propagateTags": False,
        }
        for region in ("eu-west-1", "us-east-2")
    ]


@pytest.mark.parametrize(
    ("facts", "listed", "stream"),
    [
        (replicas(), None, None),
        (replicas(us_east_2=None), None, IMAGES),
        (replicas(eu_west_1=None, us_east_2=KEYS["us-east-2"]), ["us-east-2"], IMAGES),
    ],
)
def test_a_replica_is_listed_once_its_key_is_known_and_the_stream_is_there_before(
    make_tap: MakeTap, facts: Json, listed: list[str] | None, stream: str | None
) -> None:
    spec = table(make_tap(facts=facts))["spec"]["forProvider"]
    found = [replica["regionName"] for replica in spec["replica"]] if "replica" in spec else None
    assert (found, spec.get("streamViewType")) == (listed, stream)
    assert spec.get("streamEnabled") is (True if stream else None)


def settled(tap: Json, **replica: Any) -> World:
    """Returns a primary with a replica in us-east-2, of which AWS shows those fields too, and whose region has gone."""
    tap["spec"]["facts"] = replicas(us_east_2=KEYS["us-east-2"])
    world = World(tap)
    world.settle()
    [shown] = world.objects["prod-us-east-1-sessions"]["table"]["status"]["atProvider"]["replica"]
    shown.update(replica)
    world.tap["spec"]["facts"] = {}
    return world


def turn(world: World) -> tuple[Json, Composed, Composed]:
    """Returns what is asked of the table now, and what the region and its sessions compose."""
    (_, region), *others = world.turn()
    sessions = next(composed for xr, composed in others if xr["kind"] == "RegionalSessions")
    return next(item for item in sessions.resources if item.key == "table").manifest["spec"], region, sessions


def kept(composed: Composed) -> tuple[str, str, str]:
    [found] = [(c.status, c.reason, c.message) for c in composed.conditions if c.type == "ReplicasKept"]
    return found


def test_the_protected_replica_of_a_region_that_has_gone_stays(make_tap: MakeTap) -> None:
    world = settled(make_tap())
    before = world.objects["prod-us-east-1-sessions"]["table"]["spec"]["forProvider"]
    for _ in range(3):
        spec, region, sessions = turn(world)
        assert spec["forProvider"] == before
    assert (len(before["replica"]), before["streamViewType"]) == (1, IMAGES)
    told = "the table's replica in us-east-2 stays in AWS though its region has gone; it goes once `spec.protection` is false"
    assert kept(sessions) == ("True", "Protected", told)
    assert [part.get("message") for part in region.status["parts"] if part["name"] == "sessions"] == [told]


def test_once_protection_is_lifted_aws_is_told_so_before_the_replica_goes(make_tap: MakeTap) -> None:
    world = settled(make_tap())
    turn(world)
    world.tap["spec"]["protection"] = False
    spec, _, sessions = turn(world)
    assert [replica["deletionProtectionEnabled"] for replica in spec["forProvider"]["replica"]] == [False]
    assert kept(sessions)[:2] == ("True", "Leaving")
    spec, _, _ = turn(world)
    assert [spec["forProvider"].get(field) for field in ("replica", "streamEnabled")] == [None, None]
    assert kept(turn(world)[2]) == ("False", "NoneKept", "")


def test_a_replica_that_nothing_protects_goes_with_its_region(make_tap: MakeTap) -> None:
    spec, _, sessions = turn(settled(make_tap(protection=False)))
    assert ("replica" in spec["forProvider"], kept(sessions)[0]) == (False, "False")


def test_a_protected_replica_stays_though_somebody_took_the_protection_off_in_aws(make_tap: MakeTap) -> None:
    spec, _, _ = turn(settled(make_tap(), deletionProtectionEnabled=False))
    assert [replica["deletionProtectionEnabled"] for replica in spec["forProvider"]["replica"]] == [True]


def test_a_kept_replica_is_taken_up_by_a_table_that_is_made_again(make_tap: MakeTap) -> None:
    world = settled(make_tap())
    asked = world.objects["prod-us-east-1-sessions"]["table"]["spec"]["forProvider"].pop("replica")
    assert turn(world)[0]["forProvider"]["replica"] == asked


@pytest.mark.parametrize(
    ("shown", "listed"),
    [
        (None, ["us-east-2"]),
        ({"arn": "a"}, None),
        ({"arn": "a", "replica": []}, None),
        ({"arn": "a", "replica": [{"regionName": "eu-west-1", "kmsKeyArn": KEYS["eu-west-1"]}]}, None),
    ],
    ids=["silence tells nothing", "a person deleted it", "and it was the last", "a person made another one"],
)
def test_what_a_person_does_to_replicas_of_no_region_is_not_undone_and_not_taken_up(
    make_tap: MakeTap, shown: Json | None, listed: list[str] | None
) -> None:
    world = settled(make_tap())
    table = world.objects["prod-us-east-1-sessions"]["table"]
    table["status"] = {**table["status"], "atProvider": shown} if shown else {}
    spec = turn(world)[0]["forProvider"]
    assert ([replica["regionName"] for replica in spec["replica"]] if "replica" in spec else None) == listed


@pytest.mark.parametrize("known", [None, "arn:aws:kms:us-east-2:123456789012:key/2"])
def test_a_protected_replica_keeps_its_key_when_its_region_is_back_with_another_one(
    make_tap: MakeTap, known: str | None
) -> None:
    world = settled(make_tap())
    world.tap["spec"]["facts"] = replicas(us_east_2=known)
    spec, _, sessions = turn(world)
    assert [replica["kmsKeyArn"] for replica in spec["forProvider"]["replica"]] == [KEYS["us-east-2"]]
    assert kept(sessions)[0] == "False"


@pytest.mark.parametrize("protection", [True, False])
def test_a_protected_table_refuses_to_go_in_every_region_and_is_let_go_of(
    make_tap: MakeTap,
    protection: bool,  # noqa: FBT001
) -> None:
    manifest = table(make_tap(protection=protection, facts=replicas(us_east_2=KEYS["us-east-2"])))
    spec = manifest["spec"]["forProvider"]
    assert [spec["deletionProtectionEnabled"], spec["replica"][0]["deletionProtectionEnabled"]] == [protection] * 2
    wanted = ["Observe", "Create", "Update"]
    assert manifest["spec"]["managementPolicies"] == (wanted if protection else [*wanted, "Delete"])


def test_nothing_but_the_primarys_table_owns_a_replica_05_trap_8() -> None:
    kinds = {
        (region, item.manifest["kind"], tuple(item.manifest["spec"]["managementPolicies"]))
        for region, turned in Environment("prod").settle().items()
        for xr, result in turned
        if xr["kind"] == "RegionalSessions"
        for item in result.resources
    }
    assert kinds == {
        ("us-east-1", "Table", ("Observe", "Create", "Update")),
        *((region, "Table", ("Observe",)) for region in ("us-east-2", "eu-west-1")),
        *((region, "Tag", ("*",)) for region in ("us-east-2", "eu-west-1")),
    }


def test_the_table_has_one_name_in_every_region() -> None:
    names = {
        item.manifest["metadata"]["annotations"]["crossplane.io/external-name"]
        for turned in Environment("prod").settle().values()
        for xr, result in turned
        for item in result.resources
        if item.manifest["kind"] == "Table"
    }
    assert names == {NAME}


def test_a_secondary_waits_until_its_replica_is_there(make_tap: MakeTap) -> None:
    found = composed(make_tap(role="Secondary"))
    assert {item.source for item in found.withheld} == {WAITS}
    assert [item.key for item in found.resources] == []
    assert "table" in {item.key for item in found.withheld}


def test_a_secondary_looks_at_its_replica_and_tags_it_with_everything(make_tap: MakeTap) -> None:
    tags = {"CostCenter": "1", "team": "a", "team/": "b", "x y:z/ü": "c"}
    found = composed(make_tap(role="Secondary", tags=tags, facts=REPLICA))
    specs = {item.key: item.manifest["spec"] for item in found.resources}
    assert specs.pop("table")["forProvider"] == {"region": "us-east-1"}
    said = {spec["forProvider"]["key"]: spec["forProvider"]["value"] for spec in specs.values()}
    assert said == {**tags, "Environment": "prod", "Region": "us-east-1"}
    assert {spec["forProvider"]["resourceArn"] for spec in specs.values()} == {REPLICA["sessionsTable"]["arn"]}
    assert len({key for key in specs if key.startswith("tag-team-")}) == 2


@pytest.mark.parametrize(("role", "facts"), [("Primary", {}), ("Secondary", REPLICA)])
def test_the_name_of_the_table_is_an_output_once_aws_has_it(make_tap: MakeTap, role: str, facts: Json) -> None:
    assert composed(make_tap(role=role, facts=facts)).status["outputs"] == {"tableName": NAME}


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (None, None),
        ({}, None),
        ({"arn": "a"}, []),
        ({"arn": "a", "replica": []}, []),
        ({"arn": "a", "replica": [{"regionName": "eu-west-1"}]}, []),
        (
            {
                "arn": "a",
                "replica": [{"regionName": "us-east-2", "arn": "y" * 20}, {"regionName": "eu-west-1", "arn": "x"}],
            },
            [{"region": "eu-west-1", "arn": "x"}, {"region": "us-east-2", "arn": "y" * 20}],
        ),
    ],
)
def test_the_primary_tells_which_replicas_aws_lists(
    make_tap: MakeTap, shown: Json | None, told: list[Json] | None
) -> None:
    world = World(make_tap())
    xr = {xr["kind"]: xr for xr, _ in world.settle()}["RegionalSessions"]
    objects = world.objects["prod-us-east-1-sessions"]
    if shown is None:
        objects.clear()
    else:
        objects["table"]["status"]["atProvider"] = shown
    subject = admit(xr, world.observed(xr["metadata"]["name"]))
    assert parts.BUILT["sessions"].facts(subject).get("sessionsReplicas") == told


def test_a_replica_that_is_gone_is_told_to_be_gone_and_silence_tells_nothing(make_tap: MakeTap) -> None:
    world = World(make_tap(facts=replicas(us_east_2=KEYS["us-east-2"])))
    xr = {xr["kind"]: xr for xr, _ in world.settle()}["RegionalSessions"]
    objects = world.objects["prod-us-east-1-sessions"]
    told = {
        "sessionsReplicas": [{"region": "us-east-2", "arn": f"arn:aws:dynamodb:us-east-2:123456789012:table/{NAME}"}]
    }
    assert xr["status"]["facts"] == told
    status = objects["table"].pop("status")
    assert compose(xr, world.observed(xr["metadata"]["name"])).status["facts"] == told
    objects["table"]["status"] = {**status, "atProvider": {**status["atProvider"], "replica": []}}
    assert compose(xr, world.observed(xr["metadata"]["name"])).status["facts"] == {"sessionsReplicas": []}
