"""What is put on a cluster with nodes: Crossplane and our chart by helm, the function's package by a registry inside.

Crossplane pulls the package from the registry's Service. The node does not know that name, so the function's pod runs
the image that was loaded onto the node.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tap_cluster import crossplane, golang, package, provider, tap
from tap_cluster.context import Context
from tap_cluster.kubectl import Manifest, manifests, namespace
from tap_cluster.probes import http_ready
from tap_cluster.run import child_env, run
from tap_cluster.services import NAMESPACE
from tap_cluster.supervisor import digest, digest_files, wait_until
from tap_stack.packages import FUNCTION

FUNCTION_IMAGE, OPERATOR_IMAGE = "tap-function:dev", "tap-operator:dev"
IMAGES = {FUNCTION_IMAGE: "functions/Dockerfile", OPERATOR_IMAGE: "operator/Dockerfile"}
REGISTRY_IMAGE = "registry:3.0.0"
REGISTRY, NODE_PORT, PORT = "tap-registry", 30500, 5000
INSIDE = f"registry.{REGISTRY}.svc.cluster.local:{PORT}"  # names in .local are spoken to without TLS


def install(context: Context) -> None:
    """Install everything; each step is skipped if it was done with the same inputs."""
    chart = crossplane.source(context.places) / "cluster" / "charts" / "crossplane"
    version = golang.pinned(context.places.recipes / "crossplane", crossplane.MODULE)
    for title, argv in (
        ("Crossplane", crossplane_argv(context.tools["helm"], chart, version)),
        ("the operator", operator_argv(context.tools["helm"], context.places.repository / "charts" / "operator")),
    ):
        context.once(title, digest(argv, digest_files([Path(argv[4])])), partial(_helm, context, argv))
    provider.install(context)
    provider.ready(context)
    context.apply_once("registry", manifests(registry()))
    mend = f"Read `kubectl describe pod -n {REGISTRY}`"
    wait_until(http_ready(NODE_PORT, "/v2/"), 120, "the registry in the cluster does not answer", mend)
    tag = digest_files([package.source(context.places)])
    context.once("function package", tag, lambda: push(context, tag))
    context.apply_once("Function object", manifests(function(tag)))
    tap.install_api(context)
    tap.install_environments(context)
    tap.await_api(context)
    wait_until(
        lambda: package.healthy(context), 180, "the function's package is not healthy", "Read `kubectl describe`"
    )


def crossplane_argv(helm: Path, chart: Path, version: str) -> list[str]:
    """Return the command line that installs Crossplane; the chart in its source says 0.0.1 of the image."""
    flags = ",".join(flag for flag in crossplane.core_flags(Path("/cache/xpkg")) if "circuit-breaker" in flag)
    where = ["--namespace", crossplane.NAMESPACE, "--create-namespace", "--wait", "--timeout", "5m"]
    values = f"image.tag={version},args={{{flags}}}"
    return [str(helm), "upgrade", "--install", "crossplane", str(chart), *where, "--set", values]


def operator_argv(helm: Path, chart: Path) -> list[str]:
    """Return the command line that installs the operator from the image on the node."""
    repository, _, tag = OPERATOR_IMAGE.partition(":")
    values = f"image.repository={repository},image.tag={tag},image.pullPolicy=Never"
    where = ["--namespace", NAMESPACE, "--create-namespace", "--timeout", "5m"]
    return [str(helm), "upgrade", "--install", "tap-operator", str(chart), *where, "--set", values]


def push(context: Context, tag: str) -> None:
    """Build the package and push it from this machine through the node's port."""
    cli, env = context.tools["crossplane-cli"], child_env(context.places)
    file = context.kubeconfig.parent / "function-tap.xpkg"
    file.unlink(missing_ok=True)
    run(package.build_argv(cli, package.source(context.places), file), env=env)
    run(package.push_argv(cli, file, f"127.0.0.1:{NODE_PORT}/{package.REPOSITORY}:{tag}"), env=env)


def function(tag: str) -> list[Manifest]:
    """Return the Function, run from the image on the node."""
    container = {"name": "package-runtime", "image": FUNCTION_IMAGE, "imagePullPolicy": "Never"}
    template = {"spec": {"selector": {}, "template": {"spec": {"containers": [container]}}}}
    config = {
        "apiVersion": "pkg.crossplane.io/v1beta1",
        "kind": "DeploymentRuntimeConfig",
        "metadata": {"name": FUNCTION},
        "spec": {"deploymentTemplate": template},
    }
    wanted = package.function(f"{INSIDE}/{package.REPOSITORY}:{tag}")
    wanted["spec"]["runtimeConfigRef"] = {"name": FUNCTION}
    return [config, wanted]


def registry() -> list[Manifest]:
    """Return the registry inside the cluster."""
    labels = {"app": "registry"}
    container = {"name": "registry", "image": REGISTRY_IMAGE, "ports": [{"containerPort": PORT}]}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    port = {"port": PORT, "targetPort": PORT, "nodePort": NODE_PORT}
    metadata = {"name": "registry", "namespace": REGISTRY}
    return [
        namespace(REGISTRY),
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


def _helm(context: Context, argv: list[str]) -> None:
    run(argv, env=child_env(context.places, KUBECONFIG=context.kubeconfig))
