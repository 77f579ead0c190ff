from copy import deepcopy
from typing import Any

import pytest

from tap_api.base import API_VERSION, Json
from tap_api.fanout import fan_out
from tap_api.policy import Organisation
from tap_api.teardown import CROSSPLANE_FINALIZER, FINALIZER
from tap_operator.alone import reserve_alone
from tap_operator.errors import ClusterError
from tap_operator.passes import Pass
from tap_operator.reconcile import ANNOTATION_INTENT, reconcile
from unit.operator.double import InMemoryCluster, Killed

ETAPS, RTAPS, EVENTS = "environmenttaps", "regionaltaps", "events"
NOW = "2026-11-24T09:00:00Z"
KEY = "arn:aws:kms:us-east-2:123456789012:key/1"
PROD: Json = {
    "apiVersion": API_VERSION,
    "kind": "EnvironmentTap",
    "metadata": {"name": "prod", "namespace": "tap-prod"},
    "spec": {
        "environment": "prod",
        "primaryRegion": "us-east-1",
        "tags": {"CostCenter": "platform-4200"},
        "regions": [
            {"name": "us-east-1", "cidr": "10.0.0.0/16"},
            {"name": "us-east-2", "cidr": "10.1.0.0/16"},
            {"name": "eu-west-1", "cidr": "10.2.0.0/16"},
        ],
    },
}
CHILDREN = ["prod-eu-west-1", "prod-us-east-1", "prod-us-east-2"]


@pytest.fixture
def cluster() -> InMemoryCluster:
    made = InMemoryCluster()
    made.put(PROD, ETAPS)
    return made


async def run(cluster: InMemoryCluster, now: str = NOW) -> Pass:
    return await reconcile(cluster, "tap-prod", "prod", now=lambda: now)


async def settle(cluster: InMemoryCluster) -> None:
    for _ in range(3):
        await run(cluster)
    cluster.writes.clear()


def names(cluster: InMemoryCluster, plural: str) -> list[str]:
    return sorted(name for where, _, name in cluster.objects if where == plural)


def status(cluster: InMemoryCluster) -> Json:
    found: Json = cluster.objects[ETAPS, "tap-prod", "prod"]["status"]
    return found


def condition(cluster: InMemoryCluster, kind: str) -> tuple[str, str, str]:
    found = next(c for c in status(cluster)["conditions"] if c["type"] == kind)
    return found["status"], found["reason"], found["message"]


def child(cluster: InMemoryCluster, region: str) -> Json:
    return cluster.objects[RTAPS, "tap-prod", f"prod-{region}"]


def old_part(**metadata: Any) -> Json:
    return {
        "kind": "RegionalSessions",
        "metadata": {"namespace": "tap-prod", "name": "prod-us-east-2-sessions"} | metadata,
    }


async def test_every_region_gets_the_regionaltap_that_fan_out_says(cluster: InMemoryCluster) -> None:
    await run(cluster)
    environment_tap = cluster.objects[ETAPS, "tap-prod", "prod"]
    wanted = {manifest["metadata"]["name"]: manifest for manifest in fan_out(environment_tap, {})}
    stored = {}
    for name in names(cluster, RTAPS):
        made = deepcopy(cluster.objects[RTAPS, "tap-prod", name])
        for key in ("uid", "resourceVersion", "generation", "annotations"):
            made["metadata"].pop(key)
        assert made["metadata"].pop("finalizers") == [FINALIZER]
        made["spec"].pop("crossplane")
        stored[name] = made
    assert stored == wanted


async def test_a_second_pass_writes_nothing(cluster: InMemoryCluster) -> None:
    await settle(cluster)
    await run(cluster, now="2026-11-24T10:00:00Z")
    assert cluster.writes == []


