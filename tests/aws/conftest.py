"""A control plane with the real AWS provider, and moto behind it: where that is built already, or asked for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws.account import Account
from cluster.world import World, namespace_of_its_own
from tap_cluster import api, embedded, moto, tools
from tap_cluster.aws import Aws
from tap_cluster.places import Places
from tap_cluster.state import State

HERE = Path(__file__).parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.timeout(300, func_only=True))
    # It takes longest of all.
    items.sort(key=lambda item: item.path != HERE / "test_real_provider.py")


def why_not() -> str:
    """Returns why these tests do not run here; empty where they do."""
    asked = os.environ.get("AWS", "")
    if asked == Aws.MOTO:
        return ""
    if asked:
        return f"AWS={asked}"
    if api.resolve(None) is not api.Kind.EMBEDDED:
        return "the real AWS provider runs with CLUSTER=embedded alone"
    if not tools.cached(Aws.MOTO.recipes, Places.find()):
        return "the real AWS provider is not built here; `make test AWS=moto` builds it, once (an hour, 35 GB of disk)"
    return ""


def is_whole(config: pytest.Config) -> bool:
    """Returns whether every region is brought up that these tests know, as asked for by AWS=moto or `make soak`."""
    return os.environ.get("AWS", "") == Aws.MOTO or config.getoption("seeds") > 1


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    """A state folder of this file's own: a cluster with the provider is none for tests with its double."""
    if reason := why_not():
        pytest.skip(reason)
    with embedded.apart() as found:
        yield found


@pytest.fixture(scope="module")
def cluster(places: Places) -> api.Cluster:
    """The whole platform with AWS=moto."""
    return api.ensure(api.Kind.EMBEDDED, places=places, aws=Aws.MOTO)


@pytest.fixture(scope="module")
def account(cluster: api.Cluster) -> Account:
    """The account of AWS that the provider works in: moto's."""
    ports = State.load(embedded.state_file(cluster.places)).ports
    return Account(f"http://127.0.0.1:{ports[moto.NAME]}")


@pytest.fixture(scope="module")
def world(cluster: api.Cluster) -> Iterator[World]:
    """A namespace of the file's own."""
    with namespace_of_its_own(cluster) as name:
        yield World(cluster, name)
