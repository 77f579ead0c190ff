"""What somebody changes in AWS, on a real apiserver with real Crossplane: told, repaired, or left as it is."""

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from cluster.test_admission import ports
from cluster.test_whole_stack import conditions, driven, ready, viewer
from cluster.world import World
from doubles.account import Key
from doubles.provider import ProviderDouble
from tap_api import manifest
from tap_api.base import Json

[CLAIM] = manifest.read(Path(__file__).parents[2] / "claims" / "dev.yaml")
ONE_REGION = {**CLAIM, "spec": {**CLAIM["spec"], "regions": CLAIM["spec"]["regions"][:1]}}
REGION = ONE_REGION["spec"]["regions"][0]["name"]
XRS = (("regionalnetworks", f"dev-{REGION}-network"), ("regionaltaps", f"dev-{REGION}"), ("environmenttaps", "dev"))
VPC: Key = ("ec2.VPC", f"dev-{REGION}-network-vpc")
GROUP: Key = ("cloudwatchlogs.Group", f"dev-{REGION}-network-flow-log-group")
LINE = "vpc: spec.forProvider.enableDnsSupport wanted true, {} false"


@pytest.fixture(scope="module")
def dev(shared_world: World) -> Iterator[tuple[World, ProviderDouble]]:
    """One region of `claims/dev.yaml`, whose AWS is made."""
    with driven(shared_world) as provider:
        shared_world.apply(ONE_REGION)
        ready(shared_world, provider, "dev", 240)
        shared_world.until(lambda: told(shared_world, "Drifted") == ["AsWanted"] * 3, "nothing drifts", 60)
        yield shared_world, provider


def said(world: World, type_: str) -> list[Json]:
    """Returns a condition of the network, its region and the environment."""
    found = [conditions(world.get(*xr)).get(type_, {}) for xr in XRS]
    return [{key: condition.get(key, "") for key in ("status", "reason", "message")} for condition in found]


def told(world: World, type_: str) -> list[str]:
    return [condition["reason"] for condition in said(world, type_)]


def events(world: World, type_: str) -> list[str]:
    """Returns the notes of the Events of a condition of the environment, in the order in which they came."""
    found = json.loads(world.kubectl("get", "events", "-o", "json"))["items"]
    ours = [event for event in found if event.get("action") == type_ and event["involvedObject"]["name"] == "dev"]
    return [event["message"] for event in sorted(ours, key=lambda event: str(event["firstTimestamp"]))]