async def test_every_change_of_a_condition_is_told_once(cluster: InMemoryCluster) -> None:
    await settle(cluster)
    told = sorted(event["message"] for (plural, _, _), event in cluster.objects.items() if plural == EVENTS)
    assert told == [
        "ChangesReported is Unknown: eu-west-1, us-east-1, us-east-2: no word of changes made outside yet",
        "CidrReserved is True: every region has its address range",
        "Compliant is Unknown: eu-west-1, us-east-1, us-east-2: nothing of it is judged yet",
        "Drifted is Unknown: eu-west-1, us-east-1, us-east-2: nothing of it is compared with AWS yet",
        "PolicyCompliant is True: the claim breaks no rule",
        "Ready is False: 0 of 3 regions are ready; eu-west-1, us-east-1, us-east-2: Crossplane has not looked at its "
        "RegionalTap yet",
        "ResourcesHealthy is Unknown: eu-west-1, us-east-1, us-east-2: no report of its resources yet",
        "Synced is Unknown: eu-west-1, us-east-1, us-east-2: Crossplane has not looked at its RegionalTap yet",
    ]


async def test_an_event_that_cannot_be_posted_is_let_go(cluster: InMemoryCluster) -> None:
    cluster.served.discard(EVENTS)
    assert await run(cluster) == Pass()
    assert condition(cluster, "Ready")[0] == "False"


async def story(cluster: InMemoryCluster, die_after: int | None) -> dict[Any, Json]:
    """Plays a life with every kind of write in it; dies after one of them, if asked to, and starts again."""
    cluster.die_after = die_after

    async def until_done() -> None:
        for _ in range(6):
            try:
                await run(cluster)
            except Killed:
                continue

    await until_done()
    cluster.edit(RTAPS, "tap-prod", "prod-us-east-2", {"status": {"outputs": {"keyArn": KEY}}})
    await until_done()
    cluster.edit(ETAPS, "tap-prod", "prod", {"spec": {"regions": PROD["spec"]["regions"][:2]}})
    await until_done()
    return {place: normal(stored) for place, stored in cluster.objects.items() if place[0] != EVENTS}


def normal(stored: Json) -> Json:
    """Returns an object without what counts writes."""
    made = deepcopy(stored)
    for key in ("uid", "resourceVersion", "generation"):
        made["metadata"].pop(key)
    return made


async def test_a_process_that_dies_after_any_write_ends_in_the_same_objects(cluster: InMemoryCluster) -> None:
    expected = await story(cluster, None)
    writes = len(cluster.writes)
    assert writes > 10
    for k in range(1, writes + 1):
        again = InMemoryCluster()
        again.put(PROD, ETAPS)
        assert await story(again, k) == expected, f"died after write {k}"


async def test_the_arn_of_a_secondarys_key_reaches_the_primary_and_stays_when_its_status_is_lost(
    cluster: InMemoryCluster,
) -> None:
    await settle(cluster)
    cluster.edit(RTAPS, "tap-prod", "prod-us-east-2", {"status": {"outputs": {"keyArn": KEY}}})
    await run(cluster)
    cluster.objects[RTAPS, "tap-prod", "prod-us-east-2"].pop("status")
    await settle(cluster)
    assert child(cluster, "us-east-1")["spec"]["facts"] == {
        "replicas": [{"region": "eu-west-1"}, {"region": "us-east-2", "keyArn": KEY}]
    }
    assert status(cluster)["regions"][1]["outputs"] == {"keyArn": KEY}


async def test_what_others_change_is_set_right(cluster: InMemoryCluster) -> None:
    await settle(cluster)
    cluster.edit(RTAPS, "tap-prod", "prod-us-east-1", {"spec": {"protection": False}})
    await run(cluster)
    assert child(cluster, "us-east-1")["spec"]["protection"] is True
    assert [write for write in cluster.writes if write[1] == RTAPS] == [("apply", RTAPS, "prod-us-east-1")]


async def test_a_field_that_leaves_the_claim_leaves_the_regions(cluster: InMemoryCluster) -> None:
    arn = "arn:aws:iam::123456789012:policy/boundary"
    cluster.edit(ETAPS, "tap-prod", "prod", {"spec": {"permissionsBoundary": arn}})
    await settle(cluster)
    before = child(cluster, "us-east-1")["spec"].get("permissionsBoundary")
    cluster.objects[ETAPS, "tap-prod", "prod"]["spec"].pop("permissionsBoundary")
    await run(cluster)
    assert (before, child(cluster, "us-east-1")["spec"].get("permissionsBoundary")) == (arn, None)


