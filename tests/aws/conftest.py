"""A control plane with the real AWS provider, and moto behind it: where that is built already, or asked for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws.account import Account
from cluster.world import World, apart, namespace_of_its_own
from tap_api.base import Json
from tap_cluster import api, embedded, moto, tools
from tap_cluster.aws import Aws
from tap_cluster.places import Places
from tap_cluster.state import State

HERE = Path(__file__).parent
ALONE, HOME = "alone", "eu-west-1"
CONFIG = {"kind": "ClusterProviderConfig", "name": moto.CONFIG}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.timeout(300, func_only=True))
    # They take longest of all.
    items.sort(key=lambda item: item.path.name not in {"test_real_provider.py", "test_rendered.py"})


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
def whole(pytestconfig: pytest.Config) -> None:
    """Skips where not every region is brought up that these tests know: AWS=moto and `make soak` ask for that."""
    if os.environ.get("AWS", "") != Aws.MOTO and pytestconfig.getoption("seeds") == 1:
        pytest.skip("a quarter of an hour: `make test AWS=moto` and `make soak` bring up whole regions")


def standing_alone() -> Json:
    """Returns a RegionalTap that stands alone, whose AWS is moto."""
    return {
        "apiVersion": "tap.platform/v1alpha1",
        "kind": "RegionalTap",
        "metadata": {"name": ALONE},
        "spec": {
            "environment": "dev",
            "region": HOME,
            "cidr": "10.9.0.0/16",
            "tags": {"CostCenter": "platform-4200"},
            "protection": False,
            "storage": {"forceDestroy": True},
            "providerConfigRef": CONFIG,
        },
    }


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    """A state folder of this file's own: a cluster with the provider is none for tests with its double."""
    if reason := why_not():
        pytest.skip(reason)
    with apart("tap-aws-") as found:
        yield found


@pytest.fixture(scope="module")
def cluster(places: Places) -> Iterator[api.Cluster]:
    """The whole platform with AWS=moto."""
    yield api.ensure(api.Kind.EMBEDDED, places=places, aws=Aws.MOTO)
    api.down(api.Kind.EMBEDDED, places=places)


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
