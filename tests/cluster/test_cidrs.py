"""Address ranges on the real control plane: whoever asks for them at once, and whatever dies, they never overlap.

`make test` runs a short storm, `make soak` a long one that kills the apiserver and etcd too (`--seeds`). Crossplane is
down in a storm: what is asked here is who gets which range, and forty regions to compose would only take time.
"""

import asyncio
import json
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, watch
from kubernetes.aio import client as aio_client
from kubernetes.aio import config as aio_config
from urllib3.exceptions import HTTPError

from cluster import ranges
from cluster.world import World
from doubles.careless import UNRULED, reserve_carelessly, unruled
from tap_api import manifest
from tap_api.base import GROUP, VERSION
from tap_api.blocks import CidrClaim
from tap_api.claims import Conflict, Wish
from tap_api.kinds import CIDR_BLOCK
from tap_api.naming import LABEL_PEERING_GROUP
from tap_api.schema import crd
from tap_cluster.services import ADMISSION
from tap_operator.apiserver import ApiCluster
from tap_operator.cluster import Cluster, Resource
from tap_operator.reservations import CIDR_BLOCKS, reserve

CLAIMS = Path(__file__).parents[2] / "claims"
CLIENTS = 8
Reserve = Callable[[Cluster, Wish], Awaitable[CidrClaim | Conflict]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        seeds = metafunc.config.getoption("seeds")
        # A soak kills the apiserver: what that leaves of its clients' connections goes unclosed.
        unclosed = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
        metafunc.parametrize(
            "seed", [pytest.param(seed, marks=[unclosed] if seeds > 1 else []) for seed in range(seeds)]
        )


# Writers side by side: the operator's own, and one that was given neither compare-and-swap nor rule


async def _storm(kubeconfig: Path, what: Resource, group: str, seed: int, reserving: Reserve) -> None:
    """Lets eight clients claim ranges at once, each with a connection of its own; then looks what came of it."""
    chance = random.Random(seed)  # noqa: S311
    wishes = [ranges.wish(group, f"w{i}", ranges.nested(chance)) for i in range(CLIENTS * 12)]
    apis = []
    for _ in range(CLIENTS):
        settings = aio_client.Configuration()
        await aio_config.load_kube_config(str(kubeconfig), client_configuration=settings)  # type: ignore[no-untyped-call]
        apis.append(aio_client.ApiClient(settings))

    async def claims_of_one(k: int) -> list[tuple[Wish, CidrClaim | Conflict]]:
        cluster = ApiCluster(apis[k])
        return [(asked, await reserving(cluster, asked)) for asked in wishes[k::CLIENTS]]

    try:
        told = [pair for found in await asyncio.gather(*map(claims_of_one, range(CLIENTS))) for pair in found]
        blocks = [block async for block in ApiCluster(apis[0]).select(what, labels=f"{LABEL_PEERING_GROUP}={group}")]
    finally:
        for api in apis:
            await api.close()  # type: ignore[no-untyped-call]
    won = {w.claim.regional_tap.name: w.claim.cidr for w, answer in told if not isinstance(answer, Conflict)}
    lost = {w.claim.regional_tap.name: w.claim.cidr for w, answer in told if isinstance(answer, Conflict)}
    assert lost
    ranges.check_storm(ranges.held(blocks), won, lost)


def operators_account(world: World) -> Path:
    return world.cluster.places.embedded / "kubeconfigs" / "tap-operator"


async def _carelessly(cluster: Cluster, asked: Wish) -> CidrClaim | Conflict:
    return await reserve_carelessly(cluster, CIDR_BLOCKS, asked)


async def _without_rules(cluster: Cluster, asked: Wish) -> CidrClaim | Conflict:
    return await reserve_carelessly(cluster, UNRULED, asked)


@pytest.mark.parametrize("reserving", [reserve, _carelessly], ids=["compare-and-swap", "the rule of the CRD alone"])
def test_eight_writers_at_once_never_give_out_ranges_that_overlap(world: World, seed: int, reserving: Reserve) -> None:
    with only_these_write(world):
        asyncio.run(_storm(operators_account(world), CIDR_BLOCKS, world.namespace, seed, reserving))


def test_a_writer_without_compare_and_swap_and_without_the_rule_fails_the_same_test(world: World) -> None:
    world.kubectl("apply", "-f", "-", stdin=manifest.dump([unruled(crd(CIDR_BLOCK))]))
    try:
        world.kubectl("wait", "--for=condition=Established", f"crd/{UNRULED.plural}.unruled.tap.test", "--timeout=20s")
        with pytest.raises(AssertionError, match="overlap"):
            for seed in range(20):
                asyncio.run(
                    _storm(world.cluster.kubeconfig, UNRULED, f"{world.namespace}-{seed}", seed, _without_rules)
                )
    finally:
        world.kubectl("delete", "crd", f"{UNRULED.plural}.unruled.tap.test")


@contextmanager
def only_these_write(world: World) -> Iterator[None]:
    """Without the operator, which would see that the regions of these claims are not there."""
    operator = world.process("operator")
    operator.stop()
    try:
        yield
    finally:
        world.kubectl("delete", "cidrblocks", f"-l{LABEL_PEERING_GROUP}={world.namespace}", *World.break_glass)
        operator.start()


# The whole way, from claims that people write


class Storm:
    """Claims of one peering group that are written at once, and the blocks that decide between them."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)  # noqa: S311
        self._api: Any = client.CustomObjectsApi(config.new_client_from_config(str(world.cluster.kubeconfig)))  # type: ignore[no-untyped-call]
        self.refusals: dict[str, str] = {}
        self.samples = 0
        self._over = threading.Event()
        self._wrong: list[str] = []

    def claim(self, i: int) -> dict[str, Any]:
        """Returns an environment with a range of its own in one region, and one that others want in another."""
        # 172.17.0.0/16 is reserved (the chart).
        own = f"172.{18 + i // 64}.{4 * (i % 64)}.0/22"
        wanted = ranges.nested(self.chance)
        if i % 8 == 7:
            spec = {"environment": "dev", "region": "eu-west-1", "cidr": wanted, "protection": False}
            return self._document("RegionalTap", f"r{i}", spec)
        regions = [{"name": "us-east-1", "cidr": own}, {"name": "eu-west-1", "cidr": wanted}]
        return self._document(
            "EnvironmentTap", f"e{i}", {"environment": "dev", "primaryRegion": "us-east-1", "regions": regions}
        )

    def _document(self, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
        shared = {"tags": {"CostCenter": "platform-4200"}, "peeringGroup": self.world.namespace}
        meta = {"name": name, "namespace": self.world.namespace}
        return {"apiVersion": f"{GROUP}/{VERSION}", "kind": kind, "metadata": meta, "spec": {**spec, **shared}}

    def create(self, documents: list[dict[str, Any]]) -> None:
        """Creates them from eight clients; one that is down is asked again, and a refusal is kept."""
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(self._create, documents))

    def _create(self, document: dict[str, Any]) -> None:
        api = client.CustomObjectsApi(config.new_client_from_config(str(self.world.cluster.kubeconfig)))  # type: ignore[no-untyped-call]
        plural = f"{document['kind'].lower()}s"
        for _ in range(240):
            try:
                api.create_namespaced_custom_object(GROUP, VERSION, self.world.namespace, plural, document)
            except client.ApiException as error:
                if error.status == 409:
                    return
                if error.status == 422 or "CidrTaken" in str(error.body):
                    self.refusals[document["metadata"]["name"]] = str(error.body)
                    return
            except Exception:  # noqa: BLE001, S110  (an apiserver that is down is asked again, however it says so)
                pass
            else:
                return
            time.sleep(0.25)
        message = f"{document['metadata']['name']} cannot be created"
        raise AssertionError(message)

    def blocks(self) -> list[dict[str, Any]]:
        found = self._api.list_cluster_custom_object(
            GROUP, VERSION, CIDR_BLOCK.plural, label_selector=f"{LABEL_PEERING_GROUP}={self.world.namespace}"
        )
        return list(found["items"])

    @contextmanager
    def sampled(self) -> Iterator[None]:
        """Looks again and again, as long as it lasts, whether anything overlaps."""
        thread = threading.Thread(target=self._sample, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join(30)
        assert not self._wrong, self._wrong[0]
        assert self.samples > 10

    def _sample(self) -> None:
        while not self._over.wait(0.5):
            try:
                claims = [there.cidr for there in ranges.held(self.blocks())]
                made = [
                    tap["spec"]["cidr"]
                    for tap in self.world.objects("regionaltaps")
                    if tap["metadata"].get("ownerReferences")
                ]
                ranges.check_disjoint(claims, "claims")
                ranges.check_disjoint(made, "regions that were made")
                self.samples += 1
            except AssertionError as error:
                self._wrong.append(str(error))
            except Exception:  # noqa: BLE001, S110  (the apiserver may be down)
                pass

    def after_write(self, k: int, then: Callable[[], None]) -> threading.Thread:
        """Does something right after the k-th write of a block from now on."""

        def wait() -> None:
            for seen, _ in enumerate(self._written(), start=1):
                if seen == k:
                    break
            then()

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        return thread

    def _written(self) -> Iterator[Any]:
        """Yields every write of a block; an apiserver that went away is watched again."""
        selector = f"{LABEL_PEERING_GROUP}={self.world.namespace}"
        where = (GROUP, VERSION, CIDR_BLOCK.plural)
        while not self._over.is_set():
            stream: Any = watch.Watch()  # type: ignore[no-untyped-call]
            try:
                yield from stream.stream(self._api.list_cluster_custom_object, *where, label_selector=selector)
            except (HTTPError, client.ApiException):
                time.sleep(0.3)

    def settled(self) -> bool:
        """Returns whether every environment was told about its ranges."""
        return all(reserved(tap) for tap in self.world.objects("environmenttaps"))

    def check(self) -> tuple[int, int]:
        """Holds what is stored against what everybody was told; returns how many won and lost."""
        claims = ranges.held(self.blocks())
        ranges.check_disjoint([there.cidr for there in claims], "claims")
        mine = {(there.regional_tap.name, there.cidr) for there in claims}
        made = set(self.world.names("regionaltaps"))
        won = lost = 0
        for tap in self.world.objects("environmenttaps"):
            name, wanted = tap["metadata"]["name"], tap["spec"]["regions"]
            has = {region["name"]: (f"{name}-{region['name']}", region["cidr"]) in mine for region in wanted}
            condition = reserved(tap)
            assert condition is not None
            assert condition["status"] == ("True" if all(has.values()) else "False"), (condition, has)
            for region in wanted:
                if not has[region["name"]]:
                    assert condition["reason"] == "Overlap"
                    ranges.check_told(claims, region["cidr"], condition["message"])
                    assert f"{name}-{region['name']}" not in made
            won, lost = won + all(has.values()), lost + (not all(has.values()))
        for tap in self.world.objects("regionaltaps"):
            if (tap["metadata"]["name"], tap["spec"]["cidr"]) not in mine:
                assert any(ranges.overlap(tap["spec"]["cidr"], there.cidr) for there in claims)
        return won, lost


def reserved(tap: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the condition CidrReserved, if it speaks of the spec as it is now."""
    generation = tap["metadata"]["generation"]
    conditions = tap.get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == "CidrReserved" and c["observedGeneration"] == generation), None)


