"""Locks on a real apiserver: two people with the ClusterRole `edit`, and one who only looks."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cluster.world import GOING, World, namespace_of_its_own
from tap_api import manifest
from tap_api.errors import TapError
from tap_cli.main import VERBS, cli
from tap_cluster.api import Cluster

CLAIM = Path(__file__).parents[2] / "claims" / "dev.yaml"
LEASE = "tap-lock-dev"


class Person:
    """An account with a role in the namespace, who types `kubectl` and `tap`."""

    def __init__(self, world: World, folder: Path, name: str, role: str) -> None:
        self._world, self.kubeconfig = world, folder / name
        self.user = f"system:serviceaccount:{world.namespace}:{name}"
        world.kubectl("create", "serviceaccount", name)
        world.kubectl("create", "rolebinding", name, f"--clusterrole={role}", f"--user={self.user}")
        document: Any = manifest.value(world.cluster.kubeconfig.read_text(), world.cluster.kubeconfig)
        token = world.kubectl("create", "token", name).strip()
        document["users"] = [{"name": entry["name"], "user": {"token": token}} for entry in document["users"]]
        self.kubeconfig.write_text(json.dumps(document))

    def tap(self, *args: str) -> str:
        """Returns what `tap` says, its error included."""
        words = 2 if " ".join(args[:2]) in VERBS else 1
        where = ("--kubeconfig", str(self.kubeconfig), "--namespace", self._world.namespace)
        done = CliRunner().invoke(cli, [*args[:words], *where, *args[words:]])
        if isinstance(done.exception, TapError):
            return f"error: {done.exception}"
        assert done.exit_code == 0, done.output
        return done.output

    def kubectl(self, *args: str, stdin: Any = None) -> str:
        """Returns what the apiserver refuses with; empty where it does not."""
        tool = str(self._world.cluster.tool("kubectl"))
        done = subprocess.run(
            [tool, f"--kubeconfig={self.kubeconfig}", "-n", self._world.namespace, *args],
            input=json.dumps(stdin) if stdin else None,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stderr.strip() if done.returncode else ""

    def patch(self, what: str, name: str, change: Any) -> str:
        return self.kubectl("patch", what, name, "--type=merge", "-p", json.dumps(change))


class People:
    """Alice and Bob, who may edit, and Vera, who may look."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.alice, self.bob = (Person(world, folder, name, "edit") for name in ("alice", "bob"))
        self.vera = Person(world, folder, "vera", "view")


@pytest.fixture(scope="module")
def people(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    with namespace_of_its_own(cluster) as namespace:
        world = World(cluster, namespace)
        [claim] = manifest.read(CLAIM)
        claim["spec"]["regions"] = claim["spec"]["regions"][:1]
        world.apply(claim)
        world.until(lambda: "dev-us-east-1" in world.names("regionaltaps"), "the region is made")
        made = People(world, tmp_path_factory.mktemp("people"))
        yield made
        # Whatever a test left locked, the night shift opens.
        world.kubectl("delete", "lease", LEASE, "--ignore-not-found", *world.break_glass)


@pytest.fixture
def locked(people: People) -> Iterator[People]:
    """Alice holds the lock."""
    people.alice.tap("lock", "dev", "--why", "moving", "--for", "2h")
    yield people
    people.world.kubectl("delete", "lease", LEASE, "--ignore-not-found", *people.world.break_glass)


def tags(value: str) -> Any:
    return {"spec": {"tags": {"CostCenter": "platform-4200", "Edited": value}}}


def test_the_holder_changes_the_spec_and_it_is_carried_out_and_another_one_is_refused(locked: People) -> None:
    refusal = locked.bob.patch("etap", "dev", tags("bob"))
    assert f"spec: is locked by {locked.alice.user} (moving; until " in refusal
    assert "tap unlock dev -n " in refusal
    assert "(Locked)" in refusal
    assert "(Locked)" in locked.bob.patch("etap", "dev", {"spec": {"protection": True}})
    assert locked.bob.kubectl("label", "etap", "dev", "seen=by-bob", "--overwrite") == ""
    assert locked.alice.patch("etap", "dev", tags("alice")) == ""

    def carried_out() -> bool:
        region = locked.world.get("regionaltaps", "dev-us-east-1")
        return bool(region["spec"]["tags"].get("Edited") == "alice")

    locked.world.until(carried_out, "the operator carries the holder's change out")


def test_an_administrator_is_another_one_too(locked: People) -> None:
    change = ("patch", "etap", "dev", "--type=merge", "-p", json.dumps(tags("admin")))
    assert "(Locked)" in locked.world.kubectl_fails(*change)


def test_what_is_locked_is_deleted_by_its_holder_alone(locked: People) -> None:
    delete = ("delete", "etap", "dev", "--dry-run=server")
    # The apiserver hears of a new Lease a moment later.
    locked.world.until(lambda: "is locked by" in locked.bob.kubectl(*delete), "the deletion is refused")
    assert f"EnvironmentTap dev is locked by {locked.alice.user} (moving). Ask them" in locked.bob.kubectl(*delete)
    assert locked.alice.kubectl(*delete) == ""


def test_a_lock_is_neither_forged_nor_taken_nor_erased(locked: People) -> None:
    alice, bob = locked.alice, locked.bob
    forged = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "tap-lock-other", "labels": {"tap.platform/lock": "other"}},
        "spec": {"holderIdentity": alice.user, "leaseDurationSeconds": 60},
    }
    assert f"cannot lock EnvironmentTap other as {alice.user}" in bob.kubectl("create", "-f", "-", stdin=forged)
    elsewhere = {**forged, "metadata": {**forged["metadata"], "name": "mine"}, "spec": {"holderIdentity": bob.user}}  # type: ignore[dict-item]
    assert "is named tap-lock-<that label>" in bob.kubectl("create", "-f", "-", stdin=elsewhere)
    for change in (
        {"spec": {"holderIdentity": bob.user}},
        {"spec": {"holderIdentity": ""}},
        {"spec": {"leaseDurationSeconds": 1}},
        {"metadata": {"annotations": {"tap.platform/lock-why": "nothing"}}},
        # A break in somebody else's name, and one without a reason.
        broken(bob.user, alice.user, by=alice.user),
        broken(bob.user, alice.user, why=""),
    ):
        assert "Ask them, or break the lock on record: tap unlock dev -n " in bob.patch("lease", LEASE, change), change
    assert "keeps label and owner" in bob.patch("lease", LEASE, {"metadata": {"labels": {"tap.platform/lock": None}}})
    assert "goes with the EnvironmentTap" in bob.kubectl("delete", "lease", LEASE)
    assert "goes with the EnvironmentTap" in alice.kubectl("delete", "lease", LEASE)


