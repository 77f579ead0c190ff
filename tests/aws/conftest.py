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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.timeout(600, func_only=True))


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


@pytest.fixture(scope="session")
def cluster() -> Iterator[api.Cluster]:
    """The whole platform with AWS=moto; what this session started, it stops."""
    if reason := why_not():
        pytest.skip(reason)
    was_up, before = api.running(), set(_state().processes)
    have = api.ensure(aws=Aws.MOTO)
    yield have
    if not was_up:
        have.down()
    elif moto.NAME not in before:
        api.ensure(aws=Aws.NONE)


@pytest.fixture(scope="session")
def account(cluster: api.Cluster) -> Account:  # noqa: ARG001 (moto has to run)
    """The account of AWS that the provider works in: moto's."""
    return Account(f"http://127.0.0.1:{_state().ports[moto.NAME]}")


@pytest.fixture(scope="module")
def world(cluster: api.Cluster) -> Iterator[World]:
    """A namespace of the file's own."""
    with namespace_of_its_own(cluster) as name:
        yield World(cluster, name)


def _state() -> State:
    return State.load(embedded.state_file(Places.find()))
