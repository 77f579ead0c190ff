import asyncio
from typing import Any

import kopf
import pytest

from tap_api.base import API_VERSION, Json
from tap_api.naming import LABEL_HOLDS_TAPS
from tap_operator import namespaces
from tap_operator.errors import ClusterError
from tap_operator.namespaces import mark
from tap_operator.workqueue import Key, WorkQueue
from unit.operator.double import InMemoryCluster

ETAPS, RTAPS = "environmenttaps", "regionaltaps"


def tap(kind: str, namespace: str = "tap-prod") -> Json:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": "prod", "namespace": namespace}, "spec": {}}


def space(name: str = "tap-prod", **meta: object) -> Json:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"team": "shop"}, **meta}}


@pytest.fixture
def cluster() -> InMemoryCluster:
    made = InMemoryCluster()
    made.put(space(), "namespaces")
    return made


def labels(cluster: InMemoryCluster) -> Json:
    found: Json = cluster.objects["namespaces", "", "tap-prod"]["metadata"]["labels"]
    return found


@pytest.mark.parametrize(("kind", "plural"), [("EnvironmentTap", ETAPS), ("RegionalTap", RTAPS)])
async def test_a_namespace_carries_the_label_from_its_first_tap_to_its_last(
    cluster: InMemoryCluster, kind: str, plural: str
) -> None:
    await mark(cluster, "tap-prod")
    assert labels(cluster) == {"team": "shop"}
    cluster.put(tap(kind), plural)
    await mark(cluster, "tap-prod")
    assert labels(cluster) == {"team": "shop", LABEL_HOLDS_TAPS: "true"}
    cluster.remove(plural, "tap-prod", "prod")
    await mark(cluster, "tap-prod")
    assert labels(cluster) == {"team": "shop"}


async def test_a_pass_that_finds_the_label_right_writes_nothing(cluster: InMemoryCluster) -> None:
    await mark(cluster, "tap-prod")
    cluster.put(tap("EnvironmentTap"), ETAPS)
    await mark(cluster, "tap-prod")
    written = list(cluster.writes)
    await mark(cluster, "tap-prod")
    assert cluster.writes == written == [("apply", "namespaces", "tap-prod")]


async def test_taps_of_another_namespace_do_not_count(cluster: InMemoryCluster) -> None:
    cluster.put(tap("EnvironmentTap", "tap-dev"), ETAPS)
    await mark(cluster, "tap-prod")
    assert labels(cluster) == {"team": "shop"}


async def test_a_namespace_that_goes_is_left_alone(cluster: InMemoryCluster) -> None:
    cluster.put(space(deletionTimestamp="2026-11-24T09:00:00Z"), "namespaces")
    cluster.put(tap("EnvironmentTap"), ETAPS)
    await mark(cluster, "tap-prod")
    await mark(cluster, "gone")
    assert cluster.writes == []


class Asked(WorkQueue):
    """A queue that tells what it was asked for."""

    def __init__(self) -> None:
        async def nothing(_: Key) -> None:
            return

        super().__init__(nothing)
        self.keys: list[Key] = []

    def add(self, key: Key, delay: float | None = None) -> None:  # noqa: ARG002
        self.keys.append(key)


@pytest.mark.parametrize(("type_", "asks"), [(None, True), ("ADDED", True), ("DELETED", True), ("MODIFIED", False)])
async def test_a_tap_that_comes_or_goes_asks_for_a_pass_over_its_namespace(type_: str | None, *, asks: bool) -> None:
    handlers, queue = kopf.OperatorRegistry(), Asked()
    namespaces.listen(handlers, queue)
    found = list(handlers._watching._handlers)
    assert [str(handler.selector.any_name) for handler in found if handler.selector] == [RTAPS, ETAPS]
    event: Any = {"type": type_, "object": tap("EnvironmentTap")}
    for handler in found:
        await handler.fn(event=event)  # type: ignore[call-arg, misc]
    assert queue.keys == [Key("", "tap-prod")] * 2 * asks


async def rounds(cluster: InMemoryCluster, queue: Asked, seconds: float) -> None:
    task = asyncio.create_task(namespaces.resync(cluster, queue, interval=0.05))
    await asyncio.sleep(seconds)
    task.cancel()


async def test_a_round_finds_what_nobody_told_of_at_once(cluster: InMemoryCluster) -> None:
    cluster.put(tap("EnvironmentTap", "tap-dev"), ETAPS)
    cluster.put(space("stale", labels={LABEL_HOLDS_TAPS: "true"}), "namespaces")
    queue = Asked()
    await rounds(cluster, queue, 0.01)
    assert queue.keys == [Key("", "stale"), Key("", "tap-dev")]


async def test_a_round_that_cannot_be_read_is_left_out_and_the_next_one_comes(
    cluster: InMemoryCluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cluster.put(space("stale", labels={LABEL_HOLDS_TAPS: "true"}), "namespaces")
    select, failures = cluster.select, [ClusterError(0, "Unreachable", "the apiserver does not answer")]

    def failing(*args: object, **kwargs: object) -> object:
        if failures:
            raise failures.pop()
        return select(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(cluster, "select", failing)
    queue = Asked()
    await rounds(cluster, queue, 0.08)
    assert queue.keys == [Key("", "stale")]
    assert "this round over all namespaces is left out: the apiserver does not answer" in caplog.text