async def test_what_crossplane_keeps_in_an_xr_is_left_alone(cluster: InMemoryCluster) -> None:
    await settle(cluster)
    machinery = {"compositionUpdatePolicy": "Manual", "resourceRefs": [{"kind": "Key", "name": "x"}]}
    cluster.edit(RTAPS, "tap-prod", "prod-us-east-1", {"spec": {"crossplane": machinery}})
    cluster.edit(ETAPS, "tap-prod", "prod", {"spec": {"tags": {"Team": "a"}}})
    await run(cluster)
    assert child(cluster, "us-east-1")["spec"]["crossplane"] == machinery
    assert child(cluster, "us-east-1")["spec"]["tags"] == {"CostCenter": "platform-4200", "Team": "a"}


async def test_a_region_that_leaves_the_spec_is_removed_and_the_others_are_not_touched(
    cluster: InMemoryCluster,
) -> None:
    await settle(cluster)
    cluster.edit(ETAPS, "tap-prod", "prod", {"spec": {"regions": PROD["spec"]["regions"][:2]}})
    await settle(cluster)
    assert names(cluster, RTAPS) == ["prod-us-east-1", "prod-us-east-2"]
    assert child(cluster, "us-east-1")["spec"]["facts"] == {"replicas": [{"region": "us-east-2"}]}
    assert [region["name"] for region in status(cluster)["regions"]] == ["us-east-1", "us-east-2"]


async def test_a_region_on_its_way_out_is_shown_until_it_is_gone(cluster: InMemoryCluster) -> None:
    await settle(cluster)
    going = {"deletionTimestamp": NOW, "finalizers": [FINALIZER, CROSSPLANE_FINALIZER]}
    cluster.edit(RTAPS, "tap-prod", "prod-eu-west-1", {"metadata": going})
    cluster.edit(ETAPS, "tap-prod", "prod", {"spec": {"regions": PROD["spec"]["regions"][:2]}})
    await run(cluster)
    shown = [(r["name"], r["ready"], r.get("message")) for r in status(cluster)["regions"]]
    assert shown[2] == (
        "eu-west-1",
        False,
        "waits until Crossplane composes it no more (if that lasts, see whether it runs)",
    )
    assert ("delete", RTAPS, "prod-eu-west-1") not in cluster.writes


async def test_a_regionaltap_that_was_removed_is_applied_again_once_its_old_parts_are_gone(
    cluster: InMemoryCluster,
) -> None:
    await settle(cluster)
    cluster.remove(RTAPS, "tap-prod", "prod-us-east-2")
    owners = [{"kind": "RegionalTap", "name": "prod-us-east-2", "uid": "old", "controller": True}]
    cluster.put(old_part(ownerReferences=owners), "regionalsessions")
    waiting = await run(cluster)
    assert (waiting.again, names(cluster, RTAPS)) == (5.0, ["prod-eu-west-1", "prod-us-east-1"])
    assert condition(cluster, "Synced") == (
        "False",
        "WaitsForParts",
        "us-east-2: RegionalTap prod-us-east-2 was deleted; it is applied again once its old parts are gone: "
        "RegionalSessions prod-us-east-2-sessions",
    )
    cluster.remove("regionalsessions", "tap-prod", "prod-us-east-2-sessions")
    assert await run(cluster) == Pass()
    assert names(cluster, RTAPS) == CHILDREN


@pytest.mark.parametrize(
    ("metadata", "waits"),
    [
        pytest.param({}, False, id="orphaned on purpose"),
        pytest.param({"deletionTimestamp": NOW, "finalizers": ["x/y"]}, True, id="on its way out"),
        pytest.param({"ownerReferences": [{"kind": "X", "uid": "u"}]}, False, id="owned, not controlled"),
    ],
)
async def test_an_old_part_is_waited_for_while_it_is_somebodys_or_on_its_way_out(
    cluster: InMemoryCluster,
    metadata: Json,
    waits: bool,  # noqa: FBT001
) -> None:
    cluster.put(old_part(**metadata), "regionalsessions")
    await run(cluster)
    assert ("prod-us-east-2" not in names(cluster, RTAPS)) is waits


