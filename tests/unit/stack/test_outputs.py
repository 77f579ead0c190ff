"""What applications are told: by each region, by the environment, and as one ConfigMap."""

from golden.world import Environment
from tap_api.outputs import config_map
from tap_api.rollup import roll_up

SEVEN = {"vpcId", "bucketName", "lambdaArn", "clusterEndpoint", "tableName", "apiEndpoint", "keyId"}


def test_every_output_of_every_region_reaches_the_environment_and_its_config_map() -> None:
    environment = Environment("prod")
    environment.settle()
    observed = {region: world.tap for region, world in environment.worlds.items()}
    for tap in observed.values():
        assert set(tap["status"]["outputs"]) >= SEVEN | {"readerEndpoint", "keyArn"}
    status = roll_up(environment.claim, observed, now="2026-11-24T09:00:00Z")
    assert {region["name"]: region["outputs"] for region in status["regions"]} == {
        region: tap["status"]["outputs"] for region, tap in observed.items()
    }
    published = config_map(environment.claim, status)
    assert published["metadata"]["name"] == "prod-outputs"
    assert published["data"] == {
        f"{region}.{output}": value
        for region, tap in observed.items()
        for output, value in tap["status"]["outputs"].items()
    }


def test_outputs_stay_when_every_resource_falls_silent() -> None:
    environment = Environment("prod")
    environment.settle()
    told = {region: world.tap["status"]["outputs"] for region, world in environment.worlds.items()}
    for world in environment.worlds.values():
        for objects in world.objects.values():
            for item in objects.values():
                item.pop("status", None)
    for region, world in environment.worlds.items():
        assert next(world.look())[1].status["outputs"] == told[region]
