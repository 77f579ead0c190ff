"""Regions that go: their parts in order, and on again wherever the operator was killed."""

from copy import deepcopy

import pytest

from tap_api.base import Json
from tap_api.kinds import PARTS
from tap_api.teardown import CROSSPLANE_FINALIZER, FINALIZER, ORDER, TORN_DOWN, stage
from tap_operator import teardown
from tap_operator.alone import reserve_alone
from tap_operator.errors import ClusterError
from unit.operator.double import InMemoryCluster, Killed
from unit.operator.test_reconcile import ETAPS, NOW, PROD, RTAPS, child, names, run, settle

PLURALS = {kind.part: kind.plural for kind in PARTS}
REGIONS = [region["name"] for region in PROD["spec"]["regions"]]
WANTED = [PLURALS[part] for parts in ORDER for part in parts]


@pytest.fixture
async def cluster(monkeypatch: pytest.MonkeyPatch) -> InMemoryCluster:
    """An environment of three regions, each with its six parts."""
    monkeypatch.setattr(teardown, "_MOMENT", 0.0)
    made = InMemoryCluster()
    made.put(PROD, ETAPS)
    await settle(made)
    for region in REGIONS:
        add_parts(made, f"prod-{region}", child(made, region)["metadata"]["uid"])
    return made


def add_parts(cluster: InMemoryCluster, tap: str, uid: str) -> None:
    owners = [{"kind": "RegionalTap", "name": tap, "uid": uid, "controller": True}]
    for kind in PARTS:
        meta = {"namespace": "tap-prod", "name": f"{tap}-{kind.part}", "ownerReferences": owners}
        cluster.put({"kind": kind.kind, "metadata": meta, "spec": {}}, kind.plural)


def delete(cluster: InMemoryCluster, plural: str, name: str) -> None:
    cluster.edit(plural, "tap-prod", name, {"metadata": {"deletionTimestamp": NOW}})


def deleted(cluster: InMemoryCluster, region: str) -> list[str]:
    parts = [(plural, name) for verb, plural, name in cluster.writes if verb == "delete" and plural != RTAPS]
    return [plural for plural, name in parts if name.startswith(f"prod-{region}-")]


def torn_down(thing: Json) -> tuple[str, str]:
    found = next(one for one in thing["status"]["conditions"] if one["type"] == TORN_DOWN)
    return found["reason"], found["message"]


def test_a_stage_is_the_first_of_the_order_that_is_not_gone() -> None:
    parts: dict[str, Json] = {part: {} for part in PLURALS}
    seen = []
    while going := stage(parts):
        seen.append(going.there)
        parts = {name: part for name, part in parts.items() if name not in going.there}
    assert seen == [*ORDER]
    later = stage({"sessions": {}, "network": {}})
    assert later is not None
    assert later.message() == "waits until sessions is gone; then network"


async def test_an_environment_goes_part_by_part_and_the_primary_last(cluster: InMemoryCluster) -> None:
    delete(cluster, ETAPS, "prod")
    await run(cluster)
    assert (names(cluster, ETAPS), names(cluster, RTAPS)) == ([], [])
    for region in REGIONS:
        assert deleted(cluster, region) == WANTED
    assert {how for place, how in cluster.policies.items() if place[0] == RTAPS} == {"Background"}
    assert {how for place, how in cluster.policies.items() if place[0] != RTAPS} == {"Foreground"}
    removed = [name for verb, plural, name in cluster.writes if (verb, plural) == ("delete", RTAPS)]
    assert removed == ["prod-us-east-2", "prod-eu-west-1", "prod-us-east-1"]


@pytest.mark.parametrize("after", range(1, 45, 2))
async def test_it_goes_on_wherever_it_was_killed(cluster: InMemoryCluster, after: int) -> None:
    delete(cluster, ETAPS, "prod")
    cluster.die_after = len(cluster.writes) + after
    for _ in range(3):
        try:
            await run(cluster)
        except Killed:
            continue
    assert (names(cluster, ETAPS), names(cluster, RTAPS)) == ([], [])
    for region in REGIONS:
        assert deleted(cluster, region) == WANTED


