"""The main job on a real apiserver with real Crossplane, through our function, operator and webhook."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.world import World, account_of, namespace_of_its_own
from tap_api import manifest
from tap_api.kinds import PARTS
from tap_api.policy import judge
from tap_cluster.api import Cluster

ROOT = Path(__file__).parents[2]
CLAIMS = ROOT / "claims"
REGIONS = ["us-east-1", "us-east-2", "eu-west-1"]


def claim(name: str) -> dict[str, Any]:
    [document] = manifest.read(CLAIMS / name)
    return document


def by_hand(name: str, region: str, cost_center: str) -> dict[str, Any]:
    """Returns a RegionalTap as a person writes one alone."""
    tags = {"CostCenter": cost_center}
    spec = {"environment": "dev", "region": region, "cidr": "10.9.0.0/16", "tags": tags}
    return {"apiVersion": "tap.platform/v1alpha1", "kind": "RegionalTap", "metadata": {"name": name}, "spec": spec}


def waits(xr: Any, key: str) -> bool:
    """Returns whether a resource whose key begins with `key` is withheld."""
    return any(entry["key"].startswith(key) for entry in xr["status"].get("waiting", []))


@pytest.fixture(scope="module")
def looked_at(shared_world: World) -> World:
    """`claims/prod.yaml` settled, for the tests that only look at it."""
    shared_world.apply(claim("prod.yaml"))
    shared_world.settle("prod")
    return shared_world


@pytest.fixture(scope="module")
def changed_world(cluster: Cluster) -> Iterator[World]:
    """A namespace for the tests that change `prod`, each of which begins with it as its claim says."""
    with namespace_of_its_own(cluster) as name:
        yield World(cluster, name)


@pytest.fixture
def prod(changed_world: World) -> World:
    """`claims/prod.yaml` settled, for a test that changes it."""
    # What a test before took away is protected, so that its range stays its own; here no VPC was left in any AWS.
    changed_world.free_ranges()
    changed_world.apply(claim("prod.yaml"))
    changed_world.settle("prod")
    return changed_world


def test_the_apiserver_takes_every_generated_file_without_a_warning(world: World) -> None:
    for room in ("xrds", "compositions"):
        files = [f"--filename={path}" for path in sorted((ROOT / room).glob("*.yaml"))]
        assert (
            world.said(
                "apply", "--server-side", "--field-manager=reader", "--force-conflicts", "--dry-run=server", *files
            )
            == ""
        )


def test_one_claim_becomes_three_regions_with_six_parts_each(looked_at: World) -> None:
    assert looked_at.names("regionaltaps") == sorted(f"prod-{region}" for region in REGIONS)
    parts = [name for kind in PARTS for name in looked_at.names(kind.plural)]
    assert sorted(parts) == sorted(f"prod-{region}-{kind.part}" for region in REGIONS for kind in PARTS)


def test_each_region_has_its_key_and_its_network(looked_at: World) -> None:
    assert looked_at.names("keys.kms.aws.m.upbound.io") == sorted(f"prod-{region}-key" for region in REGIONS)
    vpcs = {
        vpc["metadata"]["name"]: vpc["spec"]["forProvider"] for vpc in looked_at.objects("vpcs.ec2.aws.m.upbound.io")
    }
    assert {name: (vpc["region"], vpc["cidrBlock"]) for name, vpc in vpcs.items()} == {
        "prod-us-east-1-network-vpc": ("us-east-1", "10.0.0.0/16"),
        "prod-us-east-2-network-vpc": ("us-east-2", "10.1.0.0/16"),
        "prod-eu-west-1-network-vpc": ("eu-west-1", "10.2.0.0/16"),
    }
    assert len(looked_at.names("subnets.ec2.aws.m.upbound.io")) == 27
    # AWS takes no NAT gateway before the VPC has its internet gateway, and here nobody makes that.
    assert len(looked_at.names("internetgateways.ec2.aws.m.upbound.io")) == 3
    assert looked_at.names("natgateways.ec2.aws.m.upbound.io") == []


def test_the_tables_of_kubectl_read_well(looked_at: World) -> None:
    environments = looked_at.kubectl("get", "etap").splitlines()
    assert environments[0].split() == [
        "NAME",
        "ENVIRONMENT",
        "PRIMARY",
        "REGIONS",
        "READY",
        "CREATED",
        "DESIRED",
        "PAUSED",
        "AGE",
    ]
    assert environments[1].split()[:5] == ["prod", "prod", "us-east-1", "0/3", "False"]
    regions = [line.split()[:4] for line in looked_at.kubectl("get", "rtap").splitlines()]
    assert regions == [
        ["NAME", "REGION", "ROLE", "CIDR"],
        ["prod-eu-west-1", "eu-west-1", "Secondary", "10.2.0.0/16"],
        ["prod-us-east-1", "us-east-1", "Primary", "10.0.0.0/16"],
        ["prod-us-east-2", "us-east-2", "Secondary", "10.1.0.0/16"],
    ]


def test_what_waits_says_for_what_and_is_not_ready(looked_at: World) -> None:
    database = looked_at.get("regionaldatabases", "prod-us-east-2-database")
    conditions = {c["type"]: c["status"] for c in database["status"]["conditions"]}
    assert (conditions["Built"], conditions["Ready"]) == ("True", "False")
    assert {entry["key"]: entry["source"] for entry in database["status"]["waiting"]}["cluster"] == (
        "the region's KMS key, until AWS shows the policy that admits the services"
    )


def test_a_settled_environment_is_left_alone(looked_at: World) -> None:
    # On a busy machine Crossplane tries again, seconds later, what met a conflict; after that nobody may write.
    looked_at.wait_quiet(seconds=20)


def test_what_one_region_knows_reaches_the_others_and_what_waited_is_made(prod: World) -> None:
    waiting = prod.get("regionalnetworks", "prod-us-east-2-network")["status"]["waiting"]
    assert [entry["key"] for entry in waiting]
    for region in REGIONS:
        prod.keys.make(f"prod-{region}-key", region)
    prod.until(lambda: all(prod.output(region, "keyArn") for region in REGIONS), "every key's ARN in the status")
    replicas = prod.get("regionaltaps", "prod-us-east-1")["spec"]["facts"]["replicas"]
    assert replicas == [
        {"region": region, "keyArn": prod.output(region, "keyArn")} for region in ("eu-west-1", "us-east-2")
    ]
    for region in REGIONS:
        prod.keys.show_policy(f"prod-{region}-key")
    # Not the NAT gateways: they wait for an internet gateway that works, and nobody makes one here.
    prod.until(
        lambda: not any(waits(network, "flow-log") for network in prod.objects("regionalnetworks")),
        "no flow log waits any more",
    )
    prod.settle("prod")
    for network in prod.objects("regionalnetworks"):
        assert network["spec"]["accountId"] == account_of(network["spec"]["keyArn"])
    assert len(prod.names("flowlogs.ec2.aws.m.upbound.io")) == 3


@pytest.mark.parametrize("path", sorted((CLAIMS / "refused").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_bad_claim_is_refused_with_every_violation_in_one_message(world: World, path: Path) -> None:
    [document] = manifest.read(path)
    answer = world.refused(document)
    violations = judge(document["kind"], document)
    assert violations
    for violation in violations:
        assert str(violation) in answer
    assert world.names("environmenttaps") == []


def test_a_bad_name_is_told_with_all_the_rest(world: World) -> None:
    [document] = manifest.read(CLAIMS / "refused" / "everything-at-once.yaml")
    document["metadata"]["name"] = "way-too-long-name-for-an-environment"
    answer = world.refused(document)
    for path in ("metadata.name", "spec.primaryRegion", "spec.regions[1].cidr", "spec.tags.CostCenter"):
        assert f"{path}: " in answer


def test_a_field_that_does_not_exist_is_refused_by_its_path(world: World) -> None:
    document = claim("dev.yaml")
    document["spec"]["networking"] = {}
    assert 'unknown field "spec.networking"' in world.refused(document)


def test_a_range_cannot_be_changed(looked_at: World) -> None:
    document = claim("prod.yaml")
    document["spec"]["regions"][1]["cidr"] = "10.9.0.0/16"
    answer = looked_at.refused(document)
    assert "spec.regions[1].cidr" in answer
    assert "a VPC keeps its address range for life" in answer


def test_a_region_that_leaves_the_claim_goes_and_the_others_stay(prod: World) -> None:
    before = {region: prod.get("regionaltaps", f"prod-{region}")["metadata"]["uid"] for region in REGIONS}
    document = claim("prod.yaml")
    del document["spec"]["regions"][2]
    prod.apply(document)
    prod.until(lambda: prod.names("regionaltaps") == ["prod-us-east-1", "prod-us-east-2"], "eu-west-1 is gone")
    prod.until(lambda: "prod-eu-west-1-key" not in prod.names("keys.kms.aws.m.upbound.io"), "and its key")
    prod.settle("prod")
    after = {region: prod.get("regionaltaps", f"prod-{region}")["metadata"]["uid"] for region in REGIONS[:2]}
    assert after == {region: before[region] for region in REGIONS[:2]}


def test_a_child_is_not_deleted_by_hand_and_one_removed_with_break_glass_comes_back(prod: World) -> None:
    answer = prod.kubectl_fails("delete", "rtap", "prod-us-east-2")
    assert "EnvironmentTap" in answer
    old = prod.get("regionaltaps", "prod-us-east-2")["metadata"]["uid"]
    prod.kubectl("delete", "rtap", "prod-us-east-2", "--wait=false", *prod.break_glass)

    def applied_again() -> bool:
        # One look: between two of them, the old one goes.
        uids = {tap["metadata"]["name"]: tap["metadata"]["uid"] for tap in prod.objects("regionaltaps")}
        return set(uids) == {f"prod-{region}" for region in REGIONS} and uids["prod-us-east-2"] != old

    prod.until(applied_again, "the child is applied again", seconds=120)
    new = prod.get("regionaltaps", "prod-us-east-2")["metadata"]["uid"]
    prod.settle("prod")
    for kind in PARTS:
        [owner] = prod.get(kind.plural, f"prod-us-east-2-{kind.part}")["metadata"]["ownerReferences"]
        assert owner["uid"] == new


def test_deleting_the_claim_removes_all_that_it_made(prod: World) -> None:
    made = prod.versions("prod")
    assert len(made) > 150
    answer = prod.kubectl_fails("delete", "etap", "prod")
    command = f"kubectl annotate etap prod -n {prod.namespace} tap.platform/confirm-removal=prod"
    assert answer.strip().endswith(f"EnvironmentTap prod is protected. To delete it, confirm first: {command}")
    prod.kubectl(*command.split()[1:])
    prod.delete("etap", "prod")
    prod.until(lambda: not prod.versions("prod"), "nothing of the environment is left", seconds=120)


def test_parts_and_children_are_not_written_by_hand(looked_at: World) -> None:
    edit = ("--type=merge", "-p", '{"spec":{"tags":{"CostCenter":"mine"}}}')
    assert "Crossplane" in looked_at.kubectl_fails("patch", "rnet", "prod-us-east-1-network", *edit)
    assert "EnvironmentTap" in looked_at.kubectl_fails("patch", "rtap", "prod-us-east-1", *edit)


def test_a_region_may_stand_alone(world: World) -> None:
    world.apply(by_hand("alone", "eu-west-1", "platform-4200"))
    world.until(lambda: "alone-network-vpc" in world.names("vpcs.ec2.aws.m.upbound.io"), "its VPC")
    assert [vpc["spec"]["forProvider"]["tags"] for vpc in world.objects("vpcs.ec2.aws.m.upbound.io")] == [
        {"CostCenter": "platform-4200", "Environment": "dev", "Name": "alone-network-vpc", "Region": "eu-west-1"}
    ]
    world.remove("rtap", "alone")


def test_a_namesake_is_not_taken_over(world: World) -> None:
    world.apply(by_hand("dev-us-east-1", "us-east-1", "somebody"))
    world.apply(claim("dev.yaml"))
    world.until(lambda: world.condition("dev", "NameTaken") == "True", "NameTaken is reported")
    stranger = world.get("regionaltaps", "dev-us-east-1")
    assert stranger["spec"]["cidr"] == "10.9.0.0/16"
    assert "ownerReferences" not in stranger["metadata"]
    world.until(lambda: len(world.names("regionaltaps")) == 3, "the other regions are made")
