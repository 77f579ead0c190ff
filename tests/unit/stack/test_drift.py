"""Drift: what was changed behind our back is told once, by its path; what is quiet, or ours, is not."""

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from doubles import hands
from doubles.account import key_of
from golden.world import Environment, World, claims, provided
from tap_api.base import GROUP, Json
from tap_api.common import DriftMode
from tap_api.fanout import fan_out
from tap_api.kinds import KINDS
from tap_api.status import DriftStatus
from tap_stack import drift
from tap_stack.assembly import Emitted
from tap_stack.catalogue import catalogue
from tap_stack.composed import Composed
from tap_stack.drift.compare import differences, resolved, same
from tap_stack.observation import of

MakeTap = Callable[..., Json]
#: Polls of quiet that tell nothing.
POLLS = 30
#: Fields that are changed behind the provider's back.
CHANGED = 50
#: What makes an environment compose every kind that there is.
OF_EVERY_KIND: Json = {
    "monitoring": {"trail": "Create", "subscriptions": [{"protocol": "email", "endpoint": "a@example.com"}]},
    "api": {"authorization": "JWT", "jwt": {"issuer": "https://a.example", "audience": ["x"]}},
}
VPC = {"apiVersion": "ec2.aws.m.upbound.io/v1beta1", "kind": "VPC", "metadata": {"name": "x"}}


def drifted(composed: Composed) -> tuple[str, str, str]:
    """Returns the condition Drifted: its status, reason and message."""
    (found,) = (condition for condition in composed.conditions if condition.type == "Drifted")
    return found.status, found.reason, found.message


def fields(composed: Composed, name: str = "fields") -> list[tuple[str, str]]:
    """Returns which fields of which resources an XR says to be drifted, or `repaired`."""
    return [(entry["resource"], entry["field"]) for entry in composed.status.get("drift", {}).get(name, [])]


def quiet(environment: Environment) -> None:
    for turned in environment.turn().values():
        for xr, composed in turned:
            assert drifted(composed)[:2] == ("False", "AsWanted"), xr["metadata"]["name"]
            assert not {"fields", "repaired"} & set(composed.status["drift"])


@pytest.fixture(scope="module")
def settled() -> dict[str, Environment]:
    made = {claim: Environment(claim, **OF_EVERY_KIND) for claim in claims()}
    for environment in made.values():
        environment.settle()
    return made


@pytest.mark.parametrize("claim", claims())
def test_a_quiet_environment_never_drifts(claim: str, settled: dict[str, Environment]) -> None:
    for _ in range(POLLS):
        quiet(settled[claim])


def targets(environment: Environment) -> Iterator[tuple[str, str, str, hands.Steps, str]]:
    """Yields region, XR, key, steps and kind of every leaf that AWS tells of."""
    for region, world in environment.worlds.items():
        for name, objects in world.objects.items():
            for key, resource in objects.items():
                if not resource["apiVersion"].startswith(GROUP):
                    kind, _ = key_of(resource)
                    yield from ((region, name, key, steps, kind) for steps in hands.reached(resource))


def test_every_field_that_is_changed_behind_our_back_is_told_once_and_none_is_missed(
    settled: dict[str, Environment],
) -> None:
    chance = random.Random(8)  # noqa: S311
    every = [(claim, *found) for claim, environment in settled.items() for found in targets(environment)]
    chance.shuffle(every)
    seen: set[str] = set()
    # One of each kind first, then whatever comes.
    chosen = [found for found in every if found[5] not in seen and not seen.add(found[5])]  # type: ignore[func-returns-value]
    assert {found[5] for found in chosen} >= set(catalogue())
    chosen = [*chosen, *every[: max(0, CHANGED - len(chosen))]]
    assert len(chosen) >= CHANGED
    for claim, region, xr, key, steps, kind in chosen:
        world = deepcopy(settled[claim].worlds[region])
        was, now = hands.put(world.objects[xr][key]["status"]["atProvider"], steps)
        told = {name: composed for (of_xr, composed) in world.look() if (name := of_xr["metadata"]["name"])}
        found = fields(told[xr])
        assert [resource for resource, _ in found] == [key] * len(found), (kind, steps, found)
        paths = {path for _, path in found}
        top = f"spec.forProvider.{steps[0]}"
        assert paths, f"{kind} {steps}: {was!r} -> {now!r} is missed"
        assert all(path == top or path.startswith((f"{top}.", f"{top}[")) for path in paths), (kind, steps, paths)
        # A name that tells an item of a list apart, changed, is one that goes and one that comes.
        assert len(found) == 1 or (len(found) == 2 and isinstance(steps[-2], int)), (kind, steps, found)
        assert drifted(told[xr])[:2] == ("True", "FieldsDiffer")
        assert all(
            fields(composed) == [] for name, composed in told.items() if name not in (xr, world.tap["metadata"]["name"])
        )


