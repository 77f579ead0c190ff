"""The instances of the database, and what it tells of itself: outputs for people, facts for the other regions."""

from collections.abc import Callable

import pytest

from golden.world import World
from tap_api.base import Json
from tap_stack import parts
from tap_stack.compose import compose
from tap_stack.composed import Composed

MakeTap = Callable[..., Json]
GLOBAL = {"identifier": "prod-global-234a2353", "engineVersion": "8.0.mysql_aurora.3.10.0", "region": "us-east-1"}
WAITS = "the global database, until the operator's facts say that the primary region's writer is up"


@pytest.fixture(autouse=True)
def only_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that builds the database and its network alone, for speed."""
    monkeypatch.setattr(parts, "BUILT", {part: parts.BUILT[part] for part in ("network", "database")})


def composed(tap: Json) -> Composed:
    """Returns what the database of a RegionalTap composes once all is known."""
    return next(composed for xr, composed in World(tap).settle() if xr["kind"] == "RegionalDatabase")


def specs(tap: Json) -> dict[str, Json]:
    return {item.key: item.manifest["spec"] for item in composed(tap).resources}


def cluster(tap: Json) -> Json:
    spec = specs(tap)["cluster"]
    return {**spec, **spec["forProvider"]}


@pytest.mark.parametrize(
    ("zones", "instances", "places"),
    [
        (2, 2, {"instance-a-1": ("us-east-1a", 0), "instance-b-1": ("us-east-1b", 1)}),
        (3, 2, {"instance-a-1": ("us-east-1a", 0), "instance-b-1": ("us-east-1b", 1)}),
        (
            3,
            3,
            {
                "instance-a-1": ("us-east-1a", 0),
                "instance-b-1": ("us-east-1b", 1),
                "instance-c-1": ("us-east-1c", 2),
            },
        ),
        (
            2,
            3,
            {
                "instance-a-1": ("us-east-1a", 0),
                "instance-b-1": ("us-east-1b", 1),
                "instance-a-2": ("us-east-1a", 2),
            },
        ),
    ],
)
def test_instances_go_round_the_zones(
    make_tap: MakeTap, zones: int, instances: int, places: dict[str, tuple[str, int]]
) -> None:
    tap = make_tap(network={"zones": zones}, database={"instances": instances})
    found = {
        key: (spec["forProvider"]["availabilityZone"], spec["forProvider"]["promotionTier"])
        for key, spec in specs(tap).items()
        if key.startswith("instance-")
    }
    assert found == places


def test_sixteen_instances_have_names_and_tiers_that_aws_takes(make_tap: MakeTap) -> None:
    wanted = specs(make_tap(database={"instances": 16}))
    tiers = [spec["forProvider"]["promotionTier"] for key, spec in wanted.items() if key.startswith("instance-")]
    assert tiers == list(range(16))


def test_no_instance_changes_its_zone_when_their_number_or_the_zones_change(make_tap: MakeTap) -> None:
    def zones_of(zones: int, instances: int) -> dict[str, str]:
        tap = make_tap(network={"zones": zones}, database={"instances": instances})
        return {
            key: spec["forProvider"]["availabilityZone"]
            for key, spec in specs(tap).items()
            if key.startswith("instance-")
        }

    sets = [zones_of(zones, instances) for zones in (2, 3) for instances in (2, 3, 5, 7)]
    everything = {key: zone for found in sets for key, zone in found.items()}
    assert all(everything[key] == zone for found in sets for key, zone in found.items())


def test_an_instance_is_private_monitored_and_serverless(primary: Json) -> None:
    found = specs(primary)["instance-a-1"]["forProvider"]
    assert {name: found.get(name) for name in ("instanceClass", "publiclyAccessible", "monitoringInterval")} == {
        "instanceClass": "db.serverless",
        "publiclyAccessible": False,
        "monitoringInterval": 60,
    }
    assert found["monitoringRoleArnRef"] == {"name": "prod-us-east-1-database-monitoring-role"}
    assert found["clusterIdentifierRef"] == {"name": "prod-us-east-1-database-cluster"}
    # Members of a global database are upgraded by it.
    assert found["autoMinorVersionUpgrade"] is False


@pytest.mark.parametrize("place", ["primary", "secondary", "regional"])
def test_outputs_say_where_to_connect_and_where_the_password_is(request: pytest.FixtureRequest, place: str) -> None:
    world = World(request.getfixturevalue(place))
    outputs = {xr["kind"]: result for xr, result in world.settle()}["RegionalDatabase"].status["outputs"]
    shown = world.objects["prod-us-east-1-database"]["cluster"]["status"]["atProvider"]
    reader = {"readerEndpoint": shown["readerEndpoint"]}
    writer = {"clusterEndpoint": shown["endpoint"], **reader}
    expected: dict[str, Json] = {
        "primary": {**writer, "databaseSecretName": "prod-us-east-1-database-connection"},
        "secondary": {"clusterEndpoint": shown["readerEndpoint"], **reader},
        "regional": {**writer, "databaseSecretArn": shown.get("masterUserSecret", [{}])[0].get("secretArn")},
    }
    assert outputs == expected[place]


def database_of(world: World) -> Composed:
    """Returns what the database composes now."""
    return {xr["kind"]: result for xr, result in world.look()}["RegionalDatabase"]


def member(region: str, *, writes: bool) -> Json:
    return {"dbClusterArn": f"arn:aws:rds:{region}:123456789012:cluster:{region}", "isWriter": writes}


@pytest.mark.parametrize("writing", ["us-east-1", "eu-west-1"])
def test_the_primary_offers_its_writer_while_it_writes_and_tells_the_others_who_does(
    primary: Json, writing: str
) -> None:
    world = World(primary)
    world.settle()
    observed = world.objects["prod-us-east-1-database"]
    members = [member(region, writes=region == writing) for region in ("eu-west-1", "us-east-1")]
    observed["global-cluster"]["status"]["atProvider"]["globalClusterMembers"] = members
    if writing != "us-east-1":
        not_writing(observed)
    shown, status = observed["cluster"]["status"]["atProvider"], database_of(world).status
    wanted = shown["endpoint" if writing == "us-east-1" else "readerEndpoint"]
    assert status["outputs"]["clusterEndpoint"] == wanted
    assert status["facts"]["globalCluster"] == {**GLOBAL, "region": writing}


def test_a_cluster_that_has_begun_to_follow_offers_its_reader_at_once(primary: Json) -> None:
    world = World(primary)
    world.settle()
    shown = world.objects["prod-us-east-1-database"]["cluster"]["status"]["atProvider"]
    shown["replicationSourceIdentifier"] = "arn:aws:rds:eu-west-1:1:cluster:x"
    assert database_of(world).status["outputs"]["clusterEndpoint"] == shown["readerEndpoint"]


def test_a_secondary_that_was_made_the_writer_offers_it_and_nothing_of_it_is_undone(secondary: Json) -> None:
    world = World(secondary)
    before = {xr["kind"]: result for xr, result in world.settle()}["RegionalDatabase"]
    region = secondary["spec"]["region"]
    shown = world.objects[f"prod-{region}-database"]["cluster"]["status"]["atProvider"]
    shown["replicationSourceIdentifier"] = ""
    world.tap["spec"]["facts"]["globalCluster"]["region"] = region
    after = database_of(world)
    assert after.status["outputs"]["clusterEndpoint"] == shown["endpoint"]
    asked = [{item.key: item.manifest["spec"]["forProvider"] for item in one.resources} for one in (before, after)]
    assert asked[0] == asked[1]


def without(path: tuple[str, ...]) -> Callable[[Json], None]:
    def remove(objects: Json) -> None:
        node = objects
        for step in path[:-1]:
            node = node[step]
        del node[path[-1]]

    return remove


def not_ready(objects: Json) -> None:
    objects["instance-a-1"]["status"]["conditions"][0]["status"] = "False"


def not_writing(objects: Json) -> None:
    objects["instance-a-1"]["status"]["atProvider"]["writer"] = False


FACT = {"globalCluster": GLOBAL}


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (lambda _: None, FACT),
        (without(("global-cluster",)), {}),
        (without(("global-cluster", "status")), {}),
        (without(("instance-a-1",)), {}),
        (without(("instance-a-1", "status")), {}),
        (without(("instance-b-1",)), FACT),
        (not_ready, {}),
        (not_writing, {}),
    ],
)
def test_the_fact_for_secondaries_is_told_once_an_instance_writes(
    primary: Json, change: Callable[[Json], None], fact: Json
) -> None:
    world = World(primary)
    xr = {xr["kind"]: xr for xr, _ in world.settle()}["RegionalDatabase"]
    change(world.objects["prod-us-east-1-database"])
    found = compose({**xr, "status": {}}, world.observed("prod-us-east-1-database"))
    assert found.status.get("facts", {}) == fact


@pytest.mark.parametrize("place", ["secondary", "regional"])
def test_only_a_primary_has_something_to_tell(request: pytest.FixtureRequest, place: str) -> None:
    assert "facts" not in composed(request.getfixturevalue(place)).status


def test_a_fact_once_told_stays_when_the_cluster_falls_silent(primary: Json) -> None:
    world = World(primary)
    world.settle()
    for resource in world.objects["prod-us-east-1-database"].values():
        resource.pop("status", None)
    after = {xr["kind"]: result for xr, result in world.look()}["RegionalDatabase"]
    assert after.status["facts"] == FACT


def test_an_instance_is_ready_with_its_endpoint_and_its_part_in_the_cluster_1905(primary: Json) -> None:
    world = World(primary)
    world.settle()
    for field in ("endpoint", "writer"):
        shown = world.objects["prod-us-east-1-database"]["instance-b-1"]["status"]["atProvider"]
        kept = shown.pop(field)
        after = {xr["kind"]: result for xr, result in world.look()}["RegionalDatabase"]
        assert [item.key for item in after.resources if not item.ready] == ["instance-b-1"]
        shown[field] = kept
