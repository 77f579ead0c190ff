"""A node of our own with the platform on it as pods, for what nothing but a kubelet can show.

`--node` asks for it, as `make soak` does, or CLUSTER=node; it needs root, on Debian. The one that is up is taken, and
what was started is ended.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster.world import World, namespace_of_its_own
from tap_cluster import api, machine, node, recipes, tools
from tap_cluster.api import Cluster, Kind
from tap_cluster.context import Context
from tap_cluster.errors import ClusterError
from tap_cluster.nodes import Supply
from tap_cluster.places import Places
from tap_cluster.run import child_env, run

HERE = Path(__file__).parent


def why_not(*, asked: bool) -> str:
    """Returns why there is no node here; empty where there is one to be had and it is asked for."""
    try:
        machine.check()
    except ClusterError as error:
        return f"there is no node to be had here: {error}"
    if asked or api.resolve(None) is Kind.NODE:
        return ""
    return "a node is brought up by `make soak`, and where CLUSTER=node says so: it takes a quarter of an hour"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reason = why_not(asked=config.getoption("--node"))
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(900, func_only=True))
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@dataclass(frozen=True)
class Node:
    """The node, and the hands that install on it what is not what `up` installs."""

    cluster: Cluster
    context: Context
    supply: Supply

    def helm(self, *words: str, **values: Any) -> str:
        """Returns what helm says."""
        given = ("--values", "-") if values else ()
        argv = [self.context.tools["helm"], *words, *given]
        env = child_env(self.context.places, KUBECONFIG=self.cluster.kubeconfig)
        return run(argv, env=env, text=json.dumps(values) if values else None, timeout=600)

    def read(self, *what: str) -> Any:
        """Returns objects as data."""
        return json.loads(self.cluster.kubectl("get", *what, "-o", "json"))

    def pods(self, namespace: str, selector: str = "") -> list[Any]:
        """Returns the pods of a namespace that have not ended and are not on their way out."""
        chosen = (f"--selector={selector}",) if selector else ()
        found = self.read("pods", "-n", namespace, *chosen)["items"]
        ended = {"Succeeded", "Failed"}  # Such as one of a Job, and one from before a restart of the node.
        return [
            pod for pod in found if "deletionTimestamp" not in pod["metadata"] and pod["status"]["phase"] not in ended
        ]


def the_node(cluster: Cluster) -> Node:
    """Returns the node that is up."""
    own = node.of(Places.find())
    context = node.load(own, tools.ensure(recipes.NODE, own, cluster.progress), cluster.progress)
    return Node(cluster, context, node.supply(context))


@pytest.fixture(scope="session")
def up() -> Iterator[Node]:
    """The node, up."""
    was_up = api.running(Kind.NODE)
    have = api.ensure(Kind.NODE)
    yield the_node(have)
    if not was_up:
        have.down()


@pytest.fixture
def world(up: Node) -> Iterator[World]:
    """A namespace of the test's own on it."""
    with namespace_of_its_own(up.cluster) as name:
        yield World(up.cluster, name)


def processes(text: str) -> list[str]:
    """Returns the command lines of this machine that hold `text`."""
    lines = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if text in line:
                lines.append(line)
    return lines
