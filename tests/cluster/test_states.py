"""Regions that are paused and removed by their state, on real Crossplane: AWS is a double of the provider."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from cluster.test_whole_stack import driven, ready
from cluster.world import World
from doubles.provider import ProviderDouble
from tap_api import manifest
from tap_api.base import Json
from tap_stack import pause

CLAIMS = Path(__file__).parents[2] / "claims"
[CLAIM] = manifest.read(CLAIMS / "dev.yaml")
#: The primary and one that follows it: a third would show no more, and take its time.
CLAIM["spec"]["regions"] = CLAIM["spec"]["regions"][:2]
REGIONS = [region["name"] for region in CLAIM["spec"]["regions"]]
CHOSEN = "us-east-2"
#: What a tag is changed to. Another tag would be another resource in a secondary, which is not ready while it is paused.
NEW = "payments-0001"


def edited(state: str = "Present", region: str = CHOSEN, **spec: Any) -> Json:
    claim = deepcopy(CLAIM)
    for item in claim["spec"]["regions"]:
        if item["name"] == region:
            item["state"] = state
    claim["spec"].update(spec)
    return claim


@pytest.fixture(scope="module")
def dev(shared_world: World) -> Iterator[tuple[World, ProviderDouble]]:
    """`claims/dev.yaml` in two regions, made in AWS."""
    with driven(shared_world) as provider:
        shared_world.apply(edited())
        ready(shared_world, provider, "dev")
        try:
            yield shared_world, provider
        finally:
            # What is paused never goes.
            shared_world.apply(edited())
            shared_world.until(lambda: not any("true" in said for said in pauses(shared_world).values()), "resumed", 60)


def pauses(world: World) -> dict[str, set[str]]:
    """Returns, by region, what the annotation of its managed resources says; empty where there is none."""
    found: dict[str, set[str]] = {region: set() for region in REGIONS}
    for item in world.managed():
        annotation = item["metadata"].get("annotations", {}).get(pause.ANNOTATION, "")
        found[item["metadata"]["labels"]["tap.platform/region"]].add(annotation)
    return found


def in_aws(provider: ProviderDouble, region: str) -> dict[str, Any]:
    """Returns what AWS has of a region, by kind and name: the tag that the tests change."""
    return {
        f"{kind} {name}": made["spec"]["forProvider"].get("tags", {}).get("CostCenter")
        for (kind, name), made in provider.account.made.items()
        if name.startswith(f"dev-{region}-")
    }


def of_region(world: World, region: str) -> Json:
    found: Json = next(r for r in world.get("environmenttaps", "dev")["status"]["regions"] if r["name"] == region)
    return found


def test_a_paused_region_is_left_alone_in_aws_and_comes_back(dev: tuple[World, ProviderDouble]) -> None:
    world, provider = dev
    others = [region for region in REGIONS if region != CHOSEN]
    world.apply(edited("Paused", tags={"CostCenter": NEW}))
    world.until(lambda: pauses(world)[CHOSEN] == {"true"}, "every resource of the region is paused", 120)
    world.until(lambda: all(NEW in in_aws(provider, region).values() for region in others), "the others go on", 120)
    world.until(lambda: of_region(world, CHOSEN).get("resources", {}).get("paused", 0) > 50, "it says so", 60)
    world.wait_quiet(3, "dev")
    assert pauses(world) == {**{region: {""} for region in others}, CHOSEN: {"true"}}
    assert NEW not in in_aws(provider, CHOSEN).values()
    region = of_region(world, CHOSEN)
    assert (region["state"], region["ready"]) == ("Paused", True), region
    status = {
        c["type"]: (c["status"], c["reason"]) for c in world.get("environmenttaps", "dev")["status"]["conditions"]
    }
    assert status["Ready"] == ("True", "Available")
    assert status["Synced"] == ("True", "RegionsPaused")
    assert status["ResourcesHealthy"] == ("Unknown", "Paused")
    table = [line.split() for line in world.kubectl("get", "rtap").splitlines()]
    assert {line[0]: line[table[0].index("STATE")] for line in table[1:]} == {
        f"dev-{name}": "Paused" if name == CHOSEN else "Present" for name in REGIONS
    }
    refused = world.kubectl_fails("delete", "etap", "dev")
    assert "EnvironmentTap dev is paused, or still on its way back, and what is paused never goes" in refused

    world.apply(edited(tags={"CostCenter": NEW}))
    world.until(lambda: NEW in in_aws(provider, CHOSEN).values(), "it is resumed", 120)
    world.until(lambda: "paused" not in of_region(world, CHOSEN)["resources"], "and says so", 60)
    ready(world, provider, "dev", 60)
    assert pauses(world)[CHOSEN] == {"false"}


def test_the_primary_is_not_paused_while_its_replicas_are_there(dev: tuple[World, ProviderDouble]) -> None:
    world, _ = dev
    answer = world.refused(edited("Paused", region=REGIONS[0]))
    assert "(PrimaryState)" in answer


def test_an_absent_region_goes_paused_or_not_and_comes_back(dev: tuple[World, ProviderDouble]) -> None:
    world, provider = dev
    uids = {tap["metadata"]["name"]: tap["metadata"]["uid"] for tap in world.objects("regionaltaps")}
    world.apply(edited("Paused"))
    world.until(lambda: pauses(world)[CHOSEN] == {"true"}, "every resource of the region is paused", 120)
    world.apply(edited("Absent"))

    def gone() -> bool:
        provider.check()
        return f"dev-{CHOSEN}" not in world.names("regionaltaps") and not pauses(world)[CHOSEN]

    world.until(gone, "the region is gone, resumed first", 240)
    assert in_aws(provider, CHOSEN) == {}
    blocks = json.loads(world.kubectl("get", "cidrblocks", "-o", "json"))["items"]

    def held() -> set[str]:
        claims = [
            c for b in blocks if b["spec"]["peeringGroup"] == world.namespace for c in b["spec"].get("claims", [])
        ]
        return {claim["regionalTap"]["name"] for claim in claims}

    def released() -> bool:
        blocks[:] = json.loads(world.kubectl("get", "cidrblocks", "-o", "json"))["items"]
        return f"dev-{CHOSEN}" not in held()

    world.until(released, "its range is released", 60)
    assert held() == uids.keys() - {f"dev-{CHOSEN}"}
    world.until(lambda: of_region(world, CHOSEN)["message"] == "is absent, as its state asks for", "it says so", 60)
    ready(world, provider, "dev", 120)
    now = {tap["metadata"]["name"]: tap["metadata"]["uid"] for tap in world.objects("regionaltaps")}
    assert now == {name: uid for name, uid in uids.items() if name != f"dev-{CHOSEN}"}

    world.apply(edited())
    world.until(lambda: f"dev-{CHOSEN}" in world.names("regionaltaps"), "it is made again", 60)
    # Until the operator has looked again, one of one is still Ready.
    world.until(lambda: world.get("environmenttaps", "dev")["status"]["readyRegions"] != "1/1", "all are counted")
    ready(world, provider, "dev")
    assert world.get("environmenttaps", "dev")["status"]["readyRegions"] == "2/2"
