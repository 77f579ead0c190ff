"""What is put on a cluster with nodes, by helm: Crossplane's own chart, ours, and the packages from a registry."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tap_cluster import crossplane, golang, kubectl, package, provider, release, tap
from tap_cluster.context import Context
from tap_cluster.kubectl import Manifest, manifests
from tap_cluster.places import Places
from tap_cluster.probes import http_ready
from tap_cluster.release import Release
from tap_cluster.run import child_env, run
from tap_cluster.services import NAMESPACE
from tap_cluster.supervisor import digest, digest_files, wait_until
from tap_stack import packages

FUNCTION_IMAGE, OPERATOR_IMAGE = "tap-function:dev", "tap-operator:dev"
IMAGES = {FUNCTION_IMAGE: "functions/Dockerfile", OPERATOR_IMAGE: "operator/Dockerfile"}
REGISTRY_IMAGE = "registry:3.0.0"
REGISTRY, NODE_PORT, PORT = "tap-registry", 30500, 5000
INSIDE = f"registry.{REGISTRY}.svc.cluster.local:{PORT}"  # names in .local are spoken to without TLS
#: Nothing in these namespaces may do what the restricted standard forbids
#: (https://kubernetes.io/docs/concepts/security/pod-security-standards/).
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
RESTRICTED_CONTAINER = {
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
#: What Crossplane's chart leaves open that the restricted standard asks for.
CROSSPLANE_SECURITY = dict.fromkeys(("securityContextCrossplane", "securityContextRBACManager"), RESTRICTED_CONTAINER)
#: Packages change with these.
_SOURCES = ("functions", "xrds", "compositions", "requirements")


@dataclass(frozen=True)
class Supply:
    """Where a cluster gets what it runs.

    Attributes:
        operator: Values `image` of charts/operator.
        push: Host of the registry as this machine reaches it, with a folder.
        pull: The same registry, as the cluster reaches it.
        crossplane: Values `image` of Crossplane's chart, beside the tag.
        function: Values `function` of charts/platform: an image to run in place of the package's own.
        image: Builds the function's image, as a tarball, for its package; None leaves it without one.
    """

    operator: Mapping[str, str]
    push: str
    pull: str
    crossplane: Mapping[str, str] = field(default_factory=dict)
    function: Mapping[str, str] = field(default_factory=dict)
    image: Callable[[Path], Path] | None = None


#: A kind cluster: our images were loaded onto its node, and the registry is a pod.
KIND = Supply(
    operator=dict(zip(("repository", "tag"), OPERATOR_IMAGE.split(":"), strict=True)) | {"pullPolicy": "Never"},
    push=f"127.0.0.1:{NODE_PORT}/{release.FOLDER}",
    pull=f"{INSIDE}/{release.FOLDER}",
    function={"image": FUNCTION_IMAGE, "imagePullPolicy": "Never"},
)


def install(context: Context, supply: Supply) -> None:
    """Install everything; each step is skipped if it was done with the same inputs."""
    context.apply_once("namespaces", manifests(restricted(name) for name in (crossplane.NAMESPACE, NAMESPACE)))
    charts = context.places.repository / "charts"
    source = crossplane.source(context.places) / "cluster" / "charts" / "crossplane"
    _helm(context, "crossplane", source, crossplane.NAMESPACE, crossplane_values(context.places, supply))
    _helm(context, "operator", charts / "operator", NAMESPACE, {"image": dict(supply.operator)})
    provider.install(context)
    provider.ready(context)
    version = this_version(context.places)
    push(context, supply, version)
    _helm(context, "platform", charts / "platform", NAMESPACE, platform_values(supply, version))
    tap.await_api(context)
    tap.install_environments(context)
    for check, what, mend in (
        (package.healthy, "the function's package is not healthy", "Read `kubectl describe functionrevisions`"),
        (tap.judged, "admission does not judge", f"Read `kubectl logs -n {NAMESPACE} deployment/tap-admission`"),
    ):
        wait_until(partial(check, context), 300, what, mend)


def crossplane_values(places: Places, supply: Supply) -> dict[str, Any]:
    """Return the values of Crossplane's chart; in its source it says 0.0.1 of the image."""
    version = golang.pinned(places.recipes / "crossplane", crossplane.MODULE)
    flags = [flag for flag in crossplane.core_flags(Path("/cache/xpkg")) if "circuit-breaker" in flag]
    image = {"tag": version, **supply.crossplane}
    return {"image": image, "args": flags, "provider": {"defaultActivations": None}, **CROSSPLANE_SECURITY}


