"""Which programs each go.mod recipe makes. Versions are in the go.mod files alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

MB = 1_000_000


@dataclass(frozen=True)
class Binary:
    """One program: its file name, its Go package, and string variables set at link time.

    In `stamps`, a value that starts with `@` names the module whose version is meant.
    """

    name: str
    package: str
    stamps: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """Programs of one module world, and the disk that their build takes when every cache is empty (measured).

    `module` is the folder of the go.mod where several recipes share one; else it has the recipe's name.
    """

    name: str
    binaries: tuple[Binary, ...]
    cold_bytes: int
    module: str = ""

    def source(self, recipes: Path) -> Path:
        """Return the folder of its go.mod."""
        return recipes / (self.module or self.name)


KUBERNETES_VERSION = {"k8s.io/component-base/version.gitVersion": "@k8s.io/kubernetes"}
CROSSPLANE_VERSION = {
    "github.com/crossplane/crossplane-runtime/v2/pkg/version.version": "@github.com/crossplane/crossplane/v2",
    # The RBAC manager listens for metrics on :8080 of every address and has no flag for it; "0" is off.
    "sigs.k8s.io/controller-runtime/pkg/metrics/server.DefaultBindAddress": "0",
}

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("crane", (Binary("crane", "github.com/google/go-containerregistry/cmd/crane"),), 300 * MB),
        Recipe(
            "kubernetes",
            (
                Binary("etcd", "go.etcd.io/etcd/server/v3"),
                Binary("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", KUBERNETES_VERSION),
                Binary("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", KUBERNETES_VERSION),
            ),
            3000 * MB,
        ),
        Recipe(
            "crossplane",
            (Binary("crossplane", "github.com/crossplane/crossplane/v2/cmd/crossplane", CROSSPLANE_VERSION),),
            2000 * MB,
        ),
        Recipe("crossplane-cli", (Binary("crossplane-cli", "github.com/crossplane/cli/v2/cmd/crossplane"),), 2200 * MB),
        Recipe("helm", (Binary("helm", "helm.sh/helm/v4/cmd/helm"),), 1500 * MB),
        Recipe("kind", (Binary("kind", "sigs.k8s.io/kind"),), 200 * MB),
        Recipe(
            "node",
            tuple(
                Binary(name, f"k8s.io/kubernetes/cmd/{name}", KUBERNETES_VERSION)
                for name in ("kubelet", "kube-proxy", "kube-scheduler")
            ),
            3500 * MB,
            module="kubernetes",
        ),
        Recipe("coredns", (Binary("coredns", "github.com/coredns/coredns"),), 1500 * MB),
        Recipe("kube-score", (Binary("kube-score", "github.com/zegl/kube-score/cmd/kube-score"),), 600 * MB),
        Recipe("prometheus", (Binary("promtool", "github.com/prometheus/prometheus/cmd/promtool"),), 3000 * MB),
        Recipe(
            "cert-manager",
            (Binary("cert-manager-signer", "tap.platform/tools/cert-manager/signer"),),
            2000 * MB,
        ),
        # Ninety minutes of two cores: built where AWS=moto asks for it, and never else.
        Recipe(
            "provider-monolith",
            (Binary("provider-aws", "github.com/upbound/provider-aws/v2/cmd/provider/monolith"),),
            35_000 * MB,
        ),
        Recipe("opentofu", (Binary("tofu", "github.com/opentofu/opentofu/cmd/tofu"),), 3000 * MB),
        # Most of it is what the one above compiles, at the same versions.
        Recipe(
            "terraform-provider-aws",
            (Binary("terraform-provider-aws", "github.com/hashicorp/terraform-provider-aws"),),
            35_000 * MB,
        ),
    )
}

EMBEDDED = ("crane", "kubernetes", "crossplane", "crossplane-cli", "helm")
CONTROL_PLANE = ("kubernetes", "crossplane", "helm")
PROVIDER = ("provider-monolith",)
#: Who signs the webhook's certificate in tests/node.
SIGNER = ("cert-manager",)
KIND = ("kind", "helm", "crossplane-cli", "crane")
NODE = (*EMBEDDED, "node", "coredns")


def names() -> list[str]:
    """Return the names of all programs."""
    return [binary.name for recipe in RECIPES.values() for binary in recipe.binaries]
