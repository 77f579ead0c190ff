"""CLUSTER=node: a Kubernetes node on this machine, with no engine, and everything on it as pods.

The control plane of `embedded`, with all controllers and a scheduler; containerd, the kubelet and kube-proxy; CoreDNS,
Crossplane and ours in pods, from a registry of images that were made here. For root on Debian.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from tap_cluster import dns, embedded, machine, nodeimages, nodes, package, plane, recipes, release, tools, worker
from tap_cluster.context import Context
from tap_cluster.nodes import Supply
from tap_cluster.places import Places
from tap_cluster.progress import Progress
from tap_cluster.state import State
from tap_cluster.supervisor import Supervisor, wait_until

NAME = "node"


def up(places: Places, progress: Progress) -> Path:
    """Have the node, with everything on it; return its kubeconfig.

    Raises:
        ClusterError: it cannot be had; the message says what is missing, or which step failed.
    """
    machine.check()
    own = of(places)
    built = tools.ensure(recipes.NODE, places, progress)
    with embedded.locked(own, progress):
        context = load(own, built, progress)
        have_node(context)
        nodes.install(context, supply(context))
    return own.kubeconfig


def down(places: Places, progress: Progress) -> list[str]:
    """End the node and all that runs on it; the data stays."""
    own = of(places)
    if not embedded.state_file(own).exists():
        return []
    with embedded.locked(own, progress):
        ended = Supervisor(State.load(embedded.state_file(own)), own.logs, progress).stop_all()
        machine.remove_cgroups(machine.number(own))
    return ended


def running(places: Places) -> bool:
    """Say whether every process of the node runs, and there are some."""
    return embedded.running(of(places))


def of(places: Places) -> Places:
    """Return the places of the node's own control plane."""
    return replace(places, name=NAME)


def load(own: Places, built: Mapping[str, Path], progress: Progress) -> Context:
    """Return the context as the last `up` left it."""
    _, address = machine.ends(machine.number(own))
    return Context(own, built, State.load(embedded.state_file(own)), progress, own.kubeconfig, address)


def have_node(context: Context) -> None:
    """Have the machine, the registry beside it, the control plane and the node."""
    made = machine.ensure(context)
    here, _ = machine.ends(made.number)
    context.state.settle_ports({"registry": ("registry", here)})
    context.state.ports.update(worker.PORTS)
    context.state.save()
    host = registry(context)
    context.supervisor.ensure(package.registry(context, here))
    for program in plane.programs(context.places, context.tools, context.ports, worker.site(made)):
        context.supervisor.ensure(program)
    context.forget_other_clusters()
    nodeimages.push(context, host)
    context.supervisor.ensure(*worker.programs(context, made, f"{host}/{nodeimages.SANDBOX}:dev", host))
    what, log = "the node is not Ready after 120 s", context.places.logs / "kubelet.log"
    with context.progress.step("the node becoming Ready", log=log):
        wait_until(lambda: worker.ready(context), 120, what, "Read the kubelet's log", log=log)
    dns.install(context, f"{host}/{nodeimages.COREDNS}:{nodeimages.version(context.places, nodeimages.COREDNS)}")


def registry(context: Context) -> str:
    """Return host and port of the registry, as this machine and the node reach it."""
    here, _ = machine.ends(machine.number(context.places))
    return f"{here}:{context.ports['registry']}"


def supply(context: Context) -> Supply:
    """Return where the node gets what it runs: all of it from its registry."""
    host = registry(context)
    return Supply(
        operator={"repository": f"{host}/{nodeimages.OPERATOR}", "tag": nodeimages.tag(context.places)},
        push=f"{host}/{release.FOLDER}",
        pull=f"{host}/{release.FOLDER}",
        crossplane={"repository": f"{host}/{nodeimages.CROSSPLANE}"},
        image=partial(nodeimages.function, context),
    )