async def test_a_removed_region_goes_in_the_same_order_and_no_other_is_touched(cluster: InMemoryCluster) -> None:
    cluster.edit(ETAPS, "tap-prod", "prod", {"spec": {"regions": PROD["spec"]["regions"][:2]}})
    await run(cluster)
    assert deleted(cluster, "eu-west-1") == WANTED
    assert not deleted(cluster, "us-east-1") + deleted(cluster, "us-east-2")


async def test_what_does_not_go_is_named_in_aws_words(cluster: InMemoryCluster) -> None:
    part = cluster.objects["regionalprocessors", "tap-prod", "prod-us-east-2-processor"]
    part["metadata"] |= {"finalizers": ["foregroundDeletion"], "deletionTimestamp": "2026-11-24T08:00:00Z"}
    part["spec"]["crossplane"] = {
        "resourceRefs": [{"apiVersion": "v1", "kind": "Queue", "name": f"{part['metadata']['name']}-dlq"}]
    }
    words = {"type": "Synced", "status": "False", "message": "async delete failed: in use"}
    meta = {"namespace": "tap-prod", "name": "prod-us-east-2-processor-dlq"}
    cluster.put({"kind": "Queue", "metadata": meta, "status": {"conditions": [words]}}, "Queue")
    delete(cluster, ETAPS, "prod")
    for _ in range(2):
        await run(cluster)
    told = "processor/dlq: async delete failed: in use. It waits until processor is gone"
    told += "; then database, sessions, storage, network"
    assert torn_down(child(cluster, "us-east-2")) == ("Blocked", told)
    environment = cluster.objects[ETAPS, "tap-prod", "prod"]
    assert torn_down(environment)[0] == "Blocked"
    assert f"us-east-2: {told}" in torn_down(environment)[1]
    assert deleted(cluster, "us-east-2") == ["regionalmonitorings"]
    assert not deleted(cluster, "us-east-1")
    before = list(cluster.writes)
    await run(cluster)
    assert cluster.writes == before
    cluster.remove("regionalprocessors", "tap-prod", "prod-us-east-2-processor")
    await run(cluster)
    assert names(cluster, ETAPS) == []


async def test_a_part_that_may_not_be_deleted_is_named(cluster: InMemoryCluster) -> None:
    cluster.refuse["delete", "regionalstorages", "prod-us-east-2-storage"] = ClusterError(403, "Forbidden", "not you")
    delete(cluster, ETAPS, "prod")
    await run(cluster)
    reason, message = torn_down(child(cluster, "us-east-2"))
    assert (reason, message.partition(". ")[0]) == ("Blocked", "storage: cannot be deleted: not you")


async def test_no_part_goes_before_crossplane_has_let_go_nor_where_they_are_orphaned(cluster: InMemoryCluster) -> None:
    for other in (CROSSPLANE_FINALIZER, "orphan"):
        cluster.edit(RTAPS, "tap-prod", "prod-us-east-2", {"metadata": {"finalizers": [FINALIZER, other]}})
        delete(cluster, RTAPS, "prod-us-east-2")
        await run(cluster)
        assert not deleted(cluster, "us-east-2")


async def test_no_region_goes_where_an_environment_is_orphaned(cluster: InMemoryCluster) -> None:
    cluster.writes.clear()
    cluster.edit(ETAPS, "tap-prod", "prod", {"metadata": {"finalizers": [FINALIZER, "orphan"]}})
    delete(cluster, ETAPS, "prod")
    assert (await run(cluster)).again == teardown.POLL
    assert torn_down(cluster.objects[ETAPS, "tap-prod", "prod"]) == (
        "Removing",
        "waits until what is below it is orphaned, as was asked for",
    )
    # Kubernetes' collector takes the owner references away, then its finalizer.
    for region in REGIONS:
        child(cluster, region)["metadata"].pop("ownerReferences")
    cluster.edit(ETAPS, "tap-prod", "prod", {"metadata": {"finalizers": [FINALIZER]}})
    await run(cluster)
    assert names(cluster, ETAPS) == []
    assert len(names(cluster, RTAPS)) == len(REGIONS)
    assert [write for write in cluster.writes if write[0] == "delete"] == []


