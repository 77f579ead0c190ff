"""What AWS refuses, on real Crossplane: the cause is told in its place, and all goes on by itself once it is over.

AWS is a double of the provider, which refuses as AWS does (doubles.account). What it refuses while a stack is made in an
order of its own is in test_whole_stack.py.
"""

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import pytest

from cluster.exposition import about, go_on, of_taps
from cluster.test_whole_stack import conditions, driven, ready
from cluster.world import World
from doubles.account import Key
from doubles.provider import ProviderDouble
from tap_api import manifest
from tap_api.base import Json
from tap_api.teardown import TORN_DOWN

[CLAIM] = manifest.read(Path(__file__).parents[2] / "claims" / "dev.yaml")
PRIMARY, SECONDARY, WRITER = REGIONS = ("us-east-1", "us-east-2", "eu-west-1")
THROTTLED = "ThrottlingException: Rate exceeded"
EXPIRED = "api error ExpiredToken: The security token included in the request is expired"
#: What Kubernetes takes as the message of a condition (metav1.Condition).
LONGEST = 32768


def claim() -> Json:
    """Returns a global database in three regions, whose buckets are not emptied, and which may go."""
    found = deepcopy(CLAIM)
    found["spec"].update(database={"global": True}, storage={"forceDestroy": False})
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
    # What both say is said once.
    both = f"{', '.join(sorted(REGIONS))}: key: "

    def told() -> str:
        return str(health(world, "environmenttaps", "dev").get("message"))

    world.until(lambda: told().startswith(both) and THROTTLED in told(), "it is told")
    assert health(world, "environmenttaps", "dev")["reason"] == "ResourcesFail"
    for region in REGIONS:
        message = health(world, "regionaltaps", f"dev-{region}")["message"]
        assert message.startswith("key: async create failed: ")
        assert THROTTLED in message
    # What needs a key waits, and is no failure of its own.
    assert told().count(THROTTLED) == 1
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

    def going_well() -> list[str]:
        told = {one["metadata"]["name"]: conditions(one).get("Synced", {}) for one in world.managed()}
        return sorted(name for name, one in told.items() if EXPIRED not in one.get("message", ""))

    world.comes_to(going_well, [], "nothing can be asked of AWS")
    xrs = [("environmenttaps", "dev"), *(("regionaltaps", f"dev-{region}") for region in REGIONS)]
    world.until(lambda: all(EXPIRED in health(world, *xr).get("message", "") for xr in xrs), "it is told")
    world.wait_still(lambda: [health(world, *xr) for xr in xrs], "what is told", 8, 60)
    for xr in xrs:
        told = health(world, *xr)
        assert (told["status"], told["reason"]) == ("False", "ResourcesFail")
        # A hundred say it; the first are named, and what they say is said once of each part.
        assert " more: observe failed: " in told["message"]
        assert told["message"].count(EXPIRED) <= 3
        assert "RequestID" not in told["message"]
        assert len(told["message"]) < LONGEST / 8
    go_on(promtool, tmp_path, quiet, of_taps(world), {"TapResourcesFailing": [about(world, "0")]})
    provider.heal()
    ready(world, provider, "dev")
    world.comes_to(lambda: [health(world, *xr)["status"] for xr in xrs], ["True"] * len(xrs), "all is well again")
    assert provider.account.made.keys() == made.keys()
    assert provider.journal.of("deleted") == []


def test_a_region_that_writes_stays_as_long_as_its_environment(throttled: tuple[World, ProviderDouble]) -> None:
    world, provider = throttled
    provider.switch_over(WRITER)
    world.until(lambda: world.output(WRITER, "clusterEndpoint") != world.output(WRITER, "readerEndpoint"), "it writes")
    without = claim()
    without["spec"]["regions"] = [region for region in without["spec"]["regions"] if region["name"] != WRITER]
    world.apply(without)

    def synced() -> tuple[str, bool]:
        told = conditions(world.get("environmenttaps", "dev"))["Synced"]
        return told["reason"], f"{WRITER}: writes the global database" in told["message"]

    world.comes_to(synced, ("WritesDatabase", True), "why it stays is told")
    assert "deletionTimestamp" not in world.get("regionaltaps", f"dev-{WRITER}")["metadata"]
    world.apply(claim())
    ready(world, provider, "dev", 60)


