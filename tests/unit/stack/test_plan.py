"""A plan is held against what really follows: the claim is applied to the world of the stack's tests, and looked at."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from doubles.managed import published
from golden.world import Environment, World, environment_tap, provided
from tap_api.base import ApiModel, Json
from tap_api.fanout import fan_out
from tap_api.kinds import PRIMARY_STAYS, EnvironmentTapSpec, RegionalTapSpec
from tap_api.policy import Violation
from tap_api.schema import structural
from tap_stack.plan import Action, Change, Plan, State, fixed, plan, rendered
from tap_stack.plan.difference import differences
from tap_stack.plan.state import stays
from tap_stack.subject import RefusedError
from tap_stack.values import Unknown
from unit.stack.planned import PAIR, edited, in_aws, objects

#: Stands for whatever becomes of a field that is known later.
UNTOLD = object()
PUBLISHED = Unknown("the version that AWS publishes of the function")


def publishing(resource: Json, before: Json | None) -> Json:
    """Returns a resource that AWS makes at once; of a function it publishes a version of each change."""
    made = provided(resource)
    if resource["kind"] == "Function":
        made["status"]["atProvider"]["version"] = published(resource, before)
    return made


def told(change: Change) -> tuple[str, str, str, str]:
    return (change.action.value, change.region, change.part, change.key)


def test_against_nothing_everything_is_created_and_says_what_it_waits_for() -> None:
    made = plan(environment_tap("prod"), State())
    assert {change.action for change in made.changes} == {Action.CREATE}
    assert made.count(Action.CREATE) == 404
    assert made.regions == ["us-east-1", "us-east-2", "eu-west-1"]
    key, nat = (
        next(change for change in made.changes if change.key == key and change.region == "us-east-1")
        for key in ("key", "nat-a")
    )
    assert key.unknown == {"spec.forProvider.policy": "the ARN of the region's KMS key"}
    assert "policy" not in key.wanted["spec"]["forProvider"]
    assert nat.waits_for == "internet-gateway, which AWS makes first"
    assert nat.wanted["spec"]["forProvider"]["allocationIdRef"] == {"name": "prod-us-east-1-network-nat-address-a"}


def test_what_is_applied_already_changes_nothing(state: State) -> None:
    made = plan(edited(), state)
    assert made.changes == ()
    assert made.unchanged == {"us-east-1": 134, "us-east-2": 135}


@pytest.mark.parametrize(
    ("spec", "changes"),
    [
        (
            {"database": {"backupRetentionDays": 7}},
            {
                ("update", region, "database", "cluster"): [("spec.forProvider.backupRetentionPeriod", 35, 7)]
                for region in ("us-east-1", "us-east-2")
            },
        ),
        (
            {"processor": {"memoryMb": 1024}},
            {
                ("update", region, "processor", key): [change]
                for region in ("us-east-1", "us-east-2")
                for key, change in (
                    ("function", ("spec.forProvider.memorySize", 512, 1024)),
                    ("alias", ("spec.forProvider.functionVersion", "1", PUBLISHED)),
                )
            },
        ),
        (
            {"network": {"flowLogs": {"aggregationSeconds": 60}}},
            {
                ("blocked", region, "network", "flow-log"): [("spec.forProvider.maxAggregationInterval", 600, 60)]
                for region in ("us-east-1", "us-east-2")
            },
        ),
    ],
    ids=["backups", "memory", "aggregation"],
)
def test_an_edit_is_told_field_by_field(state: State, spec: Json, changes: Any) -> None:
    made = plan(edited(**spec), state)
    assert {told(c): [(f.path, f.old, f.new) for f in c.fields] for c in in_aws(made)} == changes


@pytest.mark.parametrize(
    "spec",
    [
        {"database": {"backupRetentionDays": 7, "maxCapacity": 32}},
        {"processor": {"memoryMb": 1024}},
        {"tags": {"CostCenter": "platform-4200", "Team": "payments"}},
        {"tags": {"CostCenter": "other"}},
        {"network": {"zones": 2}},
        {"network": {"nat": "Single"}},
        {"protection": False},
        {"regions": PAIR[:1]},
        {"regions": [*PAIR, {"name": "eu-west-1", "cidr": "10.2.0.0/16"}]},
        {"database": {"logExports": ["error"], "instances": 3}},
        {"storage": {"noncurrentVersionDays": 7, "expirationDays": 30}},
        {"api": {"authorization": "None"}, "monitoring": {"subscriptions": [{"protocol": "email", "endpoint": "a@b"}]}},
    ],
    ids=" ".join,
)
def test_what_is_told_is_what_follows(spec: Json) -> None:
    environment = Environment("prod", publishing, regions=PAIR)
    environment.settle()
    before = by_name(environment)
    made = plan(edited(**spec), State.of(objects(environment), "tap-prod"))
    follow(environment, edited(**spec))
    after = by_name(environment)
    assert said(made) == happened(before, after)
    # Of ours no fields: here is no apiserver, which would fill defaults in.
    told_of = {(c.kind, c.name): c for c in in_aws(made) if (c.kind, c.name) in before.keys() & after.keys()}
    for place, change in told_of.items():
        became = {f.path: (f.old, f.new) for f in differences(before[place], after[place], before[place], "spec")}
        expected = {f.path: (f.old, UNTOLD if isinstance(f.new, Unknown) else f.new) for f in change.fields}
        assert {
            path: (old, UNTOLD if (expected.get(path) or (0, 0))[1] is UNTOLD else new)
            for path, (old, new) in became.items()
        } == expected, place


def follow(environment: Environment, claim: Json) -> None:
    """Lets the operator, Crossplane and the provider do what they do with an edited claim."""
    environment.claim = claim
    observed = {region: world.tap for region, world in environment.worlds.items()}
    taps = {tap["spec"]["region"]: tap for tap in fan_out(claim, observed)}
    worlds = {region: environment.worlds.get(region) or World(tap, publishing) for region, tap in taps.items()}
    for region, tap in taps.items():
        worlds[region].tap["spec"] = tap["spec"]
    environment.worlds = worlds
    environment.settle()


def by_name(environment: Environment) -> dict[tuple[str, str], Json]:
    return {(o["kind"], o["metadata"]["name"]): o["spec"] for o in objects(environment)}


def happened(before: dict[tuple[str, str], Json], after: dict[tuple[str, str], Json]) -> dict[tuple[str, str], str]:
    changes = dict.fromkeys(after.keys() - before.keys(), "create")
    changes |= dict.fromkeys(before.keys() - after.keys(), "delete")
    return changes | {place: "update" for place in before.keys() & after.keys() if before[place] != after[place]}


def said(made: Plan) -> dict[tuple[str, str], str]:
    return {(c.kind, c.name): "update" if c.action is Action.BLOCKED else c.action.value for c in made.changes}


def with_object(state: State, kind: str, name: str, change: Any) -> State:
    """Returns the state in which one object is changed by `change`; None from it takes the object away."""
    place = (kind, name)
    found = (change(deepcopy(o)) if (o["kind"], o["metadata"]["name"]) == place else o for o in state.objects)
    return State(tuple(item for item in found if item))


FLOW_LOG = ("FlowLog", "prod-us-east-1-network-flow-log")


def test_what_aws_has_not_made_yet_is_changed_and_not_replaced(state: State) -> None:
    def unmade(item: Json) -> Json:
        return {**item, "status": {}}

    made = plan(edited(network={"flowLogs": {"aggregationSeconds": 60}}), with_object(state, *FLOW_LOG, unmade))
    actions = {change.region: change.action for change in in_aws(made) if change.key == "flow-log"}
    assert actions == {"us-east-1": Action.UPDATE, "us-east-2": Action.BLOCKED}


def test_a_replaced_field_says_so_and_what_to_do(state: State) -> None:
    made = plan(edited(network={"flowLogs": {"aggregationSeconds": 60}}), state)
    blocked = next(change for change in made.changes if change.action is Action.BLOCKED)
    assert [field.replaces for field in blocked.fields] == [True]
    assert "AWS would have to make another one" in blocked.blocked


def managed_by(manager: str, *fields: str) -> Json:
    """Returns an entry of managed fields that has fields of `spec.forProvider`."""
    return {"manager": manager, "fieldsV1": {"f:spec": {"f:forProvider": {f"f:{field}": {} for field in fields}}}}


#: The field managers of Crossplane and of the provider: of what it resolves, and of all else.
OURS, RESOLVER, PROVIDER = (
    "apiextensions.crossplane.io/composed/0123",
    "managed.crossplane.io/api-simple-reference-resolver",
    "provider",
)


def with_fields(state: State, kind: str, name: str, managers: list[Json], /, **fields: Any) -> State:
    """Returns the state in which one object is asked for some fields more."""

    def filled(item: Json) -> Json:
        item["spec"]["forProvider"] |= fields
        item["metadata"]["managedFields"] = managers
        return item

    return with_object(state, kind, name, filled)


VPC = ("VPC", "prod-us-east-1-network-vpc")


def fields_of(made: Plan) -> list[tuple[str, Any, Any]]:
    return [(field.path, field.old, field.new) for change in made.changes for field in change.fields]


def test_what_aws_filled_in_is_none_of_ours_and_what_was_ours_goes(state: State) -> None:
    ours = managed_by(OURS, "ipv4IpamPoolId")
    fields = {"ipv4IpamPoolId": "ours", "ipv6IpamPoolId": "filled-in", "tags": {"crossplane-kind": "vpc"}}
    made = plan(edited(), with_fields(state, *VPC, [ours], **fields))
    assert ("spec.forProvider.ipv4IpamPoolId", "ours", None) in fields_of(made)
    assert not [path for path, _, _ in fields_of(made) if "ipv6" in path or "crossplane" in path]


@pytest.mark.parametrize("other", [RESOLVER, PROVIDER])
def test_what_the_provider_asks_for_too_stays(state: State, other: str) -> None:
    managers = [managed_by(OURS, "ipv4IpamPoolId"), managed_by(other, "ipv4IpamPoolId")]
    assert plan(edited(), with_fields(state, *VPC, managers, ipv4IpamPoolId="both")).changes == ()


def test_of_an_object_that_is_not_asked_for_only_what_is_ours_alone_goes(state: State) -> None:
    ours, theirs = (
        {"manager": manager, "fieldsV1": {"f:spec": {"f:forProvider": {"f:timeouts": {f"f:{field}": {}}}}}}
        for manager, field in ((OURS, "create"), (PROVIDER, "delete"))
    )
    made = plan(edited(), with_fields(state, *VPC, [ours, theirs], timeouts={"create": "1h", "delete": "2h"}))
    assert fields_of(made) == [("spec.forProvider.timeouts.create", "1h", None)]


def test_what_aws_has_is_put_back_by_late_initialization_and_so_does_not_go(state: State) -> None:
    """The VPC's name is AWS's, so the provider may write into its spec; AWS shows `instanceTenancy: default`."""
    ours = managed_by(OURS, "instanceTenancy")
    assert plan(edited(), with_fields(state, *VPC, [ours], instanceTenancy="default")).changes == ()
    cluster = ("Cluster", "prod-us-east-1-database-cluster")
    made = plan(edited(), with_fields(state, *cluster, [managed_by(OURS, "endpoint")], endpoint="ours"))
    assert fields_of(made) == [("spec.forProvider.endpoint", "ours", None)]


def test_a_reference_that_moves_takes_along_what_it_was_resolved_to(state: State) -> None:
    route = ("Route", "prod-us-east-1-network-route-private-b-internet")
    resolved = with_fields(state, *route, [managed_by(OURS, "natGatewayId")], natGatewayId="nat-b")
    made = plan(edited(network={"nat": "Single"}), resolved)
    [change] = [change for change in made.changes if change.name == route[1]]
    assert [(f.path, f.old, f.new) for f in change.fields] == [
        ("spec.forProvider.natGatewayIdRef.name", *(f"prod-us-east-1-network-nat-{zone}" for zone in "ba")),
        ("spec.forProvider.natGatewayId", "nat-b", Unknown("the provider has resolved natGatewayIdRef")),
    ]


def test_a_route_is_changed_once_its_authorizer_is_there(state: State) -> None:
    jwt = {"issuer": "https://id.example.com", "audience": ["tap"]}
    made = plan(edited(api={"authorization": "JWT", "jwt": jwt}), state)
    authorizer = Unknown("the authorizer of the API")
    assert {told(c): [(f.path, f.old, f.new) for f in c.fields] for c in in_aws(made) if c.region == "us-east-2"} == {
        ("create", "us-east-2", "processor", "authorizer"): [],
        **{
            ("update", "us-east-2", "processor", f"route-{route}"): [
                ("spec.forProvider.authorizationType", "AWS_IAM", authorizer),
                ("spec.forProvider.authorizerId", None, authorizer),
            ]
            for route in ("create-session", "read-session", "delete-session", "read-object")
        },
    }


@pytest.mark.parametrize(
    ("spec", "follows"),
    [
        ({"processor": {"memoryMb": 1024}}, True),
        ({"processor": {"reservedConcurrency": 10}}, False),
        ({"tags": {"CostCenter": "other"}}, False),
    ],
    ids=["memory", "concurrency", "a tag"],
)
def test_the_alias_follows_what_makes_a_version_of_the_function(state: State, spec: Json, follows: bool) -> None:  # noqa: FBT001
    made = plan(edited(**spec), state)
    aliases = [change for change in in_aws(made) if change.key == "alias"]
    assert [(f.path, f.old, f.new) for change in aliases for f in change.fields] == [
        ("spec.forProvider.functionVersion", "1", PUBLISHED)
    ] * (2 if follows else 0)


def test_an_object_that_is_gone_is_made_again(state: State) -> None:
    made = plan(edited(), with_object(state, *FLOW_LOG, lambda _: None))
    assert [told(change) for change in made.changes] == [("create", "us-east-1", "network", "flow-log")]


def test_the_order_of_a_set_says_nothing(state: State) -> None:
    def turned(item: Json) -> Json:
        item["spec"]["forProvider"]["enabledCloudwatchLogsExports"].reverse()
        return item

    assert plan(edited(), with_object(state, "Cluster", "prod-us-east-1-database-cluster", turned)).changes == ()


def test_a_region_that_leaves_takes_along_what_is_not_protected(state: State) -> None:
    made = plan(edited(regions=PAIR[:1]), state)
    gone = [change for change in in_aws(made) if change.region == "us-east-2"]
    assert {change.action for change in gone} == {Action.DELETE}
    kept = {change.key for change in gone if change.kept}
    assert {"cluster", "key", "vpc", "data-bucket"} <= kept
    assert all(stays(item) for item in state.objects if item["metadata"]["name"] in {c.name for c in gone if c.kept})
    lost = {change.key: change.loses for change in gone if change.loses}
    assert lost["dead-letters"] == ("every message in the queue prod-us-east-2-processor-dead-letters",)
    assert not kept & lost.keys()
    assert [change.key for change in in_aws(made) if change.region == "us-east-1" and change.part == "sessions"] == []


@pytest.mark.parametrize(
    ("spec", "key", "loss"),
    [
        (
            {"database": {"backupRetentionDays": 7}},
            "cluster",
            "automated backups of the database older than 7 days (until now 35 days)",
        ),
        (
            {"sessions": {"recoveryDays": 1}},
            "table",
            "points in time of the table to go back to older than 1 day (until now 35 days)",
        ),
        (
            {"processor": {"logRetentionDays": 30}},
            "log-group",
            "log events older than 30 days (until now 365 days)",
        ),
        (
            {"storage": {"expirationDays": 30}},
            "data-bucket-lifecycle",
            "objects older than 30 days (until now for ever)",
        ),
    ],
    ids=["backups", "points in time", "logs", "objects"],
)
def test_a_shorter_time_loses_data_and_a_longer_one_does_not(state: State, spec: Json, key: str, loss: str) -> None:
    made = plan(edited(**spec), state)
    change = next(change for change in in_aws(made) if change.key == key)
    assert change.loses == (loss,)
    assert not any(change.loses for change in plan(edited(database={"maxCapacity": 128}), state).changes)


def test_a_new_region_changes_the_first_one_once_its_key_is_known(state: State) -> None:
    made = plan(edited(regions=[*PAIR, {"name": "eu-west-1", "cidr": "10.2.0.0/16"}]), state)
    (table,) = [change for change in in_aws(made) if change.region == "us-east-1"]
    assert told(table) == ("update", "us-east-1", "sessions", "table")
    assert [(field.path, field.new) for field in table.fields] == [
        ("spec.forProvider.replica[regionName=eu-west-1]", Unknown("the KMS key of eu-west-1"))
    ]
    ours = [change for change in made.changes if change.name in ("prod-us-east-1", "prod-us-east-1-sessions")]
    assert [[(field.path, field.new) for field in change.fields] for change in ours] == [
        [("spec.facts.replicas[region=eu-west-1]", Unknown("the KMS key of eu-west-1"))]
    ] * 2


def test_a_region_of_that_name_that_is_somebody_elses_blocks(state: State) -> None:
    def stranger(item: Json) -> Json:
        item["metadata"]["ownerReferences"][0]["uid"] = "another"
        return item

    made = plan(edited(), with_object(state, "RegionalTap", "prod-us-east-2", stranger))
    blocked = [change for change in made.changes if change.action is Action.BLOCKED]
    assert [(change.kind, change.name) for change in blocked] == [("RegionalTap", "prod-us-east-2")]


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({"tags": {}}, [("spec.tags.CostCenter", "TagMissing")]),
        ({"regions": [{"name": "us-east-1", "cidr": "10.9.0.0/16"}]}, [("spec.regions[0].cidr", "Immutable")]),
        ({"primaryRegion": "us-east-2"}, [("spec.primaryRegion", "Immutable")]),
        ({"database": {"databaseName": "other"}}, [("spec.database.databaseName", "Immutable")]),
        ({"peeringGroup": "prod"}, [("spec.peeringGroup", "Immutable")]),
        ({"colour": "red"}, [("spec.colour", "Schema")]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_claim_that_is_refused_changes_nothing_and_says_why(state: State, spec: Json, found: Any) -> None:
    made = plan(edited(**spec), state)
    assert [(violation.path, violation.code) for violation in made.violations] == found
    assert (made.changes, made.unchanged) == ((), {})


def test_advice_is_told_beside_the_changes() -> None:
    made = plan(edited(api={"authorization": "None"}), State())
    assert [advice.code for advice in made.advice] == ["OpenApi"]
    assert isinstance(made.advice[0], Violation)


def test_the_plan_of_one_region_says_how_much_there_is_elsewhere(state: State) -> None:
    made = plan(edited(processor={"memoryMb": 1024}), state)
    only = made.only(["us-east-2"])
    assert [told(change) for change in in_aws(only)] == [
        ("update", "us-east-2", "processor", "function"),
        ("update", "us-east-2", "processor", "alias"),
    ]
    assert only.elsewhere == sum(change.region == "us-east-1" for change in made.changes)


def test_a_state_without_the_environment_itself_is_known_by_its_regions(state: State) -> None:
    without = with_object(state, "EnvironmentTap", "prod", lambda _: None)
    assert [told(change)[:2] for change in plan(edited(), without).changes] == [("create", "")]


def test_objects_of_another_namespace_are_none_of_it(state: State) -> None:
    assert State.of(state.objects, "tap-dev").objects == ()
    assert State.of([{"metadata": {"namespace": "tap-dev"}, "data": {}}], "tap-dev").objects == ()


def test_a_region_that_stands_alone_is_planned_too(settled: Environment) -> None:
    tap = deepcopy(settled.worlds["us-east-2"].tap)
    claim = {"apiVersion": tap["apiVersion"], "kind": tap["kind"], "metadata": tap["metadata"], "spec": tap["spec"]}
    claim["metadata"] = {"name": "alone", "namespace": "tap-x"}
    claim["spec"] = {name: tap["spec"][name] for name in ("environment", "region", "cidr", "tags")}
    world = World({**claim, "metadata": {**claim["metadata"], "uid": "1"}})
    world.settle()
    there = State.of([world.tap, *(o for composed in world.objects.values() for o in composed.values())], "tap-x")
    assert plan(claim, there).changes == ()
    edited_claim = {**claim, "spec": {**claim["spec"], "processor": {"memoryMb": 2048}}}
    assert [told(c)[3] for c in in_aws(plan(edited_claim, there))] == ["function", "alias"]


def test_what_is_rendered_is_what_crossplane_gets(settled: Environment, state: State) -> None:
    made = list(rendered(edited(), state))
    assert all(not item.waits_for for item in made)
    names = [(item.manifest["kind"], item.manifest["metadata"]["name"]) for item in made]
    assert sorted(names) == sorted(place for place in by_name(settled) if place[0] != "EnvironmentTap")
    assert {place: item.manifest["spec"] for place, item in zip(names, made, strict=True)} == {
        place: spec for place, spec in by_name(settled).items() if place[0] != "EnvironmentTap"
    }


def test_a_claim_that_is_refused_is_not_rendered() -> None:
    with pytest.raises(RefusedError, match="TagMissing"):
        list(rendered(edited(tags={}), State()))


def test_from_nothing_no_owner_has_an_empty_uid() -> None:
    made = [item for item in rendered(edited(), State()) if not item.waits_for]
    assert not [item for item in made if item.manifest["metadata"].get("ownerReferences")]


@pytest.mark.parametrize("kind", [EnvironmentTapSpec, RegionalTapSpec])
def test_no_rule_of_the_schema_looks_at_the_old_object_in_a_way_that_a_plan_does_not_know(kind: type[ApiModel]) -> None:
    def rules(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from (rule["rule"] for rule in node.get("x-kubernetes-validations", []))
            for below in node.values():
                yield from rules(below)

    found = [rule for rule in rules(structural(kind)) if "oldSelf" in rule]
    assert found
    # What the primary region's state may be, policy answers itself: it is given the old object.
    answered = (fixed.SAME, PRIMARY_STAYS.rule)
    assert [rule for rule in found if rule not in answered and not fixed.THERE.fullmatch(rule)] == []
