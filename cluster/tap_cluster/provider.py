"""The AWS provider's kinds that we use: their CRDs, and Crossplane's right to write them.

No ProviderRevision is installed in `embedded`, so nobody else grants Crossplane these kinds.
"""

from __future__ import annotations

from pathlib import Path

from tap_cluster import golang
from tap_cluster.context import Context
from tap_cluster.kubectl import Manifest, manifests
from tap_cluster.places import Places
from tap_cluster.supervisor import digest, wait_until

MODULE = "github.com/upbound/provider-aws/v2"


def crds(places: Places) -> Path:
    """Return the provider's folder of CRDs, downloaded if it is absent; needs no cluster."""
    return golang.module(places.recipes / "provider-aws", MODULE) / "package" / "crds"


def wanted(places: Places) -> list[str]:
    """Return the file names of the CRDs that we use."""
    listed = places.repository / "cluster" / "provider" / "crds.txt"
    return listed.read_text(encoding="utf-8").split()


def install(context: Context) -> None:
    """Apply the role and the CRDs, without waiting: the apiserver takes seconds to establish them, see `ready`."""
    names = wanted(context.places)
    inputs = digest(names, golang.pinned(context.places.recipes / "provider-aws", MODULE))
    context.apply_once("rights on the AWS provider's kinds", manifests([role(names)]))
    title = f"{len(names)} CRDs of the AWS provider"
    context.once(title, inputs, lambda: _apply(context, names), lambda: _there(context, names))


def ready(context: Context) -> None:
    """Wait until the apiserver serves every one of them.

    Raises:
        ClusterError: it does not within a minute.
    """
    names = wanted(context.places)
    if _there(context, names):
        return
    what, mend = "the apiserver does not serve the AWS provider's kinds after 60 s", "Read `kubectl describe crd`"
    with context.progress.step("the AWS provider's kinds served"):
        wait_until(lambda: _there(context, names), 60, what, mend)


def role(names: list[str]) -> Manifest:
    """Return the ClusterRole that the chart's `crossplane` role takes up by its label."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {
            "name": "tap:provider-aws:aggregate-to-crossplane",
            "labels": {"rbac.crossplane.io/aggregate-to-crossplane": "true"},
        },
        "rules": rules(names, "*"),
    }


def rules(names: list[str], *verbs: str) -> list[Manifest]:
    """Return the rules that allow `verbs` on the kinds of these CRDs, and on their status."""
    groups: dict[str, list[str]] = {}
    for name in names:
        group, _, plural = name.removesuffix(".yaml").partition("_")
        groups.setdefault(group, []).extend([plural, f"{plural}/status"])
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}
        for group, resources in sorted(groups.items())
    ]


def _apply(context: Context, names: list[str]) -> None:
    folder = crds(context.places)
    context.kubectl.apply("---\n".join((folder / name).read_text(encoding="utf-8") for name in names))


def _there(context: Context, names: list[str]) -> bool:
    # Discovery is one small answer; the CRDs themselves are megabytes.
    return set(context.kubectl("api-resources", "--cached=false", "-o", "name").split()) >= set(_objects(names))


def _objects(names: list[str]) -> list[str]:
    parts = [name.removesuffix(".yaml").partition("_") for name in names]
    return [f"{plural}.{group}" for group, _, plural in parts]
