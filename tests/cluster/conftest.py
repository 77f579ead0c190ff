"""A control plane for the tests in this folder: the one that is up, else one of their own.

Tests that run beside one another (`pytest -n`) have an embedded control plane for each worker: what one kills, no other
misses. A cluster of another kind they share, one file of tests at a time. Files go to workers whole (`--dist loadfile`),
and those that take longest go first.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.world import World, namespace_of_its_own
from tap_cluster import api, embedded, locks
from tap_cluster.api import Cluster

HERE = Path(__file__).parent
#: The files that take longest, first: a worker that begins one of them last keeps all the others waiting.
LONGEST = ("test_whole_stack.py", "test_main_job.py", "test_cidrs.py", "test_faults.py", "test_control_plane.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            # Building the tools, which a fixture may do, is no part of a test's time.
            item.add_marker(pytest.mark.timeout(300, func_only=True))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[bool, int]:
    """Returns when a test runs; the order within a file stays as it is."""
    name = item.path.name
    return HERE not in item.path.parents, LONGEST.index(name) if name in LONGEST else len(LONGEST)


@pytest.fixture(scope="module", autouse=True)
def alone(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nobody else's tests on a cluster that workers share: what one breaks there, all would miss."""
    if worker_id == "master" or api.resolve(None) is api.Kind.EMBEDDED:
        yield
        return
    with locks.held(tmp_path_factory.getbasetemp().parent / "cluster.lock"):
        yield


@pytest.fixture(scope="session")
def cluster(worker_id: str) -> Iterator[Cluster]:
    """The whole platform. It is reused if it is up; what this session started, it stops."""
    if worker_id in ("master", "gw0") or api.resolve(None) is not api.Kind.EMBEDDED:
        was_up = api.running()
        # With no provider: a double stands in for it here.
        have = api.ensure(aws="none")
        yield have
        # Workers share a cluster that is not embedded, and none of them knows who is the last to use it.
        if not was_up and (worker_id == "master" or have.kind is api.Kind.EMBEDDED):
            have.down()
        return
    with embedded.apart() as places:
        yield api.ensure(places=places, aws="none")


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace of the test's own, deleted at its end with all that is in it."""
    with namespace_of_its_own(cluster) as name:
        yield name


@pytest.fixture(scope="module")
def shared_namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace for the tests of one file that only look."""
    with namespace_of_its_own(cluster) as name:
        yield name


@pytest.fixture(scope="module")
def spare() -> Iterator[Cluster]:
    """A second control plane, without the platform, in a state folder of its own: for tests that break it."""
    with embedded.apart() as places:
        yield api.ensure(api.Kind.EMBEDDED, places=places, control_plane_only=True, aws="none")


@pytest.fixture(scope="module")
def shared_world(cluster: Cluster, shared_namespace: str) -> World:
    """The same for the tests of one file that only look."""
    return World(cluster, shared_namespace)


@pytest.fixture
def world(cluster: Cluster, namespace: str) -> World:
    """A namespace of the test's own, and what a test does in it."""
    return World(cluster, namespace)
