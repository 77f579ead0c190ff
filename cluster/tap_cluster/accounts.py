"""Service accounts for processes outside pods: a kubeconfig with a token of the account's own, never the admin's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tap_cluster import kubeconfig
from tap_cluster.context import Context
from tap_cluster.kubectl import Manifest

RBAC = "rbac.authorization.k8s.io"
# Each start of a process takes a new token; a year is longer than any of them runs.
LIFETIME = "8760h"


def path(context: Context, account: str) -> Path:
    """Return where the kubeconfig of an account lies."""
    return context.places.private("kubeconfigs") / account


def writer(context: Context, account: str, namespace: str) -> Callable[[], None]:
    """Return what asks for a new token (TokenRequest) and writes the kubeconfig."""

    def write() -> None:
        token = context.kubectl("create", "token", account, "-n", namespace, f"--duration={LIFETIME}").strip()
        ca = context.places.private("pki", "ca") / "tls.crt"
        kubeconfig.with_token(path(context, account), context.server, ca.read_bytes(), token, namespace)

    return write


def objects(account: str, namespace: str, role: str, rules: list[Manifest]) -> list[Manifest]:
    """Return a service account, the cluster role of these rules, and what binds the two."""
    metadata = {"name": account, "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": role}, "rules": rules},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": role},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", **metadata}],
        },
    ]
