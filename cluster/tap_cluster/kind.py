"""A kind cluster. Creating it, loading images and deleting it are here; what is put on it is in `nodes`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tap_cluster import nodes, recipes, tools
from tap_cluster.context import Context
from tap_cluster.errors import ClusterError
from tap_cluster.places import Places
from tap_cluster.progress import Progress
from tap_cluster.run import run
from tap_cluster.state import State

NAME = "tap"
NO_DOCKER = "Start Docker, or use CLUSTER=embedded, which needs none"


def up(places: Places, progress: Progress) -> Path:
    """Have the cluster, with everything on it; return its kubeconfig.

    Raises:
        ClusterError: no Docker engine answers, or a step failed.
    """
    if not docker_answers():
        what = "CLUSTER=kind, but no Docker engine answers"
        raise ClusterError(what, NO_DOCKER)
    built = tools.ensure(recipes.KIND, places, progress)
    config = kubeconfig(places)
    config.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _listed(built["kind"]):
        with progress.step("creating the kind cluster"):
            run(create_argv(built["kind"], places.repository / "cluster" / "kind.yaml", config))
    context = Context(places, built, State.load(config.parent / "state.json"), progress, config)
    context.forget_other_clusters()
    with progress.step("building images and loading them"):
        for image, dockerfile in nodes.IMAGES.items():
            run(build_argv(image, dockerfile, places.repository))
        run(load_argv(built["kind"], tuple(nodes.IMAGES)))
    nodes.install_registry(context)
    nodes.install(context, nodes.KIND)
    return config


def down(places: Places, progress: Progress) -> list[str]:
    """Delete the cluster with its data; return its name if it was there."""
    if not exists(places):
        return []
    with progress.step("deleting the kind cluster"):
        run(delete_argv(tools.ensure(["kind"], places, progress)["kind"], kubeconfig(places)))
    return [f"kind cluster {NAME}"]


def exists(places: Places) -> bool:
    """Say whether the cluster is there."""
    kind = tools.home(recipes.RECIPES["kind"], places) / "kind"
    return kind.exists() and docker_answers() and _listed(kind)


def kubeconfig(places: Places) -> Path:
    """Return where its kubeconfig is: never the user's own."""
    return places.state / "kind" / "kubeconfig"


def docker_answers() -> bool:
    """Say whether a Docker engine answers."""
    try:
        return bool(run(["docker", "info", "--format", "{{.ServerVersion}}"], timeout=10).strip())
    except ClusterError:
        return False


def create_argv(kind: Path, config: Path, kubeconfig: Path) -> list[str]:
    """Return the command line that creates the cluster."""
    where = ["--name", NAME, "--config", str(config), "--kubeconfig", str(kubeconfig)]
    return [str(kind), "create", "cluster", *where, "--wait", "180s"]


def build_argv(
    image: str,
    dockerfile: str,
    repository: Path,
    options: Sequence[str] = (),
    verb: Sequence[str] = ("docker", "build"),
) -> list[str]:
    """Return the command line that builds an image."""
    where = ["--file", str(repository / dockerfile), str(repository)]
    return [*verb, "--quiet", *options, "--tag", image, *where]


def load_argv(kind: Path, images: tuple[str, ...]) -> list[str]:
    """Return the command line that puts images on the node."""
    return [str(kind), "load", "docker-image", *images, "--name", NAME]


def delete_argv(kind: Path, kubeconfig: Path) -> list[str]:
    """Return the command line that deletes the cluster."""
    return [str(kind), "delete", "cluster", "--name", NAME, "--kubeconfig", str(kubeconfig)]


def _listed(kind: Path) -> bool:
    return NAME in run([kind, "get", "clusters"]).split()