async def test_a_regionaltap_that_is_being_deleted_is_not_written(cluster: InMemoryCluster) -> None:
    await settle(cluster)
    going = {"deletionTimestamp": NOW, "finalizers": [FINALIZER, CROSSPLANE_FINALIZER]}
    change = {"metadata": going, "spec": {"protection": False}}
    cluster.edit(RTAPS, "tap-prod", "prod-us-east-2", change)
    await run(cluster)
    assert child(cluster, "us-east-2")["spec"]["protection"] is False
    assert condition(cluster, "Synced") == (
        "False",
        "Removing",
        "us-east-2: waits until Crossplane composes it no more (if that lasts, see whether it runs)",
    )


async def test_a_namesake_is_never_taken_over(cluster: InMemoryCluster) -> None:
    namesake = {"metadata": {"name": "prod-us-east-2", "namespace": "tap-prod"}, "spec": {"region": "us-east-2"}}
    stored = cluster.put(namesake, RTAPS)
    done = await run(cluster)
    assert child(cluster, "us-east-2") == stored
    assert done.again == 30.0
    message = (
        "us-east-2: RegionalTap prod-us-east-2 is there and is not this environment's: nobody controls it; it is left "
        "alone. Delete it (its AWS resources go with it) or give this environment another name"
    )
    assert condition(cluster, "NameTaken") == ("True", "NotControlled", message)
    assert condition(cluster, "Synced") == ("False", "NameTaken", message)
    assert names(cluster, RTAPS) == CHILDREN


async def test_a_namesake_that_takes_a_regions_place_meanwhile_is_a_conflict(cluster: InMemoryCluster) -> None:
    await settle(cluster)
    cluster.edit(ETAPS, "tap-prod", "prod", {"spec": {"tags": {"Team": "a"}}})
    replaced = deepcopy(child(cluster, "us-east-2"))
    select = cluster.select

    async def select_then_replace(*args: Any, **kwargs: Any) -> Any:
        async for item in select(*args, **kwargs):
            yield item
        cluster.objects[RTAPS, "tap-prod", "prod-us-east-2"]["metadata"]["uid"] = "another"

    cluster.select = select_then_replace  # type: ignore[method-assign]
    done = await run(cluster)
    assert [error.reason for error in done.failures] == ["Conflict"]
    assert child(cluster, "us-east-2")["spec"] == replaced["spec"]


async def test_an_environment_that_is_made_again_waits_for_the_regions_of_the_one_before(
    cluster: InMemoryCluster,
) -> None:
    owner = {"apiVersion": API_VERSION, "kind": "EnvironmentTap", "name": "prod", "uid": "before", "controller": True}
    meta = {"name": "prod-us-east-2", "namespace": "tap-prod", "ownerReferences": [owner]}
    cluster.put({"metadata": meta, "spec": {"region": "us-east-2"}}, RTAPS)
    await run(cluster)
    assert condition(cluster, "Synced") == (
        "False",
        "Removing",
        "us-east-2: an earlier RegionalTap prod-us-east-2 is being removed; this one is applied then",
    )


async def test_a_claim_that_breaks_a_rule_of_the_organisation_applies_nothing_and_says_why(
    cluster: InMemoryCluster,
) -> None:
    house = Organisation.parse({"requiredTags": ["Owner"]})
    await reconcile(cluster, "tap-prod", "prod", now=lambda: NOW, organisation=house)
    assert names(cluster, RTAPS) == []
    why = (
        "nothing is applied; change the claim: spec.tags.Owner: is required by your organisation; add it "
        "(OrganisationTag)"
    )
    assert condition(cluster, "Synced") == ("False", "SpecRefused", why)
    assert condition(cluster, "PolicyCompliant") == ("False", "RulesBroken", why)
    cluster.edit(ETAPS, "tap-prod", "prod", {"spec": {"tags": {"Owner": "team-a"}}})
    await reconcile(cluster, "tap-prod", "prod", now=lambda: NOW, organisation=house)
    assert names(cluster, RTAPS) == CHILDREN
    assert condition(cluster, "PolicyCompliant")[0] == "True"


