"""A kind cluster: only creating, loading and deleting differ from the others."""

from __future__ import annotations

from pathlib import Path

from tap_cluster.errors import ClusterError
from tap_cluster.places import Places
from tap_cluster.progress import Progress
from tap_cluster.run import run

NAME = "tap"


def kubeconfig(places: Places) -> Path:
    """Return where its kubeconfig is."""
    return places.state / "kind" / "kubeconfig"


def docker_answers() -> bool:
    """Say whether a Docker engine answers."""
    try:
        return bool(run(["docker", "info", "--format", "{{.ServerVersion}}"], timeout=10).strip())
    except ClusterError:
        return False


def up(places: Places, progress: Progress) -> Path:
    """Have the kind cluster."""
    raise NotImplementedError


def down(places: Places, progress: Progress) -> list[str]:
    """Delete it."""
    raise NotImplementedError