def platform_values(supply: Supply, version: str) -> dict[str, Any]:
    """Return the values of charts/platform; no provider can be pulled, and their CRDs were applied before."""
    return {
        "registry": supply.pull,
        "version": version,
        "providers": {"enabled": False},
        "function": {"replicas": 1, **supply.function},
    }


def this_version(places: Places) -> str:
    """Return a version of the packages for this very tree: Crossplane pulls one of the same name once only."""
    number = int(digest_files([places.repository / folder for folder in _SOURCES]), 16) % 10**9
    return f"{release.this_version().rpartition('.')[0]}.{number}"


def push(context: Context, supply: Supply, version: str) -> None:
    """Have the packages in the registry, built first where they are not; they are pushed from this machine."""
    out, made = context.places.private("packages", version), [packages.FUNCTION, packages.CONFIGURATION]
    files = {name: out / f"{name}-{version}.xpkg" for name in made}

    def build() -> None:
        for old in set(out.parent.iterdir()) - {out}:
            shutil.rmtree(old)
        image = supply.image(out / "image.tar") if supply.image else None
        release.build(Release(supply.pull, version, image), out, context.places, context.tools)
        (out / "image.tar").unlink(missing_ok=True)

    def put() -> None:
        for name, file in files.items():
            argv = package.push_argv(context.tools["crossplane-cli"], file, f"{supply.push}/{name}:{version}")
            run(argv, env=child_env(context.places))

    def there() -> bool:
        return all(package.pushed(supply.push, name, version) for name in files)

    inputs = digest(version, supply.pull, supply.push)
    context.once("building the packages", inputs, build, lambda: all(file.exists() for file in files.values()))
    context.once("pushing the packages", inputs, put, there)


def install_registry(context: Context) -> None:
    """Install the registry inside the cluster, where there is none beside it."""
    context.apply_once("registry", manifests(registry()))
    mend = f"Read `kubectl describe pod -n {REGISTRY}`"
    wait_until(http_ready(NODE_PORT, "/v2/"), 120, "the registry in the cluster does not answer", mend)


def registry() -> list[Manifest]:
    """Return the registry inside the cluster."""
    labels = {"app": "registry"}
    container = {"name": "registry", "image": REGISTRY_IMAGE, "ports": [{"containerPort": PORT}]}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    port = {"port": PORT, "targetPort": PORT, "nodePort": NODE_PORT}
    metadata = {"name": "registry", "namespace": REGISTRY}
    return [
        kubectl.namespace(REGISTRY),
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"type": "NodePort", "selector": labels, "ports": [port]},
        },
    ]


def helm_argv(helm: Path, release: str, chart: Path, namespace: str) -> list[str]:
    """Return the command line that installs or upgrades a chart, with its values on standard input.

    What somebody patched by hand, as tests do, is the chart's again.
    """
    where = ["--namespace", namespace, "--create-namespace", "--wait", "--timeout", "5m"]
    where += ["--server-side", "true", "--force-conflicts"]
    return [str(helm), "upgrade", "--install", release, str(chart), *where, "--values", "-"]


def _helm(context: Context, release: str, chart: Path, namespace: str, values: Mapping[str, Any]) -> None:
    argv, text = helm_argv(context.tools["helm"], release, chart, namespace), json.dumps(values)
    env = child_env(context.places, KUBECONFIG=context.kubeconfig)
    inputs = digest(argv, text, digest_files([chart]))

    def install() -> None:
        run(argv, env=env, text=text)

    context.once(f"helm install {release}", inputs, install)


def restricted(name: str) -> Manifest:
    """Return a namespace that takes no pod which the restricted standard forbids."""
    made = kubectl.namespace(name)
    return {**made, "metadata": {**made["metadata"], "labels": RESTRICTED}}