async def test_a_claim_that_policy_refuses_applies_nothing_removes_nothing_and_says_why(
    cluster: InMemoryCluster,
) -> None:
    await settle(cluster)
    cluster.edit(ETAPS, "tap-prod", "prod", {"spec": {"regions": [{"name": "us-east-1", "cidr": "10.0.0.1/16"}]}})
    await run(cluster)
    assert names(cluster, RTAPS) == CHILDREN
    assert condition(cluster, "Synced") == (
        "False",
        "SpecRefused",
        "nothing is applied; change the claim: spec.regions[0].cidr: '10.0.0.1/16' is an address inside 10.0.0.0/16; "
        "write 10.0.0.0/16 (Cidr)",
    )


async def test_an_environment_that_is_gone_is_left_to_the_garbage_collector(cluster: InMemoryCluster) -> None:
    await settle(cluster)
    cluster.remove(RTAPS, "tap-prod", "prod-us-east-2")
    cluster.remove(ETAPS, "tap-prod", "prod")
    assert await run(cluster) == Pass()
    assert cluster.writes == []


async def test_a_crd_that_is_not_there_yet_is_waited_for(cluster: InMemoryCluster) -> None:
    cluster.served.discard(RTAPS)
    assert await run(cluster) == Pass(again=5.0)
    assert condition(cluster, "Synced") == (
        "False",
        "NotServed",
        "eu-west-1, us-east-1, us-east-2: RegionalTaps are not served yet: are the XRDs of charts/platform installed?",
    )
    cluster.served.add(RTAPS)
    assert await run(cluster) == Pass()
    assert names(cluster, RTAPS) == CHILDREN


async def test_a_region_that_the_apiserver_refuses_does_not_hold_the_others_back(cluster: InMemoryCluster) -> None:
    error = ClusterError(403, "Forbidden", "exceeded quota")
    cluster.refuse["apply", RTAPS, "prod-us-east-1"] = error
    assert await run(cluster) == Pass(failures=[error])
    assert names(cluster, RTAPS) == ["prod-eu-west-1", "prod-us-east-2"]
    assert condition(cluster, "Synced") == (
        "False",
        "Forbidden",
        "us-east-1: RegionalTap prod-us-east-1 cannot be applied: exceeded quota",
    )


async def test_the_digest_of_the_intent_is_the_only_annotation(cluster: InMemoryCluster) -> None:
    await run(cluster)
    assert list(child(cluster, "us-east-1")["metadata"]["annotations"]) == [ANNOTATION_INTENT]


OTHER: Json = {
    **PROD,
    "metadata": {"name": "other", "namespace": "tap-prod"},
    "spec": {**PROD["spec"], "primaryRegion": "us-west-2", "regions": [{"name": "us-west-2", "cidr": "10.1.16.0/20"}]},
}


async def test_a_region_whose_range_others_hold_is_not_made_while_its_siblings_are(cluster: InMemoryCluster) -> None:
    cluster.put(OTHER, ETAPS)
    assert await reconcile(cluster, "tap-prod", "other", now=lambda: NOW) == Pass()
    done = await run(cluster)
    assert (done.again, done.failures, done.blocks) == (30.0, [], {"prod-10-1"})
    assert names(cluster, RTAPS) == ["other-us-west-2", "prod-eu-west-1", "prod-us-east-1"]
    truth, reason, message = condition(cluster, "CidrReserved")
    assert (truth, reason) == ("False", "Overlap")
    assert message.startswith(
        "us-east-2: 10.1.0.0/16 overlaps 10.1.16.0/20 of EnvironmentTap tap-prod/other (RegionalTap other-us-west-2)"
    )
    assert "us-east-2: 10.1.0.0/16 overlaps" in condition(cluster, "Ready")[2]


async def test_a_region_gets_its_range_once_it_is_free(cluster: InMemoryCluster) -> None:
    cluster.put(OTHER, ETAPS)
    await reconcile(cluster, "tap-prod", "other", now=lambda: NOW)
    await run(cluster)
    cluster.edit("cidrblocks", "", "prod-10-1", {"spec": {"claims": []}})
    await run(cluster)
    assert names(cluster, RTAPS) == ["other-us-west-2", *CHILDREN]
    assert condition(cluster, "CidrReserved")[0] == "True"


