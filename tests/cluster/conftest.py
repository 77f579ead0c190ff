"""A control plane for the tests in this folder: the one that is up, else one of their own."""

from __future__ import annotations

import json
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.world import World
from tap_cluster import api
from tap_cluster.api import Cluster
from tap_cluster.places import Places

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            # Building the tools, which a fixture may do, is no part of a test's time.
            item.add_marker(pytest.mark.timeout(300, func_only=True))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The whole platform. It is reused if it is up; what this session started, it stops."""
    was_up = api.running()
    have = api.ensure()
    yield have
    if not was_up:
        have.down()


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


@contextmanager
def namespace_of_its_own(cluster: Cluster) -> Iterator[str]:
    name = f"test-{secrets.token_hex(4)}"
    cluster.kubectl("create", "namespace", name)
    try:
        yield name
    finally:
        # As a person would: environments, and regions that stand alone. Regions of an environment go with it, one too
        # that the operator was about to make when it went.
        cluster.kubectl("delete", "etap", "--all", "-n", name, "--timeout=120s", timeout=150)
        deadline = time.monotonic() + 120
        while regions := json.loads(cluster.kubectl("get", "rtap", "-n", name, "-o", "json"))["items"]:
            assert time.monotonic() < deadline, f"RegionalTaps of {name} do not go"
            for region in regions:
                if "ownerReferences" not in region["metadata"]:
                    cluster.kubectl("delete", "rtap", region["metadata"]["name"], "-n", name, "--timeout=120s")
            time.sleep(0.3)
        # What is left needs nothing of ours to go; the next test need not wait for it.
        cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def spare() -> Iterator[Cluster]:
    """A second control plane, without the platform, in a state folder of its own: for tests that break it."""
    places = Places.find()
    # Not in pytest's own folder: of those the last three are kept, and this one is large.
    with tempfile.TemporaryDirectory(prefix="tap-spare-") as root:
        apart = Places(places.repository, Path(root), places.cache)
        yield api.ensure(api.Kind.EMBEDDED, places=apart, control_plane_only=True)
        api.down(api.Kind.EMBEDDED, places=apart)


@pytest.fixture(scope="module")
def shared_world(cluster: Cluster, shared_namespace: str) -> World:
    """The same for the tests of one file that only look."""
    return World(cluster, shared_namespace)


@pytest.fixture
def world(cluster: Cluster, namespace: str) -> World:
    """A namespace of the test's own, and what a test does in it."""
    return World(cluster, namespace)
