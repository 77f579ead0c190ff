"""What somebody changes in AWS, on a real apiserver with real Crossplane: told, repaired, or left as it is."""

import json
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from itertools import islice
from pathlib import Path

import pytest

from cluster.exposition import about, go_on, of_taps, scraped
from cluster.plans import viewer
from cluster.test_whole_stack import asked, conditions, driven, ready
from cluster.world import World
from doubles import hands
from doubles.account import Key, key_of
from doubles.provider import ProviderDouble
from tap_api import manifest
from tap_api.base import Json

[CLAIM] = manifest.read(Path(__file__).parents[2] / "claims" / "dev.yaml")
ONE_REGION = {**CLAIM, "spec": {**CLAIM["spec"], "regions": CLAIM["spec"]["regions"][:1]}}
REGION = ONE_REGION["spec"]["regions"][0]["name"]
XRS = (("regionalnetworks", f"dev-{REGION}-network"), ("regionaltaps", f"dev-{REGION}"), ("environmenttaps", "dev"))
VPC: Key = ("ec2.VPC", f"dev-{REGION}-network-vpc")
FIFTY = 50
GROUP: Key = ("cloudwatchlogs.Group", f"dev-{REGION}-network-flow-log-group")
LINE = "vpc: spec.forProvider.enableDnsSupport wanted true, {} false"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`make soak` reads AWS thirty times."""
    if "polls" in metafunc.fixturenames:
        metafunc.parametrize("polls", [30 if metafunc.config.getoption("seeds") > 1 else 4])


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
    # Timestamps are of a second, in which a repair may well be done: what begins comes before what ends then.
    order = sorted(ours, key=lambda event: (str(event["firstTimestamp"]), "is False" in event["message"]))
    return [event["message"] for event in order]


def metrics(world: World, **labels: str) -> dict[str, float]:
    """Returns what the operator tells Prometheus of the environment."""
    return scraped(world, "operator-health", kind="EnvironmentTap", name="dev", namespace=world.namespace, **labels)


def test_what_somebody_changes_is_told_at_every_level_and_then_repaired(
    dev: tuple[World, ProviderDouble], promtool: Path, tmp_path: Path
) -> None:
    world, provider = dev
    before, quiet = metrics(world), of_taps(world)
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
    go_on(promtool, tmp_path, quiet, of_taps(world), {"TapDriftFound": [about(world, region=REGION)]})
    # Once each, however often everything is looked at.
    world.wait_quiet(4, "dev")
    # What was told before it, that nothing differs, may be of the same second.
    assert [note for note in events(world, "Drifted") if "enableDnsSupport" in note] == [
        f"Drifted is True: {REGION}/network/{line}",
        f"Drifted is False: {REGION}: Repaired: network/{LINE.format('was')}",
    ]
    assert len([note for note in events(world, "Drifted") if "is True" in note]) == 1


def test_nothing_is_called_drift_however_often_aws_is_read(dev: tuple[World, ProviderDouble], polls: int) -> None:
    world, provider = dev
    before, told_before = metrics(world), events(world, "Drifted")
    shown = statuses(world)
    for _ in range(polls):
        provider.poll()
        world.until(lambda: provider.rests, "all of AWS was read")
        world.wait_quiet(1, "dev")
        assert metrics(world)["tap_drifted_fields"] == 0
    # AWS did say it in another order.
    again = statuses(world)
    assert [key for key, status in shown.items() if again[key]["atProvider"] != status["atProvider"]]
    assert metrics(world) == before
    assert events(world, "Drifted") == told_before


def statuses(world: World) -> dict[Key, Json]:
    return {key_of(resource): resource["status"] for resource in world.managed()}


def test_a_cause_is_told_at_every_level_and_its_event_comes_once(
    dev: tuple[World, ProviderDouble], promtool: Path, tmp_path: Path
) -> None:
    world, provider = dev
    quiet = of_taps(world)
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
    failing = {"condition": "ResourcesHealthy", "reason": "ResourcesFail"}
    assert metrics(world, **failing) == {"tap_condition": 0}
    go_on(promtool, tmp_path, quiet, of_taps(world), {"TapResourcesFailing": [about(world, "0")]})
    provider.heal()
    world.until(lambda: told(world, "ResourcesHealthy") == ["Healthy"] * 3, "it is over", 60)
    healthy = {"tap_condition": 1}
    world.comes_to(lambda: metrics(world, condition="ResourcesHealthy"), healthy, "Prometheus is told so", 10)
    assert metrics(world, **failing) == {}


def test_every_process_tells_how_it_does(dev: tuple[World, ProviderDouble]) -> None:
    world, _ = dev
    work = scraped(world, "operator-health")
    assert work["tap_operator_leader"] == 1
    assert work["tap_operator_stuck_seconds"] < 10
    passes = scraped(world, "operator-health", kind="EnvironmentTap", result="done")
    assert passes["tap_operator_passes_total"] > 0
    requests = scraped(world, "operator-health", code="200", method="PATCH", resource="environmenttaps")
    assert requests["tap_operator_requests_total"] > 0
    assert metrics(world, region=REGION, state="Present") == {"tap_region_ready": 1}
    for kind in ("RegionalTap", "RegionalNetwork", "RegionalMonitoring"):
        results = {
            result: scraped(world, "function-metrics", kind=kind, result=result)["tap_function_results_total"]
            for result in ("composed", "failed")
        }
        assert results["composed"] > 0
        assert results["failed"] == 0
        assert scraped(world, "function-metrics", kind=kind)["tap_function_render_seconds_count"] > 0


def drift(world: World, kubeconfig: Path) -> tuple[int, set[tuple[str, str]]]:
    """Returns what `tap drift` tells whoever may look and nothing else: its exit code, resources and fields."""
    command = [sys.executable, "-m", "tap_cli", "drift", "dev", "-n", world.namespace, "-o", "json"]
    done = subprocess.run([*command, "--kubeconfig", str(kubeconfig)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    (found,) = json.loads(done.stdout)["taps"]
    assert (found["changing"], found["unseen"]) == ([], [])
    return done.returncode, {(field["resource"], field["path"]) for field in found["drifted"]}


#: What the first test leaves to the others: what somebody changed, and what is wanted and not made.
BOTH = {("vpc", "spec.forProvider.enableDnsSupport"), ("flow-log-group", "spec.forProvider.retentionInDays")}
FLOW_LOGS: Json = {"network": {"flowLogs": {"retentionDays": 3}}}


def reported(**more: Json) -> Json:
    """Returns the claim, with drift that is only reported."""
    return {**ONE_REGION, "spec": {**ONE_REGION["spec"], "drift": "Report", **more}}


@pytest.fixture(scope="module")
def reporting(dev: tuple[World, ProviderDouble]) -> tuple[World, ProviderDouble]:
    """The same region, where nothing may be changed in AWS."""
    world, _ = dev
    world.apply(reported())

    def policies() -> set[str]:
        found = world.managed()
        return {policy for item in found for policy in item["spec"]["managementPolicies"]}

    world.until(lambda: policies() == {"Observe", "Create", "Delete", "LateInitialize"}, "nothing may be changed", 60)
    return dev


@pytest.fixture(scope="module")
def kubeconfig(dev: tuple[World, ProviderDouble], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kubeconfig of somebody who may look and nothing else."""
    return viewer(dev[0], tmp_path_factory.mktemp("viewer"))


