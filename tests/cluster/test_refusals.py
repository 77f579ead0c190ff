"""What AWS refuses, on real Crossplane: the cause is told in its place, and all goes on by itself once it is over.

AWS is a double of the provider, which refuses as AWS does (doubles.account). What it refuses while a stack is made in an
order of its own is in test_whole_stack.py.
"""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from chart.promtool import Alert
from cluster.exposition import go_on, of_taps
from cluster.test_whole_stack import conditions, driven, ready
from cluster.world import World
from doubles.account import Key
from doubles.provider import ProviderDouble
from tap_api import manifest
from tap_api.base import Json
from tap_api.teardown import TORN_DOWN

[CLAIM] = manifest.read(Path(__file__).parents[2] / "claims" / "dev.yaml")
PRIMARY, SECONDARY = REGIONS = ("us-east-1", "us-east-2")
THROTTLED = "ThrottlingException: Rate exceeded"
EXPIRED = "api error ExpiredToken: The security token included in the request is expired"
#: What Kubernetes takes as the message of a condition (metav1.Condition).
LONGEST = 32768


def claim() -> Json:
    """Returns a global database in two regions, whose buckets are not emptied, and which may go."""
    found = deepcopy(CLAIM)
    regions = [region for region in found["spec"]["regions"] if region["name"] in REGIONS]
    found["spec"].update(regions=regions, database={"global": True}, storage={"forceDestroy": False})
    return found


@pytest.fixture(scope="module")
def throttled(shared_world: World) -> Iterator[tuple[World, ProviderDouble]]:
    """The claim, applied where AWS lets nobody make a key."""
    with driven(shared_world) as provider:
        provider.fail("kms.Key", THROTTLED)
        shared_world.apply(claim())
        yield shared_world, provider


def health(world: World, *xr: str) -> Json:
    found: Json = conditions(world.get(*xr)).get("ResourcesHealthy", {})
    return found


def test_who_is_throttled_says_so_and_goes_on_by_himself(throttled: tuple[World, ProviderDouble]) -> None:
    world, provider = throttled
    world.until(lambda: THROTTLED in str(health(world, "environmenttaps", "dev").get("message")), "it is told")
    told = health(world, "environmenttaps", "dev")
    assert (told["status"], told["reason"]) == ("False", "ResourcesFail")
    for region in REGIONS:
        assert f"{region}/key: " in told["message"]
        assert THROTTLED in health(world, "regionaltaps", f"dev-{region}")["message"]
    # What needs a key waits, and is no failure of its own.
    assert told["message"].count(THROTTLED) == len(REGIONS)
    provider.heal()
    ready(world, provider, "dev")
    assert health(world, "environmenttaps", "dev")["status"] == "True"


def test_credentials_that_have_expired_are_told_once_and_nothing_is_lost(
    throttled: tuple[World, ProviderDouble], promtool: Path, tmp_path: Path
) -> None:
    world, provider = throttled
    world.wait_quiet(3, "dev")
    quiet, made = of_taps(world), deepcopy(provider.account.made)
    provider.deny(EXPIRED)

    def failing() -> int:
        found = (conditions(resource).get("Synced", {}) for resource in world.managed())
        return sum(EXPIRED in one.get("message", "") for one in found)

    everything = len(world.managed())
    world.comes_to(failing, everything, "nothing can be asked of AWS")
    xrs = [("environmenttaps", "dev"), *(("regionaltaps", f"dev-{region}") for region in REGIONS)]
    world.until(lambda: all(EXPIRED in health(world, *xr).get("message", "") for xr in xrs), "it is told")
    world.wait_still(lambda: [health(world, *xr) for xr in xrs], "what is told", 8, 60)
    for xr in xrs:
        told = health(world, *xr)
        assert (told["status"], told["reason"]) == ("False", "ResourcesFail")
        assert " more" in told["message"]
        assert "RequestID" not in told["message"]
        assert len(told["message"]) < LONGEST / 8
    go_on(promtool, tmp_path, quiet, of_taps(world), {"TapResourcesFailing": [alert(world, "0")]})
    provider.heal()
    ready(world, provider, "dev")
    world.comes_to(lambda: [health(world, *xr)["status"] for xr in xrs], ["True"] * len(xrs), "all is well again")
    assert provider.account.made.keys() == made.keys()
    assert provider.journal.of("deleted") == []


def test_what_holds_a_deletion_is_named_one_after_the_other_and_then_all_goes(
    throttled: tuple[World, ProviderDouble], promtool: Path, tmp_path: Path
) -> None:
    world, provider = throttled
    made = provider.account.made
    cluster: Key = ("rds.Cluster", f"dev-{SECONDARY}-database-cluster")
    subnet = made["ec2.Subnet", f"dev-{SECONDARY}-network-private-a"]["status"]["atProvider"]["id"]
    bucket = made["s3.BucketVersioning", f"dev-{SECONDARY}-storage-data-bucket-versioning"]["spec"]["forProvider"]["bucket"]
    provider.change(cluster, "deletionProtection", value=True)
    world.wait_quiet(3, "dev")
    data = provider.stranger("s3.Object", bucket=bucket)
    interface = provider.stranger("ec2.NetworkInterface", subnetId=subnet)
    member = provider.stranger("rds.Cluster", made[cluster], region="ap-southeast-2")
    quiet = of_taps(world)
    world.kubectl("delete", "etap", "dev", "--wait=false")

    def torn_down() -> str:
        told = conditions(world.get("environmenttaps", "dev")).get(TORN_DOWN, {})
        return f"{told.get('reason')} {told.get('message')}"

    def is_blocked(*words: str) -> None:
        world.until(lambda: all(word in torn_down() for word in ("Blocked", *words)), f"{words} is told", 120)
        provider.check()

    is_blocked(f"{SECONDARY}: database/cluster: ", "Cannot delete protected resource")
    go_on(promtool, tmp_path, quiet, of_taps(world), {"TapTeardownBlocked": [alert(world, "0")]})
    left(provider, SECONDARY, "database", "storage", "network")
    provider.change(cluster, "deletionProtection", value=False)
    is_blocked(f"{SECONDARY}: storage/data-bucket: ", "BucketNotEmpty")
    left(provider, SECONDARY, "storage", "network")
    provider.leave(data)
    is_blocked(f"{SECONDARY}: network/private-a: ", "DependencyViolation")
    left(provider, SECONDARY, "network")
    # Nothing of the primary has begun to go.
    left(provider, PRIMARY, "monitoring", "processor", "database", "storage", "network")
    provider.leave(interface)
    is_blocked(f"{PRIMARY}: database/cluster: ", "InvalidDBClusterStateFault")
    left(provider, PRIMARY, "database", "storage", "network")
    provider.leave(member)
    world.until(lambda: not world.names("environmenttaps") and not world.managed(), "nothing is left", 240)
    provider.check()
    assert made == {}


def left(provider: ProviderDouble, region: str, *parts: str) -> None:
    """Asserts which parts of a region have resources in AWS."""
    prefix = f"dev-{region}-"
    found = {
        name.removeprefix(prefix).partition("-")[0] for _, name in provider.account.made if name.startswith(prefix)
    }
    assert found - {"key", "alias", "sessions"} == set(parts)


def alert(world: World, value: str) -> Alert:
    return Alert({"kind": "EnvironmentTap", "namespace": world.namespace, "name": "dev"}, value)