def change(world: World, part: str, key: str, field: str, value: Any) -> Json:
    """Changes a field in AWS; the world's provider has repaired it after the next turn."""
    name = f"{world.tap['metadata']['name']}-{part}" if part else world.tap["metadata"]["name"]
    resource = world.objects[name][key]
    resource["status"]["atProvider"][field] = value
    return resource


def obedient(resource: Json, before: Json | None) -> Json:
    """Returns a resource as a provider leaves it that changes nothing where it may not."""
    may = {"*", "Update"} & set(resource["spec"]["managementPolicies"])
    return provided(resource) if may or before is None else {**resource, "status": before["status"]}


def turn(world: World) -> dict[str, Composed]:
    """Returns what composing gives in a turn, by part; the region's own under an empty name."""
    turned = world.turn()
    for xr, composed in turned:
        told = [vars(condition) for condition in composed.conditions]
        if KINDS[xr["kind"]].part == "":
            world.tap["status"] = {**composed.status, "conditions": [*told, *READY]}
    return {KINDS[xr["kind"]].part: composed for xr, composed in turned}


READY = [{"type": "Ready", "status": "True"}]


def test_drift_goes_up_to_the_region_and_what_was_repaired_is_told_until_the_next(make_tap: MakeTap) -> None:
    world = World(make_tap())
    world.settle()
    change(world, "network", "vpc", "enableDnsSupport", value=False)
    turned = turn(world)
    line = "vpc: spec.forProvider.enableDnsSupport wanted true, is false"
    assert drifted(turned["network"]) == ("True", "FieldsDiffer", line)
    assert drifted(turned["database"]) == ("False", "AsWanted", "")
    # The region saw the part before that; then it sees it drifted, and then repaired.
    turned = turn(world)
    assert drifted(turned[""]) == ("True", "FieldsDiffer", f"network/{line}")
    repaired = "Repaired: vpc: spec.forProvider.enableDnsSupport wanted true, was false"
    assert drifted(turned["network"]) == ("False", "Repaired", repaired)
    for _ in range(3):
        turned = turn(world)
        assert drifted(turned["network"]) == ("False", "Repaired", repaired)
        assert drifted(turned[""]) == ("False", "Repaired", repaired.replace("vpc:", "network/vpc:"))
    change(world, "", "key", "enableKeyRotation", value=False)
    assert drifted(turn(world)[""])[:2] == ("True", "FieldsDiffer")
    turned = turn(world)
    assert fields(turned[""], "repaired") == [
        ("key", "spec.forProvider.enableKeyRotation"),
        ("network/vpc", "spec.forProvider.enableDnsSupport"),
    ]


def test_a_change_of_ours_is_no_drift_while_the_provider_is_about_it(make_tap: MakeTap) -> None:
    world = World(make_tap())
    world.settle()
    world.tap["spec"]["processor"]["memoryMb"] = 2048
    for _ in range(4):
        for part, composed in turn(world).items():
            assert drifted(composed)[0] != "True", part
            assert fields(composed, "repaired") == []


def test_what_drifts_stays_so_while_the_provider_fails_to_repair_it(make_tap: MakeTap) -> None:
    world = World(make_tap())
    world.settle()
    vpc = change(world, "network", "vpc", "enableDnsSupport", value=False)
    name = f"{world.tap['metadata']['name']}-network"
    network = next(of_part for key, of_part in world.objects[world.tap["metadata"]["name"]].items() if key == "network")
    for synced in ("False", "True", "Unknown"):
        vpc["status"]["conditions"] = [{"type": "Synced", "status": synced}, {"type": "Ready", "status": "True"}]
        (composed,) = (c for xr, c in world.look() if xr["metadata"]["name"] == name)
        assert drifted(composed)[0] == "True"
    assert network["status"]["drift"]["settled"]["vpc"]


