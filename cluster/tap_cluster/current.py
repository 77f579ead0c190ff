"""The cluster that is already there. Nothing is started, installed or stopped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tap_cluster.errors import ClusterError


def kubeconfig(environ: Mapping[str, str]) -> Path:
    """Return the user's own kubeconfig, only to be read.

    Raises:
        ClusterError: there is none.
    """
    given = environ.get("KUBECONFIG", "").split(":")[0]
    path = Path(given) if given else Path.home() / ".kube" / "config"
    if not path.exists():
        what = f"CLUSTER=current, but {path} is not there"
        raise ClusterError(what, "Set KUBECONFIG to the cluster's kubeconfig, or use CLUSTER=embedded")
    return path
