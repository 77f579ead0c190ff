"""What tests and the demo use: have a cluster, talk to it, kill parts of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tap_cluster import current, embedded, kind, kubectl, node, provider, recipes, tools
from tap_cluster.aws import Aws
from tap_cluster.errors import ClusterError
from tap_cluster.part import Part
from tap_cluster.places import Places
from tap_cluster.progress import Progress
from tap_cluster.run import child_env
from tap_cluster.state import State


class Kind(StrEnum):
    """Where the cluster runs."""

    AUTO = "auto"
    EMBEDDED = "embedded"
    KIND = "kind"
    NODE = "node"
    CURRENT = "current"


_CONTROLLERS = "kube-controller-manager"
_BEFORE_CONTROLLERS = {"etcd", "kube-apiserver"}


@dataclass(frozen=True)
class Cluster:
    """A cluster that is up."""

    kind: Kind
    kubeconfig: Path
    places: Places = field(default_factory=Places.find)
    progress: Progress = field(default_factory=Progress)

    def kubectl(self, *args: str | Path, input: str | None = None, timeout: float = 120.0) -> str:  # noqa: A002
        """Return what `kubectl <args>` printed.

        Raises:
            ClusterError: it failed; its `output` is all that kubectl said.
        """
        return kubectl.Kubectl(self.kubeconfig, child_env(self.places))(*args, text=input, timeout=timeout)

    def tool(self, name: str) -> Path:
        """Return the path of a Go tool, built if absent; `crossplane` is the core, `crossplane-cli` the CLI."""
        return tool(name, self.places, self.progress)

    def process(self, name: str) -> Part:
        """Return one process of the embedded cluster, to be killed and started."""
        if self.kind is not Kind.EMBEDDED:
            what = f"a {self.kind} cluster has no processes of ours"
            raise ClusterError(what)
        return Part(name, self.places, self.progress)

    def revive(self) -> list[str]:
        """Start again what has ended by itself, as a node does with a container; return the names of these processes.

        An operator that cannot renew its Lease in time ends, so that no two act: on a busy machine that happens. So
        does a kube-controller-manager that elects a leader; this one elects none, and is ended here after an apiserver
        or its etcd was away. Its garbage collector stops watching kinds that discovery lacks while an apiserver starts,
        hears of nothing that went meanwhile, and never lets go of what was deleted with foreground propagation.
        """
        if self.kind is not Kind.EMBEDDED:
            return []
        parts = [self.process(name) for name in State.load(embedded.state_file(self.places)).processes]
        ended = {part.name for part in parts if not part.alive}
        if ended & _BEFORE_CONTROLLERS and _CONTROLLERS not in ended:
            self.process(_CONTROLLERS).stop()
            ended.add(_CONTROLLERS)
        begun = [part for part in parts if part.name in ended]
        for part in begun:
            part.start()
        return [part.name for part in begun]

    @property
    def provider_crds(self) -> Path:
        """The folder of the AWS provider's CRDs."""
        return provider.crds(self.places)

    def down(self) -> None:
        """Stop what `ensure` started; a current cluster is left as it is."""
        down(self.kind, places=self.places, progress=self.progress)


def ensure(
    chosen: Kind | str | None = None,
    *,
    places: Places | None = None,
    progress: Progress | None = None,
    control_plane_only: bool = False,
    aws: Aws | str | None = None,
) -> Cluster:
    """Have a cluster up: `chosen`, else what CLUSTER says, else `auto`; behind it `aws`, else what AWS says, else none.

    Raises:
        ClusterError: it cannot be had; the message says what to do.
    """
    places, progress = places or Places.find(), progress or Progress()
    found = resolve(chosen)
    behind = Aws.chosen(aws, possible=found is Kind.EMBEDDED and not control_plane_only)
    if found is Kind.EMBEDDED:
        embedded.up(places, progress, control_plane_only=control_plane_only, behind=behind)
        return Cluster(found, places.kubeconfig, places, progress)
    if found in (Kind.KIND, Kind.NODE):
        have = kind.up if found is Kind.KIND else node.up
        return Cluster(found, have(places, progress), places, progress)
    return Cluster(found, current.kubeconfig(os.environ), places, progress)


def down(
    chosen: Kind | str | None = None, *, places: Places | None = None, progress: Progress | None = None
) -> list[str]:
    """Stop a cluster that `ensure` started; return the names of what was stopped."""
    places, progress = places or Places.find(), progress or Progress()
    found = resolve(chosen)
    if found is Kind.EMBEDDED:
        return embedded.down(places, progress)
    end = {Kind.KIND: kind.down, Kind.NODE: node.down}.get(found)
    return end(places, progress) if end else []


def running(chosen: Kind | str | None = None, *, places: Places | None = None) -> bool:
    """Say whether a cluster is up, with every process that was started for it."""
    places, found = places or Places.find(), resolve(chosen)
    if found is Kind.CURRENT:
        return True
    if found is Kind.NODE:
        return node.running(places)
    return kind.exists(places) if found is Kind.KIND else embedded.running(places)


def kubeconfig(chosen: Kind | str | None = None, *, places: Places | None = None) -> Path:
    """Return where the kubeconfig of a cluster is, whether or not it is up."""
    places, found = places or Places.find(), resolve(chosen)
    if found is Kind.CURRENT:
        return current.kubeconfig(os.environ)
    if found is Kind.NODE:
        return node.of(places).kubeconfig
    return places.kubeconfig if found is Kind.EMBEDDED else kind.kubeconfig(places)


def tool(name: str, places: Places | None = None, progress: Progress | None = None) -> Path:
    """Return the path of kubectl, or of a Go tool, built if it is not there; needs no cluster.

    Raises:
        ClusterError: there is no such tool, or it cannot be built.
    """
    if name == "kubectl":
        return kubectl.binary()
    for recipe in recipes.RECIPES.values():
        if name in {binary.name for binary in recipe.binaries}:
            return tools.ensure([recipe.name], places or Places.find(), progress or Progress())[name]
    what = f"no recipe in cluster/tools makes {name}"
    raise ClusterError(what, "Known are: kubectl, " + ", ".join(recipes.names()))


def provider_crds(places: Places | None = None) -> Path:
    """Return the folder of the AWS provider's CRDs, downloaded if it is absent; needs no cluster."""
    return provider.crds(places or Places.find())


def resolve(chosen: Kind | str | None, environ: Mapping[str, str] = os.environ) -> Kind:
    """Return where the cluster runs; `auto` is kind where a Docker engine answers, else embedded.

    Raises:
        ClusterError: no such kind.
    """
    said = str(chosen or environ.get("CLUSTER") or Kind.AUTO)
    if said not in set(Kind):
        what = f"CLUSTER={said} is none of {', '.join(Kind)}"
        raise ClusterError(what)
    if said != Kind.AUTO:
        return Kind(said)
    return Kind.KIND if kind.docker_answers() else Kind.EMBEDDED