async def test_what_an_earlier_environment_of_the_name_left_behind_is_taken_down_and_shown(
    cluster: InMemoryCluster,
) -> None:
    before = deepcopy(cluster.objects[ETAPS, "tap-prod", "prod"])
    cluster.remove(ETAPS, "tap-prod", "prod")
    again = {**PROD, "spec": {**PROD["spec"], "regions": PROD["spec"]["regions"][:2]}}
    cluster.put(again, ETAPS)
    assert cluster.objects[ETAPS, "tap-prod", "prod"]["metadata"]["uid"] != before["metadata"]["uid"]
    for region in REGIONS:
        delete(cluster, RTAPS, f"prod-{region}")
    cluster.refuse["delete", PLURALS["network"], "prod-eu-west-1-network"] = ClusterError(500, "no", "no")
    await run(cluster)
    told = {region["name"] for region in cluster.objects[ETAPS, "tap-prod", "prod"]["status"]["regions"]}
    assert "eu-west-1" in told
    cluster.refuse.clear()
    await settle(cluster)
    assert not [name for plural in WANTED for name in names(cluster, plural) if name.startswith("prod-eu-west-1-")]
    assert "prod-eu-west-1" not in names(cluster, RTAPS)


async def test_a_region_that_stands_alone_and_one_whose_environment_is_gone_go_in_order(
    cluster: InMemoryCluster,
) -> None:
    delete(cluster, RTAPS, "prod-us-east-2")
    cluster.remove(ETAPS, "tap-prod", "prod")
    await run(cluster)
    assert deleted(cluster, "us-east-2") == WANTED
    alone = child(cluster, "eu-west-1")
    alone["metadata"].pop("ownerReferences")
    delete(cluster, RTAPS, "prod-eu-west-1")
    assert (await reserve_alone(cluster, "tap-prod", "prod-eu-west-1")).again is None
    assert (deleted(cluster, "eu-west-1"), names(cluster, RTAPS)) == (WANTED, ["prod-us-east-1"])


async def test_the_region_that_writes_the_database_goes_with_the_primary_after_the_others(
    cluster: InMemoryCluster,
) -> None:
    fact = {"identifier": "prod-global", "engineVersion": "8.0.mysql_aurora.3.10.0", "region": "eu-west-1"}
    cluster.edit(RTAPS, "tap-prod", "prod-us-east-1", {"status": {"facts": {"globalCluster": fact}}})
    delete(cluster, ETAPS, "prod")
    cluster.refuse["delete", PLURALS["monitoring"], "prod-us-east-2-monitoring"] = ClusterError(500, "no", "no")
    await run(cluster)
    assert (deleted(cluster, "us-east-1"), deleted(cluster, "eu-west-1")) == ([], [])
    cluster.refuse.clear()
    for region in ("us-east-1", "eu-west-1"):
        cluster.refuse["delete", PLURALS["database"], f"prod-{region}-database"] = ClusterError(500, "no", "no")
    while "prod-us-east-2" in names(cluster, RTAPS):
        await run(cluster)
    await run(cluster)
    # Side by side: neither waits for the other.
    assert PLURALS["monitoring"] in deleted(cluster, "us-east-1")
    assert PLURALS["monitoring"] in deleted(cluster, "eu-west-1")
    cluster.refuse.clear()
    while names(cluster, ETAPS):
        await run(cluster)
    assert names(cluster, RTAPS) == []