#: Processes are started by one thread at a time: what runs is recorded in one file.
_STARTING = threading.Lock()


@contextmanager
def down(world: World, *names: str) -> Iterator[None]:
    for name in names:
        world.process(name).kill()
    try:
        yield
    finally:
        with _STARTING:
            for name in names:
                world.process(name).start()


@contextmanager
def unjudged(world: World) -> Iterator[None]:
    """Admission is dead, and the apiserver lets pass what it would have judged."""
    patch = '[{{"op":"replace","path":"/webhooks/0/failurePolicy","value":"{}"}}]'
    webhook = ("patch", "validatingwebhookconfiguration", "tap-admission", "--type=json", "-p")
    with down(world, *ADMISSION):
        world.kubectl(*webhook, patch.format("Ignore"))
        try:
            yield
        finally:
            world.kubectl(*webhook, patch.format("Fail"))


def kill_operator(world: World) -> None:
    restart(world, "operator")


def restart(world: World, name: str) -> None:
    with _STARTING:
        world.process(name).kill()
        world.process(name).start()


def test_in_a_storm_of_claims_ranges_never_overlap_and_every_loser_knows_the_holder(
    world: World, seed: int, request: pytest.FixtureRequest
) -> None:
    long = request.config.getoption("seeds") > 1
    count = 200 if long else 40
    storm = Storm(world, seed)
    documents = [storm.claim(i) for i in range(count)]
    with down(world, "crossplane"):
        try:
            with storm.sampled():
                kills = [storm.after_write(storm.chance.randrange(1, count // 4), lambda: kill_operator(world))]
                with unjudged(world):
                    storm.create(documents[: count // 2])
                if long:
                    kills.append(storm.after_write(storm.chance.randrange(1, 9), lambda: kill_operator(world)))
                    kill_the_plane(world, storm.chance)
                storm.create(documents[count // 2 :])
                for thread in kills:
                    thread.join(120)
                world.until(storm.settled, "everybody was told", 180)
                won, lost = storm.check()
                assert won and lost
                released = release_one(world, storm)
                world.until(lambda: taken_again(storm, released), "what was released is taken again", 60)
                world.until(lambda: holds(storm.check), "everybody was told of that", 90)
        finally:
            world.delete("etap,rtap", "--all", *World.break_glass)
    print(  # noqa: T201  (make soak shows its figures)
        f"\nseed {seed}: {count} creations, {won} won, {lost} lost, {len(storm.refusals)} refused by admission, "
        f"{storm.samples} samples, {len(kills)} kills of the operator"
    )
    for name, refusal in storm.refusals.items():
        assert "overlaps" in refusal, (name, refusal)


def kill_the_plane(world: World, chance: random.Random) -> None:
    for name in ("kube-apiserver", "etcd"):
        time.sleep(chance.uniform(0, 2))
        restart(world, name)
    # They end when the apiserver is away for longer than they bear with; a supervisor starts them again.
    with _STARTING:
        for name in ("kube-controller-manager", "operator", "admission"):
            world.process(name).start()


def release_one(world: World, storm: Storm) -> str:
    """Takes a range from one who holds it while others want it: its region leaves the spec."""
    claims = ranges.held(storm.blocks())
    losers = [
        region["cidr"]
        for tap in world.objects("environmenttaps")
        if (condition := reserved(tap)) and condition["status"] == "False"
        for region in tap["spec"]["regions"][1:]
    ]
    alone = [
        there
        for there in claims
        if there.owner.kind == "EnvironmentTap"
        and any([c for c in claims if ranges.overlap(cidr, c.cidr)] == [there] for cidr in losers)
    ]
    chosen = storm.chance.choice(alone)
    world.kubectl("patch", "etap", chosen.owner.name, "--type=json", "-p", '[{"op":"remove","path":"/spec/regions/1"}]')
    return f"{chosen.regional_tap.name} {chosen.cidr}"


def taken_again(storm: Storm, released: str) -> bool:
    name, _, cidr = released.partition(" ")
    over = [there for there in ranges.held(storm.blocks()) if ranges.overlap(there.cidr, cidr)]
    return bool(over) and all(there.regional_tap.name != name for there in over)


def holds(check: Callable[[], object]) -> bool:
    try:
        check()
    except AssertionError:
        return False
    return True


# With Crossplane


def claims_in(world: World, block: str) -> list[CidrClaim]:
    return ranges.held([json.loads(world.kubectl("get", "cidrblock", block, "-o", "json"))])


def test_a_region_that_stands_alone_and_lost_says_so_has_no_vpc_and_gets_it_once_the_holder_is_gone(
    world: World,
) -> None:
    def alone(name: str, cidr: str) -> dict[str, Any]:
        tags = {"CostCenter": "platform-4200"}
        spec = {"environment": "dev", "region": "eu-west-1", "cidr": cidr, "tags": tags, "protection": False}
        return {"apiVersion": f"{GROUP}/{VERSION}", "kind": "RegionalTap", "metadata": {"name": name}, "spec": spec}

    def told(name: str) -> tuple[str, str]:
        conditions = world.get("regionaltaps", name).get("status", {}).get("conditions", [])
        found: dict[str, str] = next((c for c in conditions if c["type"] == "CidrReserved"), {})
        return found.get("status", ""), found.get("message", "")

    def vpcs() -> list[str]:
        return world.names("vpcs.ec2.aws.m.upbound.io")

    world.apply(alone("first", "10.0.0.0/16"))
    world.until(lambda: vpcs() == ["first-network-vpc"], "the first has its VPC")
    # A claim that is lost takes nothing away, and is made again.
    uid = world.get("vpcs.ec2.aws.m.upbound.io", "first-network-vpc")["metadata"]["uid"]
    lose = ("patch", "cidrblock", f"{world.namespace}-10-0", "--type=merge", "-p", '{"spec":{"claims":[]}}')
    world.kubectl(*lose, *World.break_glass)
    world.kubectl("annotate", "rtap", "first", "looked=again")
    world.until(lambda: len(claims_in(world, f"{world.namespace}-10-0")) == 1, "the first has claimed again")
    world.until(lambda: told("first")[0] == "True", "the first says so")
    assert world.get("vpcs.ec2.aws.m.upbound.io", "first-network-vpc")["metadata"]["uid"] == uid
    holder = f"RegionalTap {world.namespace}/first"
    refusal = world.refused(alone("second", "10.0.16.0/20"))
    assert f"spec.cidr: 10.0.16.0/20 overlaps 10.0.0.0/16 of {holder}" in refusal
    assert "(CidrTaken)" in refusal
    with unjudged(world):
        world.apply(alone("second", "10.0.16.0/20"))
        world.until(lambda: told("second")[0] == "False", "the second is told that it lost")
    assert f"10.0.16.0/20 overlaps 10.0.0.0/16 of {holder}" in told("second")[1]
    assert told("first")[0] == "True"
    assert vpcs() == ["first-network-vpc"]
    network = world.get("regionalnetworks", "second-network")
    assert {entry["key"] for entry in network["status"]["waiting"]} >= {"vpc", "private-a"}
    world.delete("rtap", "first")
    world.until(lambda: "second-network-vpc" in vpcs(), "the second has its VPC", 150)
    world.until(lambda: told("second")[0] == "True", "the second says so")


def test_a_region_whose_vpc_stays_in_aws_keeps_its_range_until_an_administrator_says_otherwise(world: World) -> None:
    [claim] = manifest.read(CLAIMS / "dev.yaml")
    claim["spec"] = {**claim["spec"], "protection": True, "regions": claim["spec"]["regions"][:2]}
    world.apply(claim)
    world.settle("dev")
    gone = claim["spec"]["regions"][1]
    world.kubectl("patch", "etap", "dev", "--type=json", "-p", '[{"op":"remove","path":"/spec/regions/1"}]')
    block = f"{world.namespace}-10-{gone['cidr'].split('.')[1]}"

    def retained() -> list[bool]:
        return [there.retained for there in claims_in(world, block)]

    world.until(lambda: retained() == [True], "its claim is marked", 120)
    again = {**claim, "spec": {**claim["spec"], "regions": [claim["spec"]["regions"][0], gone]}}
    world.apply(again)
    world.until(lambda: world.condition("dev", "CidrReserved") == "False", "a second VPC is not made beside the first")
    world.kubectl(
        "patch",
        "cidrblock",
        block,
        "--type=json",
        "-p",
        '[{"op":"remove","path":"/spec/claims/0"}]',
        *World.break_glass,
    )
    world.until(lambda: world.condition("dev", "CidrReserved") == "True", "the range is free")


def test_blocks_are_written_by_the_operator_alone_and_read_well(world: World) -> None:
    spec = {"peeringGroup": world.namespace, "cidr": "10.0.0.0/16", "claims": []}
    block = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "CidrBlock", "metadata": {"name": f"{world.namespace}-10-0"}}
    made = manifest.dump([{**block, "spec": spec}])
    refusal = world.kubectl_fails("apply", "-f", "-", stdin=made)
    assert "is written by the operator alone" in refusal
    for change in ({"cidr": "10.1.0.0/16"}, {"cidr": "10.0.4.0/22"}, {"peeringGroup": "other"}):
        broken = manifest.dump([{**block, "spec": {**spec, **change}}])
        world.kubectl_fails("apply", "-f", "-", *World.break_glass, stdin=broken)
    explained = " ".join(world.kubectl("explain", "cidrblock.spec.claims").split())
    assert "retained" in explained
    assert "An administrator removes this claim" in explained