@pytest.mark.timeout(540, func_only=True)
def test_what_holds_a_deletion_is_named_one_after_the_other_and_then_all_goes(
    throttled: tuple[World, ProviderDouble], promtool: Path, tmp_path: Path
) -> None:
    world, provider = throttled
    made = provider.account.made
    cluster: Key = ("rds.Cluster", f"dev-{SECONDARY}-database-cluster")
    subnet = made["ec2.Subnet", f"dev-{SECONDARY}-network-private-a"]["status"]["atProvider"]["id"]
    bucket = made["s3.BucketVersioning", f"dev-{SECONDARY}-storage-data-bucket-versioning"]
    provider.protect(cluster)
    data = provider.stranger("s3.Object", bucket=bucket["spec"]["forProvider"]["bucket"])
    interface = provider.stranger("ec2.NetworkInterface", subnetId=subnet)
    [(_, global_cluster)] = [key for key in made if key[0] == "rds.GlobalCluster"]
    identifier = made[cluster]["spec"]["forProvider"]["globalClusterIdentifier"]
    provider.stranger("rds.Cluster", region="ap-southeast-2", globalClusterIdentifier=identifier)
    provider.fail(global_cluster, "InvalidGlobalClusterStateFault: the global cluster is being modified")
    quiet = of_taps(world)
    world.kubectl("delete", "etap", "dev", "--wait=false")

    def torn_down() -> str:
        told = conditions(world.get("environmenttaps", "dev")).get(TORN_DOWN, {})
        return f"{told.get('reason')} {told.get('message')}"

    def is_blocked(*words: str) -> None:
        """Waits until what is in the way is told of, where it is looked for."""
        with suppress(AssertionError):
            world.until(lambda: all(word in torn_down() for word in words), f"{words} is told", 180)
        told = torn_down()
        assert told.startswith("Blocked "), told
        assert [word for word in words if word not in told] == [], told
        provider.check()

    is_blocked(f"{SECONDARY}: database/cluster: ", "Cannot delete protected resource")
    go_on(promtool, tmp_path, quiet, of_taps(world), {"TapTeardownBlocked": [about(world, "0")]})
    left(provider, SECONDARY, "database", "storage", "network")
    provider.leave(cluster)
    is_blocked(f"{SECONDARY}: storage/data-bucket: ", "BucketNotEmpty")
    left(provider, SECONDARY, "storage", "network")
    provider.leave(data)
    is_blocked(f"{SECONDARY}: network/private-a: ", "DependencyViolation")
    left(provider, SECONDARY, "network")
    # Nothing of the primary has begun to go, nor of what writes.
    for region in (PRIMARY, WRITER):
        left(provider, region, "monitoring", "processor", "database", "storage", "network")
    provider.leave(interface)
    # Both go together then; what writes leaves its global database last, and somebody else's cluster is in it.
    is_blocked(f"{WRITER}: database/cluster: ", "InvalidDBClusterStateFault", f"{PRIMARY}: database/global-cluster: ")
    left(provider, WRITER, "database", "storage", "network")
    provider.heal()
    world.until(lambda: not world.names("environmenttaps") and not world.managed(), "nothing is left", 240)
    provider.check()
    assert made == {}
    clusters = [name for kind, name in provider.journal.of("deleted") if kind == "rds.Cluster"]
    assert clusters == [f"dev-{region}-database-cluster" for region in (SECONDARY, PRIMARY, WRITER)]


def left(provider: ProviderDouble, region: str, *parts: str) -> None:
    """Asserts which parts of a region have resources in AWS."""
    prefix = f"dev-{region}-"
    found = {
        name.removeprefix(prefix).partition("-")[0] for _, name in provider.account.made if name.startswith(prefix)
    }
    assert found - {"key", "alias", "sessions"} == set(parts)