def test_where_drift_is_only_reported_nothing_is_changed_in_aws(
    reporting: tuple[World, ProviderDouble], kubeconfig: Path, promtool: Path, tmp_path: Path
) -> None:
    world, provider = reporting
    assert drift(world, kubeconfig) == (0, set())
    quiet = of_taps(world)
    provider.change(VPC, "enableDnsSupport", value=False)
    world.until(lambda: told(world, "Drifted") == ["FieldsDiffer"] * 3, "the drift is told", 30)
    changed = deepcopy(provider.account.made)
    # A change of the claim is not made either: it shows as drift.
    world.apply(reported(**FLOW_LOGS))
    both = f"flow-log-group: spec.forProvider.retentionInDays wanted 3, is 7; {LINE.format('is')}"
    world.until(lambda: said(world, "Drifted")[0]["message"] == both, "what is wanted now is told too", 30)
    world.wait_quiet(5, "dev")
    assert provider.account.made == changed
    assert metrics(world)["tap_drifted_fields"] == 2
    drifts = {"TapDrifted": [about(world, "2", region=REGION)], "TapDriftFound": [about(world, "2", region=REGION)]}
    go_on(promtool, tmp_path, quiet, of_taps(world), drifts)
    assert drift(world, kubeconfig) == (2, BOTH)


