from collections.abc import Callable

import pytest

from golden.world import World
from tap_api.base import Json
from tap_api.common import DriftMode
from tap_stack import aws
from tap_stack.managed import Handling

#: Settings of something else, which may be made twice: what they are called in AWS need not be kept.
REPEATABLE = {"DefaultSecurityGroup", "BucketNotification"}
MakeTap = Callable[..., Json]


def manifests(tap: Json) -> dict[str, Json]:
    return {
        item.manifest["metadata"]["name"]: item.manifest
        for _, composed in World(tap).settle()
        for item in composed.resources
        if "forProvider" in item.manifest["spec"]
    }


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (None, {"kind": "ProviderConfig", "name": "tap-prod"}),
        ({"name": "mine"}, {"kind": "ProviderConfig", "name": "mine"}),
        ({"kind": "ClusterProviderConfig", "name": "mine"}, {"kind": "ClusterProviderConfig", "name": "mine"}),
    ],
)
def test_every_resource_is_made_with_the_chosen_credentials(make_tap: MakeTap, chosen: Json, expected: Json) -> None:
    tap = make_tap(**({"providerConfigRef": chosen} if chosen else {}))
    references = [manifest["spec"]["providerConfigRef"] for manifest in manifests(tap).values()]
    assert references == [expected] * len(references)


def test_a_kind_that_aws_names_is_initialized_late_and_one_that_we_name_is_not(make_tap: MakeTap) -> None:
    for manifest in manifests(make_tap(protection=False)).values():
        ours = "annotations" in manifest["metadata"] or manifest["kind"] in REPEATABLE
        wanted = ["Observe", "Create", "Update", "Delete"] if ours else ["*"]
        assert (manifest["kind"], manifest["spec"]["managementPolicies"]) == (manifest["kind"], wanted)


#: What Crossplane allows (04, item 11; crossplane-runtime, pkg/reconciler/managed/policies.go), as far as we use it.
ALLOWED = [
    {"*"},
    {"Observe"},
    {"Observe", "Create", "Update", "Delete"},
    {"Observe", "Create", "Update", "LateInitialize"},
    {"Observe", "Create", "Update"},
    {"Observe", "Create", "Delete", "LateInitialize"},
    {"Observe", "Create", "LateInitialize"},
    {"Observe", "Create", "Delete"},
    {"Observe", "Create"},
]


@pytest.mark.parametrize("drift", DriftMode)
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("handling", [Handling(), Handling(retained=True), Handling(observed=True)])
def test_every_set_of_policies_is_one_that_crossplane_allows(
    handling: Handling, drift: DriftMode, *, named: bool
) -> None:
    policies = set(handling.policies(named=named, drift=drift))
    assert policies in ALLOWED
    if handling.observed:
        assert policies == {"Observe"}
        return
    assert "*" in policies or "Create" in policies
    assert bool({"*", "Update"} & policies) == (drift is DriftMode.REPAIR)
    assert bool({"*", "Delete"} & policies) == (not handling.retained)
    assert bool({"*", "LateInitialize"} & policies) == (not named)


def test_what_is_added_by_hand_is_never_taken_into_the_spec_of_a_whole_setting(make_tap: MakeTap) -> None:
    """upjet copies every field that AWS shows and the spec lacks: a rogue rule would be put back when it is removed."""
    found = {manifest["kind"]: manifest["spec"] for manifest in manifests(make_tap(protection=False)).values()}
    for kind in REPEATABLE:
        assert not {"*", "LateInitialize"} & set(found[kind]["managementPolicies"])
    assert not {"ingress", "egress"} & set(found["DefaultSecurityGroup"]["forProvider"])
    assert not {"queue", "topic", "eventbridge"} & set(found["BucketNotification"]["forProvider"])


def test_public_addresses_are_refused_in_words(make_tap: MakeTap) -> None:
    """A false that is left out is late-initialized to the true that somebody set by hand, and kept."""
    subnets = [one for one in manifests(make_tap()).values() if one["kind"] == "Subnet"]
    assert {one["spec"]["forProvider"]["mapPublicIpOnLaunch"] for one in subnets} == {False}


def test_what_is_protected_stays_in_aws_when_its_object_goes_and_what_it_needs_stays_too(make_tap: MakeTap) -> None:
    def without_delete(*, protection: bool) -> set[str]:
        return {
            manifest["kind"]
            for manifest in manifests(make_tap(protection=protection)).values()
            if not {"*", "Delete"} & set(manifest["spec"]["managementPolicies"])
        }

    assert without_delete(protection=False) == set()
    assert without_delete(protection=True) >= {
        "Cluster",
        "ClusterParameterGroup",
        "GlobalCluster",
        "SubnetGroup",
        "Table",
    }


def test_every_resource_that_can_carry_tags_does_and_only_ec2_is_named_by_one(make_tap: MakeTap) -> None:
    tags = {
        (manifest["apiVersion"].partition(".")[0], manifest["kind"]): manifest["spec"]["forProvider"].get("tags")
        for manifest in manifests(make_tap(tags={"CostCenter": "1", "Team": "a"})).values()
    }
    own = {"CostCenter": "1", "Environment": "prod", "Region": "us-east-1", "Team": "a"}
    assert tags["kms", "Key"] == tags["iam", "Role"] == tags["cloudwatchlogs", "Group"] == own
    assert tags["ec2", "VPC"] == {**own, "Name": "prod-us-east-1-network-vpc"}
    assert list(tags["ec2", "VPC"]) == sorted(tags["ec2", "VPC"])
    assert {kind for kind, value in tags.items() if value is None} == {
        (kind.service, kind.kind) for kind in aws.KINDS if not kind.entry.tags and (kind.service, kind.kind) in tags
    }


def test_iam_is_in_no_region_and_everything_else_is(make_tap: MakeTap) -> None:
    without = {
        manifest["apiVersion"].partition(".")[0]
        for manifest in manifests(make_tap()).values()
        if manifest["spec"]["forProvider"].get("region") != "us-east-1"
    }
    assert without == {"iam"}


def test_labels_say_what_a_resource_belongs_to(make_tap: MakeTap) -> None:
    assert manifests(make_tap())["prod-us-east-1-network-vpc"]["metadata"]["labels"] == {
        "tap.platform/environment": "prod",
        "tap.platform/environmenttap": "prod",
        "tap.platform/region": "us-east-1",
        "tap.platform/part": "network",
    }


def test_names_of_the_account_differ_between_namespaces_and_regions_and_stay_in_their_limits(make_tap: MakeTap) -> None:
    def roles(namespace: str, name: str) -> list[str]:
        tap = make_tap(environmentRef={"name": "e" * 24})
        tap["metadata"].update(namespace=namespace, name=name)
        return [
            manifest["metadata"]["annotations"]["crossplane.io/external-name"]
            for manifest in manifests(tap).values()
            if manifest["kind"] == "Role"
        ]

    found = [*roles("a", "r" * 63), *roles("b", "r" * 63), *roles("a", "r" * 62)]
    assert len(found) >= 6
    assert len(set(found)) == len(found)
    assert all(len(role) <= 64 for role in found)
