"""The ConfigMap of outputs: written when they change, and nobody else's ever."""

from copy import deepcopy

import pytest

from tap_api.base import API_VERSION, Json
from tap_operator.errors import ClusterError
from tap_operator.passes import Pass
from unit.operator.double import InMemoryCluster
from unit.operator.test_reconcile import ETAPS, NOW, PROD, RTAPS, condition, run

MAPS = "configmaps"
PLACE = (MAPS, "tap-prod", "prod-outputs")


@pytest.fixture
def cluster() -> InMemoryCluster:
    made = InMemoryCluster()
    made.put(PROD, ETAPS)
    return made


def tell(cluster: InMemoryCluster, region: str, outputs: Json) -> None:
    cluster.edit(RTAPS, "tap-prod", f"prod-{region}", {"status": {"outputs": outputs}})


def writes(cluster: InMemoryCluster) -> list[tuple[str, str, str]]:
    return [write for write in cluster.writes if write[1] == MAPS]


async def test_nothing_is_published_before_there_is_an_output(cluster: InMemoryCluster) -> None:
    await run(cluster)
    await run(cluster)
    assert PLACE not in cluster.objects


async def test_outputs_are_published_by_region_and_name_and_belong_to_the_environment(cluster: InMemoryCluster) -> None:
    await run(cluster)
    tell(cluster, "us-east-1", {"vpcId": "vpc-1", "bucketName": "b"})
    tell(cluster, "eu-west-1", {"vpcId": "vpc-2"})
    await run(cluster)
    made = deepcopy(cluster.objects[PLACE])
    assert made["data"] == {"eu-west-1.vpcId": "vpc-2", "us-east-1.bucketName": "b", "us-east-1.vpcId": "vpc-1"}
    assert made["metadata"]["labels"] == {"tap.platform/environmenttap": "prod"}
    assert made["metadata"]["ownerReferences"] == [
        {
            "apiVersion": API_VERSION,
            "kind": "EnvironmentTap",
            "name": "prod",
            "uid": cluster.objects[ETAPS, "tap-prod", "prod"]["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]


async def test_a_pass_that_changes_no_output_writes_none(cluster: InMemoryCluster) -> None:
    await run(cluster)
    tell(cluster, "us-east-1", {"vpcId": "vpc-1"})
    await run(cluster)
    await run(cluster, now="2026-11-24T10:00:00Z")
    assert writes(cluster) == [("apply", *PLACE[::2])]


async def test_what_somebody_changed_in_it_is_set_right_and_what_they_added_stays(cluster: InMemoryCluster) -> None:
    await run(cluster)
    tell(cluster, "us-east-1", {"vpcId": "vpc-1"})
    await run(cluster)
    cluster.edit(*PLACE, {"data": {"us-east-1.vpcId": "wrong", "mine": "x"}})
    await run(cluster)
    assert cluster.objects[PLACE]["data"] == {"us-east-1.vpcId": "vpc-1", "mine": "x"}
    assert len(writes(cluster)) == 2
    await run(cluster)
    assert len(writes(cluster)) == 2


async def test_an_output_of_a_region_that_left_leaves(cluster: InMemoryCluster) -> None:
    await run(cluster)
    tell(cluster, "us-east-1", {"vpcId": "vpc-1"})
    tell(cluster, "eu-west-1", {"vpcId": "vpc-2"})
    await run(cluster)
    cluster.edit(ETAPS, "tap-prod", "prod", {"spec": {"regions": PROD["spec"]["regions"][:2]}})
    for _ in range(3):
        await run(cluster)
    assert cluster.objects[PLACE]["data"] == {"us-east-1.vpcId": "vpc-1"}


@pytest.mark.parametrize(
    "owners",
    [
        pytest.param([], id="nobody's"),
        pytest.param([{"kind": "Deployment", "name": "x", "uid": "u", "controller": True}], id="somebody's"),
        pytest.param([{"kind": "EnvironmentTap", "name": "prod", "uid": "old", "controller": True}], id="an earlier's"),
    ],
)
async def test_a_namesake_is_left_alone_and_a_condition_says_so(cluster: InMemoryCluster, owners: list[Json]) -> None:
    meta = {"name": "prod-outputs", "namespace": "tap-prod", "ownerReferences": owners}
    stored = cluster.put({"metadata": meta, "data": {"theirs": "x"}}, MAPS)
    await run(cluster)
    tell(cluster, "us-east-1", {"vpcId": "vpc-1"})
    assert (await run(cluster)).again == 30.0
    assert cluster.objects[PLACE] == stored
    assert condition(cluster, "OutputsPublished") == (
        "False",
        "NameTaken",
        "ConfigMap prod-outputs is there and is not this environment's, so it is left alone and outputs stand in the"
        " status only. Delete it or give it another name",
    )
    cluster.remove(*PLACE)
    assert await run(cluster) == Pass()
    assert cluster.objects[PLACE]["data"] == {"us-east-1.vpcId": "vpc-1"}
    types = {found["type"] for found in cluster.objects[ETAPS, "tap-prod", "prod"]["status"]["conditions"]}
    assert "OutputsPublished" not in types


async def test_one_on_its_way_out_is_not_written(cluster: InMemoryCluster) -> None:
    await run(cluster)
    tell(cluster, "us-east-1", {"vpcId": "vpc-1"})
    await run(cluster)
    cluster.edit(*PLACE, {"metadata": {"deletionTimestamp": NOW}})
    tell(cluster, "us-east-1", {"vpcId": "vpc-2"})
    await run(cluster)
    assert len(writes(cluster)) == 1


async def test_a_write_that_is_refused_is_tried_again_and_the_status_is_written_all_the_same(
    cluster: InMemoryCluster,
) -> None:
    await run(cluster)
    tell(cluster, "us-east-1", {"vpcId": "vpc-1"})
    error = ClusterError(403, "Forbidden", "exceeded quota")
    cluster.refuse["apply", MAPS, "prod-outputs"] = error
    assert await run(cluster) == Pass(failures=[error])
    outputs = [region.get("outputs") for region in cluster.objects[ETAPS, "tap-prod", "prod"]["status"]["regions"]]
    assert outputs[0] == {"vpcId": "vpc-1"}