def test_fifty_fields_that_are_changed_by_hand_are_each_told_by_their_path(
    reporting: tuple[World, ProviderDouble], kubeconfig: Path
) -> None:
    world, provider = reporting
    chosen = by_hand(provider)
    assert len(chosen) >= FIFTY
    for resource, steps in chosen:
        shown = deepcopy(resource["status"]["atProvider"])
        hands.put(shown, steps)
        provider.change(key_of(resource), steps[0], shown[steps[0]])
    expected = BOTH | {(short(resource), f"spec.forProvider.{steps[0]}") for resource, steps in chosen}

    def fields() -> set[tuple[str, str]]:
        return {(resource, top(path)) for resource, path in drift(world, kubeconfig)[1]}

    world.comes_to(fields, expected, "every field is told, and no other")
    _, found = drift(world, kubeconfig)
    # Once each: what tells an item of a list apart, changed, is one that goes and one that comes.
    times = Counter(resource for resource, _ in found)
    in_lists = {short(resource) for resource, steps in chosen if any(isinstance(step, int) for step in steps)}
    assert {resource: n for resource, n in times.items() if n > 1 + (resource in in_lists)} == {}
    world.wait_quiet(5, "dev")
    assert drift(world, kubeconfig) == (2, found)


def top(path: str) -> str:
    """Returns the path of the field of `spec.forProvider` that a path leads into."""
    return re.sub(r"^(spec\.forProvider\.\w+).*", r"\1", path)


def test_whoever_returns_to_repair_has_everything_made_as_it_is_wanted(
    reporting: tuple[World, ProviderDouble], kubeconfig: Path
) -> None:
    world, provider = reporting
    world.apply({**ONE_REGION, "spec": {**ONE_REGION["spec"], "drift": "Repair", **FLOW_LOGS}})
    provider.repair()
    world.until(lambda: told(world, "Drifted") == ["Repaired"] * 3, "it is repaired", 60)
    assert provider.account.made[GROUP]["status"]["atProvider"]["retentionInDays"] == 3
    assert provider.account.made[VPC]["status"]["atProvider"]["enableDnsSupport"] is True
    world.until(lambda: drift(world, kubeconfig) == (0, set()), "nothing drifts", 60)


def by_hand(provider: ProviderDouble) -> list[tuple[Json, hands.Steps]]:
    """Returns resources and one field of each, of every kind that there is, and of more resources up to fifty."""
    chance = random.Random(8)  # noqa: S311
    left = {resource for resource, _ in BOTH}
    every = [
        (resource, chance.choice(fields))
        for resource in provider.account.made.values()
        if (fields := [steps for steps in hands.reached(resource) if is_asked(resource, steps)])
        and short(resource) not in left
    ]
    chance.shuffle(every)
    first = {key_of(resource)[0]: number for number, (resource, _) in enumerate(every)}
    assert first.keys() == {kind for kind, _ in provider.account.made} - {VPC[0]}
    chosen = sorted(first.values())
    rest = (number for number in range(len(every)) if number not in chosen)
    return [every[number] for number in (*chosen, *islice(rest, max(0, FIFTY - len(chosen))))]


def is_asked(resource: Json, steps: hands.Steps) -> bool:
    """Returns whether Crossplane asks for a field: the provider fills in others, and they may be as they like."""
    node = asked(resource)
    for step in steps:
        if isinstance(step, int) or not node:
            return True  # A list is asked for whole.
        if f"f:{step}" not in node:
            return False
        node = node[f"f:{step}"]
    return True


def short(resource: Json) -> str:
    """Returns what `tap drift` calls a resource: its name in the composition."""
    return str(resource["metadata"]["annotations"]["crossplane.io/composition-resource-name"])