def metrics(world: World) -> dict[str, float]:
    """Returns what the operator tells Prometheus of drift in the world's namespace."""
    connection = http.client.HTTPConnection("127.0.0.1", ports(world.cluster)["operator-health"], timeout=5)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    place = f'kind="EnvironmentTap",name="dev",namespace="{world.namespace}",region="{REGION}"'
    lines = re.findall(rf"^(tap_drift\w+)\{{{re.escape(place)}\}} (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in lines if not name.endswith("_created")}


def test_what_somebody_changes_is_told_at_every_level_and_then_repaired(dev: tuple[World, ProviderDouble]) -> None:
    world, provider = dev
    before = metrics(world)
    assert before["tap_drifted_fields"] == 0
    provider.change(VPC, "enableDnsSupport", value=False)
    world.until(lambda: told(world, "Drifted") == ["FieldsDiffer"] * 3, "the drift is told", 30)
    line = LINE.format("is")
    assert [condition["message"] for condition in said(world, "Drifted")] == [
        line,
        f"network/{line}",
        f"{REGION}/network/{line}",
    ]
    provider.repair()
    world.until(lambda: told(world, "Drifted") == ["Repaired"] * 3, "it is repaired", 30)
    assert said(world, "Drifted")[2] == {
        "status": "False",
        "reason": "Repaired",
        "message": f"{REGION}: Repaired: network/{LINE.format('was')}",
    }
    assert provider.account.made[VPC]["status"]["atProvider"]["enableDnsSupport"] is True
    after = metrics(world)
    assert after["tap_drifted_fields"] == 0
    assert after["tap_drift_found_total"] == before["tap_drift_found_total"] + 1
    # Once each, however often everything is looked at.
    world.wait_quiet(4, "dev")
    assert events(world, "Drifted")[-2:] == [
        f"Drifted is True: {REGION}/network/{line}",
        f"Drifted is False: {REGION}: Repaired: network/{LINE.format('was')}",
    ]
    assert len([note for note in events(world, "Drifted") if "is True" in note]) == 1


def test_a_cause_is_told_at_every_level_and_its_event_comes_once(dev: tuple[World, ProviderDouble]) -> None:
    world, provider = dev
    provider.fail(VPC[1], "VpcLimitExceeded: The maximum number of VPCs has been reached")
    world.until(lambda: told(world, "ResourcesHealthy") == ["ResourcesFail"] * 3, "the cause is told", 30)
    cause = said(world, "ResourcesHealthy")[0]["message"]
    assert cause.startswith("vpc: async update failed: ")
    assert "VpcLimitExceeded: The maximum number of VPCs has been reached" in cause
    assert [condition["message"] for condition in said(world, "ResourcesHealthy")[1:]] == [
        f"network/{cause}",
        f"{REGION}/network/{cause}",
    ]
    before = events(world, "ResourcesHealthy")
    # The provider tries again every three seconds, each time with another RequestID of AWS's.
    world.wait_still(lambda: said(world, "ResourcesHealthy"), "the cause", 10, 30)
    assert events(world, "ResourcesHealthy") == before
    assert len([note for note in before if "VpcLimitExceeded" in note]) == 1
    provider.heal()
    world.until(lambda: told(world, "ResourcesHealthy") == ["Healthy"] * 3, "it is over", 60)


def drift(world: World, kubeconfig: Path) -> tuple[int, set[tuple[str, str]]]:
    """Returns what `tap drift` tells whoever may look and nothing else: its exit code, resources and fields."""
    command = [sys.executable, "-m", "tap_cli", "drift", "dev", "-n", world.namespace, "-o", "json"]
    done = subprocess.run([*command, "--kubeconfig", str(kubeconfig)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    (found,) = json.loads(done.stdout)["taps"]
    assert (found["changing"], found["unseen"]) == ([], [])
    return done.returncode, {(field["resource"], field["path"]) for field in found["drifted"]}


def test_where_drift_is_only_reported_nothing_is_changed_in_aws(
    dev: tuple[World, ProviderDouble], tmp_path: Path
) -> None:
    world, provider = dev
    kubeconfig = viewer(world, tmp_path)
    assert drift(world, kubeconfig) == (0, set())
    world.apply({**ONE_REGION, "spec": {**ONE_REGION["spec"], "drift": "Report"}})

    def policies() -> set[str]:
        found = world.managed()
        return {policy for item in found for policy in item["spec"]["managementPolicies"]}

    world.until(lambda: policies() == {"Observe", "Create", "Delete", "LateInitialize"}, "nothing may be changed", 60)
    provider.change(VPC, "enableDnsSupport", value=False)
    world.until(lambda: told(world, "Drifted") == ["FieldsDiffer"] * 3, "the drift is told", 30)
    changed = deepcopy(provider.account.made)
    # A change of the claim is not made either: it shows as drift.
    flow_logs = {"network": {"flowLogs": {"retentionDays": 3}}}
    world.apply({**ONE_REGION, "spec": {**ONE_REGION["spec"], "drift": "Report", **flow_logs}})
    both = f"flow-log-group: spec.forProvider.retentionInDays wanted 3, is 7; {LINE.format('is')}"
    world.until(lambda: said(world, "Drifted")[0]["message"] == both, "what is wanted now is told too", 30)
    world.wait_quiet(5, "dev")
    assert provider.account.made == changed
    assert metrics(world)["tap_drifted_fields"] == 2
    fields = {
        ("vpc", "spec.forProvider.enableDnsSupport"),
        ("flow-log-group", "spec.forProvider.retentionInDays"),
    }
    assert drift(world, kubeconfig) == (2, fields)
    world.apply({**ONE_REGION, "spec": {**ONE_REGION["spec"], "drift": "Repair", **flow_logs}})
    provider.repair()
    world.until(lambda: told(world, "Drifted") == ["Repaired"] * 3, "it is repaired", 60)
    assert provider.account.made[GROUP]["status"]["atProvider"]["retentionInDays"] == 3
    assert provider.account.made[VPC]["status"]["atProvider"]["enableDnsSupport"] is True