async def test_a_region_that_is_there_goes_on_without_its_claim(cluster: InMemoryCluster) -> None:
    await settle(cluster)
    cluster.edit("cidrblocks", "", "prod-10-1", {"spec": {"claims": []}})
    cluster.put(OTHER, ETAPS)
    await reconcile(cluster, "tap-prod", "other", now=lambda: NOW)
    cluster.edit(ETAPS, "tap-prod", "prod", {"spec": {"tags": {"CostCenter": "another"}}})
    await run(cluster)
    assert child(cluster, "us-east-2")["spec"]["tags"] == {"CostCenter": "another"}
    assert condition(cluster, "CidrReserved")[0] == "False"


async def test_claims_are_made_before_the_regions_that_use_them(cluster: InMemoryCluster) -> None:
    await run(cluster)
    order = [(verb, plural) for verb, plural, _ in cluster.writes if plural in ("cidrblocks", RTAPS)]
    assert order == [("create", "cidrblocks")] * 3 + [("apply", RTAPS), ("finalize", RTAPS)] * 3


async def test_a_region_written_alone_is_claimed_for_and_nothing_else_is_done(cluster: InMemoryCluster) -> None:
    spec = {"environment": "dev", "region": "eu-west-1", "cidr": "10.9.0.0/16"}
    cluster.put({"metadata": {"name": "alone", "namespace": "tap-dev"}, "spec": spec}, RTAPS)
    assert await reserve_alone(cluster, "tap-dev", "alone") == Pass()
    assert cluster.writes == [("finalize", RTAPS, "alone"), ("create", "cidrblocks", "dev-10-9")]
    [claim] = cluster.objects["cidrblocks", "", "dev-10-9"]["spec"]["claims"]
    assert claim["owner"]["kind"] == "RegionalTap"
    cluster.put({"metadata": {"name": "late", "namespace": "tap-dev"}, "spec": spec}, RTAPS)
    assert await reserve_alone(cluster, "tap-dev", "late") == Pass(again=30.0, blocks={"dev-10-9"})


@pytest.mark.parametrize(
    "owner",
    [
        {"apiVersion": "kro.run/v1alpha1", "kind": "Shop", "controller": True, "uid": "e"},
        {"apiVersion": "other/v1", "kind": "EnvironmentTap", "controller": True, "uid": "e"},
        {"apiVersion": API_VERSION, "kind": "EnvironmentTap", "uid": "e"},
    ],
    ids=["composed by another", "a namesake of another group", "owned, not controlled"],
)
async def test_a_region_that_another_controller_made_stands_alone_too(cluster: InMemoryCluster, owner: Json) -> None:
    spec = {"environment": "dev", "region": "eu-west-1", "cidr": "10.9.0.0/16"}
    tap = {"metadata": {"name": "alone", "namespace": "tap-dev", "ownerReferences": [owner]}, "spec": spec}
    cluster.put(tap, RTAPS)
    assert await reserve_alone(cluster, "tap-dev", "alone") == Pass()
    assert cluster.writes == [("finalize", RTAPS, "alone"), ("create", "cidrblocks", "dev-10-9")]
    cluster.edit(RTAPS, "tap-dev", "alone", {"metadata": {"deletionTimestamp": NOW}})
    assert await reserve_alone(cluster, "tap-dev", "alone") == Pass()
    assert names(cluster, RTAPS) == []


async def test_no_region_of_an_environment_is_claimed_for_like_that(cluster: InMemoryCluster) -> None:
    spec = {"environment": "dev", "region": "eu-west-1", "cidr": "10.9.0.0/16"}
    owner = {"apiVersion": API_VERSION, "kind": "EnvironmentTap", "controller": True, "uid": "e"}
    tap = {"metadata": {"name": "alone", "namespace": "tap-dev", "ownerReferences": [owner]}, "spec": spec}
    cluster.put(tap, RTAPS)
    assert await reserve_alone(cluster, "tap-dev", "alone") == Pass()
    assert await reserve_alone(cluster, "tap-dev", "nobody") == Pass()
    assert cluster.writes == []