def test_drift_is_only_reported_once_all_was_as_wanted_and_then_nothing_is_changed(make_tap: MakeTap) -> None:
    world = World(make_tap(drift="Report", environmentRef=None, facts=None), obedient)
    modes = []
    for _ in range(12):
        turned = turn(world)
        modes.append(bool(turned[""].status.get("drift", {}).get("reporting")))
    assert modes == sorted(modes)
    assert modes[0] is False
    assert modes[-1] is True
    policies = {
        tuple(item.manifest["spec"]["managementPolicies"])
        for composed in turned.values()
        for item in composed.resources
        if "managementPolicies" in item.manifest["spec"]
    }
    assert policies == {
        ("Observe", "Create", "Delete"),
        ("Observe", "Create", "Delete", "LateInitialize"),
        ("Observe", "Create"),
        ("Observe", "Create", "LateInitialize"),
    }
    # A change of the claim is not made: it shows as drift.
    world.tap["spec"]["network"]["flowLogs"]["retentionDays"] = 3
    for _ in range(3):
        turned = turn(world)
        assert fields(turned["network"]) == [("flow-log-group", "spec.forProvider.retentionInDays")]
    # Whoever returns to Repair has it made, and is told.
    world.tap["spec"]["drift"] = "Repair"
    assert fields(turn(world)["network"]) == [("flow-log-group", "spec.forProvider.retentionInDays")]
    turned = turn(world)
    assert drifted(turned["network"])[1] == "Repaired"
    assert "reporting" not in turned[""].status["drift"]


def reporting(environment: Environment) -> dict[str, bool]:
    """Returns of which regions drift is only reported, after a turn of all of them that the operator follows."""
    told = {region: turn(world)[""].status.get("drift", {}) for region, world in environment.worlds.items()}
    taps = fan_out(environment.claim, {region: world.tap for region, world in environment.worlds.items()})
    environment.worlds = {tap["spec"]["region"]: environment.worlds[tap["spec"]["region"]] for tap in taps}
    for tap in taps:
        environment.worlds[tap["spec"]["region"]].tap["spec"] = tap["spec"]
    return {region: bool(drift_of.get("reporting")) for region, drift_of in told.items()}


def test_what_a_change_sets_beside_report_is_made_in_aws_before_drift_is_only_reported() -> None:
    environment = Environment("dev", obedient)
    for _ in range(12):
        reporting(environment)
    primary, *_, leaving = environment.worlds
    resources = environment.worlds[primary].objects

    def in_aws() -> list[str]:
        table = resources[f"dev-{primary}-sessions"]["table"]
        return [replica["regionName"] for replica in table["status"]["atProvider"]["replica"]]

    assert leaving in in_aws()
    # Policy refuses this change; what is stored past admission has to be made all the same.
    environment.claim["spec"]["drift"] = "Report"
    environment.claim["spec"]["regions"].pop()
    told = [reporting(environment)[primary] for _ in range(12)]
    assert (told, told[-1]) == (sorted(told), True)
    assert leaving not in in_aws()


def test_a_resource_that_only_looks_and_one_that_aws_does_not_show_are_not_judged() -> None:
    looked = {**VPC, "spec": {"managementPolicies": ["Observe"], "forProvider": {"cidrBlock": "10.0.0.0/16"}}}
    ours = {**VPC, "spec": {"managementPolicies": ["*"], "forProvider": {"cidrBlock": "10.0.0.0/16"}}}
    shown = {"status": {"atProvider": {"id": "vpc-1", "cidrBlock": "10.1.0.0/16"}, "conditions": []}}
    emitted = [
        Emitted("looked", looked, ready=True),
        Emitted("ours", ours, ready=True),
        Emitted("new", ours, ready=True),
    ]
    there = of({"looked": {**looked, **shown}, "ours": ours})
    judged = drift.judge(emitted, there, DriftStatus(), DriftMode.REPAIR)
    assert (judged.fields, judged.pending, judged.settled) == ((), (("ours", None),), {})


@pytest.mark.parametrize(
    ("wanted", "real"),
    [
        (300, "300"),
        (0.5, 0.5),
        (2, 2.0),
        (True, "true"),
        ("arn:aws:kms:us-east-1:1:key/abc", "abc"),
        ("abc", "arn:aws:kms:us-east-1:1:key/abc"),
        ("my-bucket", "arn:aws:s3:::my-bucket"),
        ("arn:aws:logs:us-east-1:1:log-group:/x", "arn:aws:logs:us-east-1:1:log-group:/x:*"),
        ('{"Statement":[{"Action":["a"]}],"Version":"1"}', '{"Version": "1", "Statement": {"Action": "a"}}'),
        ("{ $.level = 1 }", "{ $.level = 1 }"),
    ],
)
def test_two_spellings_of_one_value_are_the_same(wanted: Any, real: Any) -> None:
    assert same(wanted, real)


@pytest.mark.parametrize(
    ("wanted", "real"),
    [
        (300, "301"),
        (True, False),
        (True, 1),
        ("a", ""),
        ("arn:aws:kms:us-east-1:1:key/abc", "arn:aws:kms:us-east-1:1:key/abd"),
        ("arn:aws:kms:us-east-1:1:key/abc", "bc"),
        ("arn:aws:kms:us-east-1:1:key/abc", ""),
        ('{"Statement":[{"Action":["a"]}]}', '{"Statement":[{"Action":["a","b"]}]}'),
        ("{ $.level = 1 }", "{ $.level = 2 }"),
        ('{"a":1}', "none"),
    ],
)
def test_two_values_are_not_the_same(wanted: Any, real: Any) -> None:
    assert not same(wanted, real)


