"""The real provider-aws on a real control plane; behind it moto, in place of AWS.

A region that stands alone comes up whole. The three regions of `claims/prod.yaml` come up as far as moto goes: what it
cannot make is in one table, with moto's reason. Nothing else may be unready, and nothing may be set again in every pass.

`make test AWS=moto` and `make soak` bring up all four regions; `make test`, where the provider is built already, brings up
the one that stands alone, for the others take ten minutes more.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aws.account import Account
from aws.conftest import is_whole
from cluster.world import World, namespace_of_its_own
from doubles.aws import external_name
from tap_api import manifest
from tap_api.base import Json
from tap_api.kinds import PARTS, REGIONAL_TAP
from tap_api.naming import LABEL_PART, LABEL_REGION
from tap_cluster import moto

CLAIMS = Path(__file__).parents[2] / "claims"
ALONE, HOME = "alone", "eu-west-1"
PRIMARY, SECONDARIES = "us-east-1", ("us-east-2", "eu-west-1")
REGIONS = {ALONE: HOME, **{f"prod-{region}": region for region in (PRIMARY, *SECONDARIES)}}
CONFIG = {"kind": "ClusterProviderConfig", "name": moto.CONFIG}
#: Seconds in which the provider looks at every resource again, and a bit.
POLL = 75
#: Passes after which nothing may be set again.
PASSES = 5
#: Seconds for everything: the provider waits for AWS to settle after each change of a key alone.
PATIENCE = 900
#: Seconds until everything is gone: of an environment the primary goes after its secondaries, each one part by part.
GOING = 2400

#: RegionalTap and part -> why moto does not make all of it. 05, section 4.2.
NOT_MADE = {
    (f"prod-{region}", "sessions"): "moto ignores the replicas of a table" for region in (PRIMARY, *SECONDARIES)
}


#: What the provider keeps no external name for: it writes them over what is there.
NAMELESS = {"BucketNotification", "DefaultSecurityGroup"}
#: What has another external name once it was adopted: the path that Terraform imports it by.
RENAMED = {
    "route.ec2.aws.m.upbound.io",
    "target.cloudwatchevents.aws.m.upbound.io",
    "vpcendpointroutetableassociation.ec2.aws.m.upbound.io",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "tap" in metafunc.fixturenames:
        metafunc.parametrize("tap", chosen(metafunc.config))


def chosen(config: pytest.Config) -> dict[str, str]:
    """Returns the RegionalTaps that are brought up, and their regions."""
    return REGIONS if is_whole(config) else {ALONE: HOME}


@pytest.fixture(scope="module")
def taps(pytestconfig: pytest.Config) -> dict[str, str]:
    """The RegionalTaps that are brought up, and their regions."""
    return chosen(pytestconfig)


@pytest.fixture(scope="module")
def made(world: World, account: Account, taps: dict[str, str]) -> Iterator[World]:
    """A region that stands alone and an environment of three, made at once; at the end moto is as it was."""
    before = {region: account.holds(region) for region in set(taps.values())}
    world.apply(
        {
            "apiVersion": "tap.platform/v1alpha1",
            "kind": "RegionalTap",
            "metadata": {"name": ALONE},
            "spec": {
                "environment": "dev",
                "region": HOME,
                "cidr": "10.9.0.0/16",
                "tags": {"CostCenter": "platform-4200"},
                "protection": False,
                "storage": {"forceDestroy": True},
                "providerConfigRef": CONFIG,
            },
        }
    )
    if len(taps) > 1:
        [prod] = manifest.read(CLAIMS / "prod.yaml")
        # Unprotected, so that all of it can be deleted.
        spec = {"protection": False, "storage": {"forceDestroy": True}, "providerConfigRef": CONFIG}
        world.apply({**prod, "spec": {**prod["spec"], **spec}})
    deadline = time.monotonic() + PATIENCE
    while missing := unmade(world, taps):
        assert time.monotonic() < deadline, f"not made within {PATIENCE} s:\n" + "\n".join(missing)
        time.sleep(3)
    yield world
    # The regions of an environment go with it, and nobody else may delete them.
    world.kubectl("delete", "etap", "--all", "--wait=false")
    world.kubectl("delete", "rtap", ALONE, "--wait=false")

    def gone() -> bool:
        # An operator that a busy machine kept from its Lease ends, and a node starts it again; here there is no node.
        world.cluster.revive()
        for one in world.managed():
            # The provider deletes nothing that it still waits for, and moto never ends making it. So somebody lets it go,
            # as a person would of what AWS never ends making; all else of its region goes after it.
            if owner(one) in NOT_MADE and "deletionTimestamp" in one["metadata"]:
                world.kubectl("patch", *key(one), "--type=merge", '--patch={"metadata":{"finalizers":null}}')
        return not world.names("regionaltaps") and not world.managed()

    world.until(gone, "everything is gone", GOING)
    left = {region: account.holds(region) - before[region] for region in before}
    # The table whose replicas moto never makes.
    assert [one for held in left.values() for one in held if not one.startswith("table prod-sessions-")] == []


def parts(world: World) -> list[Json]:
    return [part for kind in (REGIONAL_TAP, *PARTS) for part in world.objects(kind.plural)]


def owner(resource: Json) -> tuple[str, str]:
    """Returns the RegionalTap of a resource and the part of it."""
    labels = resource["metadata"]["labels"]
    # Without a name of an environment it is the one that stands alone.
    tap = f"prod-{labels[LABEL_REGION]}" if resource["metadata"]["name"].startswith("prod-") else ALONE
    return tap, labels.get(LABEL_PART, "")


def unmade(world: World, taps: dict[str, str]) -> list[str]:
    """Returns what is not there yet though moto can make it, and what the provider says of it."""
    resources, found = world.managed(), []
    if {owner(one)[0] for one in resources} != set(taps):
        found.append("a region has nothing yet")
    found += unready(one for one in resources if owner(one) not in NOT_MADE)
    for part in parts(world):
        if part["kind"] == REGIONAL_TAP.kind or owner(part) in NOT_MADE:
            continue
        waiting = part.get("status", {}).get("waiting", [])
        found += [f"{part['metadata']['name']} {one['key']} waits for {one['source']}" for one in waiting]
    return found


def unready(resources: Iterable[Json]) -> list[str]:
    """Returns which resources are not ready and in sync, and what the provider says of them."""
    return [
        f"{one['kind']} {one['metadata']['name']}: " + "; ".join(filter(None, (c.get("message") for c in said(one))))
        for one in resources
        if not {"Ready", "Synced"} <= holding(one)
    ]


def test_a_region_that_stands_alone_comes_up_whole(made: World) -> None:
    made.until(lambda: "Ready" in holding(made.get("regionaltaps", ALONE)), "the region is Ready", 60)


def test_every_part_of_every_region_comes_up_but_for_those_that_moto_lacks(made: World, taps: dict[str, str]) -> None:
    every = {(tap, kind.part) for tap in taps for kind in PARTS}

    def unready() -> set[tuple[str, str]]:
        return every - {owner(part) for part in parts(made) if "Ready" in holding(part)}

    made.until(lambda: unready() <= set(NOT_MADE), "every other part is Ready", 60)
    # The primary's table is Ready too where it was there before the keys of the others were known: replicas follow then.
    lacking = {part for part in every & set(NOT_MADE) if part[0] != f"prod-{PRIMARY}"}
    assert unready() >= lacking, "moto has learned something: shorten the table"


def holding(resource: Json) -> set[str]:
    return {condition["type"] for condition in said(resource) if condition["status"] == "True"}


def said(resource: Json) -> list[Json]:
    """Returns the conditions of a resource."""
    found: list[Json] = resource.get("status", {}).get("conditions", [])
    return found


def test_the_outputs_are_what_moto_made(made: World, account: Account, tap: str) -> None:
    outputs, region = made.get("regionaltaps", tap)["status"]["outputs"], REGIONS[tap]

    def of(service: str) -> Any:
        return account.client(service, region)

    cidrs = {ALONE: "10.9.0.0/16", "prod-us-east-1": "10.0.0.0/16", "prod-us-east-2": "10.1.0.0/16"}
    [vpc] = of("ec2").describe_vpcs(VpcIds=[outputs["vpcId"]])["Vpcs"]
    assert vpc["CidrBlock"] == cidrs.get(tap, "10.2.0.0/16")
    assert of("s3").get_bucket_versioning(Bucket=outputs["bucketName"])["Status"] == "Enabled"
    function, _, alias = outputs["lambdaArn"].rpartition(":")
    live = of("lambda").get_alias(FunctionName=function.rpartition(":")[2], Name=alias)
    assert live["AliasArn"] == outputs["lambdaArn"]
    assert outputs["apiEndpoint"] in {api["ApiEndpoint"] for api in of("apigatewayv2").get_apis()["Items"]}
    assert of("kms").describe_key(KeyId=outputs["keyArn"])["KeyMetadata"]["Enabled"]
    clusters = of("rds").describe_db_clusters()["DBClusters"]
    if tap in (ALONE, f"prod-{PRIMARY}"):
        endpoints = {(cluster["Endpoint"], cluster["ReaderEndpoint"]) for cluster in clusters}
        assert (outputs["clusterEndpoint"], outputs["readerEndpoint"]) in endpoints
    else:  # Of a replica, an application gets what reads (02).
        assert outputs["clusterEndpoint"] == outputs["readerEndpoint"]
        assert outputs["readerEndpoint"] in {cluster["ReaderEndpoint"] for cluster in clusters}
    if (tap, "sessions") not in NOT_MADE:
        assert of("dynamodb").describe_table(TableName=outputs["tableName"])["Table"]["TableStatus"] == "ACTIVE"


@pytest.mark.timeout(120 + PASSES * POLL, func_only=True)
def test_nothing_is_set_again(made: World) -> None:
    """The provider tells of each time that it changed something, in an event of the resource."""
    skipped = {resource["metadata"]["name"] for resource in made.managed() if owner(resource) in NOT_MADE}

    def again() -> set[tuple[str, str]]:
        before = changes(made)
        time.sleep(POLL)
        return {key for key, times in changes(made).items() if times > before[key] and key[1] not in skipped}

    # What came last is set once more when it is first looked at, and a function's alias after it: on a busy machine that
    # takes more than one pass. What is fought over is set in every pass.
    again()
    for _ in range(PASSES - 1):
        if not (found := again()):
            break
    assert found == set()
    # Of what is set several times a second, events are told 25 times, and then once in five minutes (client-go).
    assert {key for key, times in changes(made).items() if times > 10 and key[1] not in skipped} == set()


# Of the whole environment: a region that stands alone is no environment, and `tap state export` is asked for one.
@pytest.mark.timeout(600, func_only=True)
def test_what_was_exported_is_adopted_elsewhere_and_nothing_is_made_anew(
    made: World, account: Account, taps: dict[str, str], tmp_path: Path
) -> None:
    if len(taps) == 1:
        pytest.skip("no environment is brought up here; `make test AWS=moto` and `make soak` bring one up")
    resources = exported(made, tmp_path)
    before = held(account, PRIMARY)
    with adopted(made, resources) as elsewhere:
        elsewhere.comes_to(lambda: unready(elsewhere.managed()), [], "everything is adopted", 420)
        names = {key(one): external_name(one) for one in elsewhere.managed()}
        assert names.keys() == {key(one) for one in resources}
        assert {
            key(one): (external_name(one), names[key(one)])
            for one in resources
            if one["kind"] not in NAMELESS and key(one)[0] not in RENAMED and names[key(one)] != external_name(one)
        } == {}
        assert {kind for kind, _ in changes(elsewhere, "CreatedExternalResource")} <= NAMELESS
        assert held(account, PRIMARY) == before
    assert held(account, PRIMARY) == before


@contextmanager
def adopted(world: World, resources: list[Json]) -> Iterator[World]:
    """Yields a namespace that adopts resources of another one; they belong to that one still, and so stay in AWS."""
    with namespace_of_its_own(world.cluster) as name:
        elsewhere = World(world.cluster, name)
        # The one thing that no export holds (docs/state.md).
        for reference in filter(None, (one["spec"]["forProvider"].get("masterPasswordSecretRef") for one in resources)):
            secret = json.loads(world.kubectl("get", "secret", reference["name"], "-o", "json"))
            moved = {**secret, "metadata": {"name": reference["name"], "namespace": name}}
            elsewhere.kubectl("apply", "-f", "-", stdin=json.dumps(moved))
        placed = [{**one, "metadata": {**one["metadata"], "namespace": name}} for one in resources]
        try:
            elsewhere.kubectl("apply", "-f", "-", stdin=manifest.dump(placed))
            yield elsewhere
        finally:
            kept = json.dumps({"spec": {"managementPolicies": ["Observe", "Create", "Update", "LateInitialize"]}})
            for one in elsewhere.managed():
                elsewhere.kubectl("patch", *key(one), "--type=merge", f"--patch={kept}")
                elsewhere.kubectl("delete", *key(one), "--wait=false")
            elsewhere.until(lambda: not elsewhere.managed(), "everything is let go", 180)


def held(account: Account, region: str) -> set[str]:
    """Returns what an account holds, but for the logs that a bucket writes whenever somebody looks at another one."""
    return {one for one in account.holds(region) if not ("-logs-" in one and "/data/" in one)}


def exported(world: World, folder: Path) -> list[Json]:
    """Returns the resources of the primary region that `tap state export` saves, each with its name in AWS."""
    out = folder / "saved"
    command = [sys.executable, "-m", "tap_cli", "state", "export", "prod", "-n", world.namespace, "--out", str(out)]
    command += ["--kubeconfig", str(world.cluster.kubeconfig)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found = manifest.read(out / "infrastructure" / PRIMARY / world.namespace / "prod" / "resources.yaml")
    # The table is not made by moto, and what is not made has nothing to adopt.
    return [one for one in found if owner(one) not in NOT_MADE]


def key(resource: Json) -> tuple[str, str]:
    """Returns what kubectl calls a managed resource."""
    return f"{resource['kind'].lower()}.{resource['apiVersion'].partition('/')[0]}", resource["metadata"]["name"]


def changes(world: World, reason: str = "UpdatedExternalResource") -> Counter[tuple[str, str]]:
    """Returns how often the provider changed each resource."""
    events = json.loads(world.kubectl("get", "events", "-o", "json"))["items"]
    found: Counter[tuple[str, str]] = Counter()
    for event in events:
        if event["reason"] == reason:
            found[event["involvedObject"]["kind"], event["involvedObject"]["name"]] += event.get("count") or 1
    return found