def broken(who: str, whose: str, **other: str) -> Any:
    record = {"by": who, "holder": whose, "at": "2026-11-24T15:00:00Z", "why": "x", **other}
    notes = {f"tap.platform/lock-broken-{key}": value for key, value in record.items()}
    return {"metadata": {"annotations": notes}, "spec": {"holderIdentity": ""}}


def test_a_stale_lock_holds_until_it_is_broken_on_record(locked: People) -> None:
    world, alice, bob = locked.world, locked.alice, locked.bob
    assert alice.patch("lease", LEASE, {"spec": {"renewTime": "2026-11-20T10:00:00.000000Z"}}) == ""
    assert f"is locked by {alice.user} (moving; stale since 2026-11-20 12:00 UTC)" in bob.patch(
        "etap", "dev", tags("b")
    )
    assert bob.tap("lock", "dev").startswith(f"error: {world.namespace}/dev is locked by {alice.user} (moving; stale")
    sentence = f"the lock of {alice.user} was broken by {bob.user} at "
    assert sentence in bob.tap("unlock", "dev", "--break", "--why", "alice is on leave")
    [event] = json.loads(world.kubectl("get", "events", "--field-selector=reason=LockBroken", "-o", "json"))["items"]
    assert event["message"].startswith(sentence)
    assert event["message"].endswith(": alice is on leave")
    assert event["involvedObject"]["name"] == "dev"
    assert bob.patch("etap", "dev", tags("bob")) == ""
    record = {"metadata": {"annotations": {"tap.platform/lock-broken-by": None}}}
    assert "are the record of the last break: leave them" in bob.patch("lease", LEASE, record)
    status = locked.vera.tap("lock", "status", "dev")
    assert status.startswith(f"{world.namespace}/dev  not locked\n  last broken: {sentence}")
    # Bob's own now, and the record stays.
    bob.tap("lock", "dev")
    [row] = json.loads(locked.vera.tap("lock", "status", "-o", "json"))["locks"]
    assert (row["holder"], row["broken"]["by"], row["stale"]) == (bob.user, bob.user, False)


def test_who_only_looks_sees_locks_and_takes_none(locked: People) -> None:
    assert f"locked by {locked.alice.user}, until " in locked.vera.tap("lock", "status")
    said = locked.vera.tap("lock", "dev")
    assert said.startswith("error: ")
    assert "is locked by" in said
    locked.alice.tap("unlock", "dev")
    assert 'cannot update resource "leases"' in locked.vera.tap("lock", "dev")


def test_the_lease_goes_with_its_environment(people: People) -> None:
    """Last: the holder deletes what the others look at."""
    people.alice.tap("lock", "dev")
    assert people.alice.kubectl("delete", "etap", "dev", GOING) == ""
    people.world.until(lambda: "NotFound" in people.alice.kubectl("get", "lease", LEASE), "the Lease goes")