MAP = {"type": "object", "additionalProperties": {"type": "string"}}
SCHEMA = {
    "properties": {
        "tags": MAP,
        "environment": {"properties": {"variables": MAP}},
        "dimensions": MAP,
        "rule": {"items": {"properties": {"id": {"type": "string"}}}},
    }
}


@pytest.mark.parametrize(
    ("wanted", "real", "found"),
    [
        ({"a": 1}, {}, []),
        ({"tags": {"A": "1"}}, {"tags": {"A": "1", "aws:x": "2", "crossplane-kind": "3"}}, []),
        ({"tags": {"A": "1"}}, {"tags": {"B": "1"}}, [("spec.forProvider.tags.A", "1", None)]),
        (
            {"dimensions": {"A": "1"}},
            {"dimensions": {"A": "1", "B": "2"}},
            [("spec.forProvider.dimensions.B", None, "2")],
        ),
        ({"list": ["a", "b"]}, {"list": ["b", "a"]}, []),
        ({"list": ["a", "b"]}, {"list": ["b"]}, [("spec.forProvider.list", ["a", "b"], ["b"])]),
        ({"list": ["a"]}, {"list": ["a", "a"]}, [("spec.forProvider.list", ["a"], ["a", "a"])]),
        (
            {"rule": [{"id": "x", "days": 1}, {"id": "y"}]},
            {"rule": [{"id": "z"}, {"id": "x", "days": 2, "more": 1}]},
            [
                ("spec.forProvider.rule[id=x].days", 1, 2),
                ("spec.forProvider.rule[id=y]", {"id": "y"}, None),
                ("spec.forProvider.rule[id=z]", None, {"id": "z"}),
            ],
        ),
        ({"items": [{"a": 1}, {"a": 2}]}, {"items": [{"a": 2}, {"a": 3}]}, [("spec.forProvider.items[0].a", 1, 3)]),
        ({"one": {"a": 1}}, {"one": [{"a": 1}]}, []),
        ({"one": {"a": 1}}, {"one": "x"}, [("spec.forProvider.one", {"a": 1}, "x")]),
        # Somebody may have put a secret there.
        (
            {"environment": {"variables": {"A": "1"}}},
            {"environment": {"variables": {"A": "2", "PASSWORD": "hunter2"}}},
            [
                ("spec.forProvider.environment.variables.A", "1", "(a value that is not shown)"),
                ("spec.forProvider.environment.variables.PASSWORD", None, "(a value that is not shown)"),
            ],
        ),
        (
            {"policy": '{"Statement":[{"Sid":"A","Effect":"Deny"}]}'},
            {"policy": '{"Statement":[{"Sid":"A","Effect":"Allow"}]}'},
            [("spec.forProvider.policy", 'Statement.Effect: "Deny"', 'Statement.Effect: "Allow"')],
        ),
        ({"masterPasswordSecretRef": {"name": "a"}}, {"masterPasswordSecretRef": {"name": "b"}}, []),
        (
            {"subnetIdRefs": [{"name": "a"}]},
            {"subnetIds": ["subnet-2"]},
            [("spec.forProvider.subnetIds", ["subnet-1"], ["subnet-2"])],
        ),
        (
            {"vpcConfig": {"groupIdRef": {"name": "a"}}},
            {"vpcConfig": {"groupId": "sg-2"}},
            [("spec.forProvider.vpcConfig.groupId", "sg-1", "sg-2")],
        ),
        ({"unresolvedRef": {"name": "a"}}, {"unresolved": "x"}, []),
    ],
)
def test_the_shapes_of_the_provider_are_known(wanted: Json, real: Json, found: list[tuple[str, Any, Any]]) -> None:
    asked = {"subnetIds": ["subnet-1"], "vpcConfig": {"groupId": "sg-1"}}
    told = differences(resolved(wanted, asked.get), real.get, SCHEMA)
    assert [(item.path, item.wanted, item.real) for item in told] == found


def test_what_is_told_is_bounded_and_a_status_that_nobody_reads_is_an_empty_one() -> None:
    judged = drift.Judged(tuple((f"r{i}", drift.Difference("spec.forProvider.a", "x" * 999, None)) for i in range(99)))
    said = drift.status(judged, DriftStatus(), DriftMode.REPORT)
    assert len(said.fields) == 50
    assert len(said.fields[0].wanted) == 160
    message = drift.condition(said).message
    assert message.endswith("and 45 more in status.drift")
    assert drift.parse({"drift": {"fields": 3}}) == drift.parse({}) == DriftStatus()
