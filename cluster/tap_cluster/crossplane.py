"""Crossplane core and its RBAC manager as processes, with the rights that the official chart gives them and no more.

The chart's service accounts and roles are applied, its Deployments are not: each process has a token of its account.
Crossplane listens for webhooks, metrics and probes on every address, for it has no flag for the host.
"""

from __future__ import annotations

import base64
from pathlib import Path

from tap_cluster import accounts, golang, probes
from tap_cluster.context import Context
from tap_cluster.errors import ClusterError
from tap_cluster.kubectl import by_kind, external_name, manifests, namespace
from tap_cluster.places import Places, write_private
from tap_cluster.run import child_env, program_env, run, run_logged
from tap_cluster.supervisor import Program, always, digest, digest_files

NAMESPACE = "crossplane-system"
MODULE = "github.com/crossplane/crossplane/v2"
CORE, RBAC = "crossplane", "rbac-manager"
WEBHOOKS = "crossplane-webhooks"
SECRETS = {"server": "crossplane-tls-server", "client": "crossplane-tls-client", "ca": "crossplane-root-ca"}
PORTS = dict.fromkeys(("crossplane-webhook", "crossplane-metrics", "crossplane-health"), "crossplane")
WITHOUT_NODES = frozenset({"Deployment", "Service"})
INIT_TRIES = 5
#: Of each kind. Crossplane asks for all that an XR composes at each change of any of it. Where all share two cores,
#: fewer XRs at once see more changes in one pass: a quarter fewer writes until three regions are ready, and no later.
FEW_AT_ONCE = "--max-concurrent-reconciles=1"


def source(places: Places) -> Path:
    """Return Crossplane's own source, for its chart and CRDs."""
    return golang.module(places.recipes / "crossplane", MODULE)


def install(context: Context) -> None:
    """Apply the accounts and roles, then let Crossplane make its CRDs and certificates."""
    binary, port = context.tools["crossplane"], context.ports["crossplane-webhook"]
    inputs = digest(binary, port)
    still = manifests([_secret(name) for name in SECRETS.values()])
    context.once(
        "Crossplane's CRDs, roles and certificates",
        inputs,
        lambda: _install(context),
        lambda: context.kubectl.holds(still),
    )
    for folder, name in SECRETS.items():
        _write_secret(context, name, context.places.private("crossplane", folder))


def programs(context: Context) -> tuple[Program, Program]:
    """Return Crossplane core and its RBAC manager."""
    seal = digest(digest_files([context.places.private("crossplane", name) for name in SECRETS]), context.server)
    tool, ready = str(context.tools["crossplane"]), probes.http_ready(context.ports["crossplane-health"], "/readyz")
    core = (tool, "core", "start", *core_flags(context.places.private("crossplane", "cache")), FEW_AT_ONCE)
    return (
        Program("crossplane", core, core_env(context), ready, seal, prepare=accounts.writer(context, CORE, NAMESPACE)),
        Program(
            "crossplane-rbac",
            (tool, "rbac", "start", "--provider-clusterrole=crossplane:allowed-provider-permissions"),
            program_env(context.places, KUBECONFIG=accounts.path(context, RBAC)),
            always,  # it has no probe; what it grants is awaited where it is needed
            seal,
            prepare=accounts.writer(context, RBAC, NAMESPACE),
        ),
    )


def core_flags(cache: Path) -> tuple[str, ...]:
    """Return the flags of `core start`, the same on every kind of cluster but for the runtime.

    The circuit breaker's default burst of 100 opens while one region is created (Crossplane issue 7108).
    """
    return (
        "--package-runtime=Function=External;Provider=External",
        f"--cache-dir={cache}",
        "--circuit-breaker-burst=2000",
        "--circuit-breaker-refill-rate=50",
    )


def core_env(context: Context) -> dict[str, str]:
    """Return the environment that the chart's Deployment would give."""
    folder = context.places.embedded / "crossplane"
    return program_env(
        context.places,
        KUBECONFIG=accounts.path(context, CORE),
        POD_NAMESPACE=NAMESPACE,
        POD_SERVICE_ACCOUNT=CORE,
        WEBHOOK_PORT=str(context.ports["crossplane-webhook"]),
        METRICS_PORT=str(context.ports["crossplane-metrics"]),
        HEALTH_PROBE_PORT=str(context.ports["crossplane-health"]),
        XFN_CACHE_DIR=folder / "functions",
        TLS_SERVER_SECRET_NAME=SECRETS["server"],
        TLS_SERVER_CERTS_DIR=folder / "server",
        TLS_CLIENT_SECRET_NAME=SECRETS["client"],
        TLS_CLIENT_CERTS_DIR=folder / "client",
    )


def without_nodes(rendered: str) -> str:
    """Return the documents of a rendered chart that make sense without a kubelet."""
    return "---\n".join(document for kind, document in by_kind(rendered) if kind not in WITHOUT_NODES)


def _install(context: Context) -> None:
    chart = source(context.places) / "cluster" / "charts" / "crossplane"
    rendered = run(
        [context.tools["helm"], "template", "crossplane", chart, "-n", NAMESPACE], env=child_env(context.places)
    )
    port = context.ports["crossplane-webhook"]
    context.kubectl.apply(manifests([namespace(NAMESPACE), external_name(WEBHOOKS, NAMESPACE, port)]))
    context.kubectl.apply(without_nodes(rendered))
    accounts.writer(context, CORE, NAMESPACE)()
    log = context.places.logs / "crossplane-init.log"
    # The first run can meet a CRD that is not served yet, or a role that is not aggregated yet.
    for attempt in range(1, INIT_TRIES + 1):
        try:
            run_logged([context.tools["crossplane"], "core", "init"], _init_env(context), log)
        except ClusterError:
            if attempt == INIT_TRIES:
                raise
        else:
            return


def _init_env(context: Context) -> dict[str, str]:
    cluster = source(context.places) / "cluster"
    return {
        **core_env(context),
        "CRDS_PATH": str(cluster / "crds"),
        "WEBHOOK_CONFIGS_PATH": str(cluster / "webhookconfigurations"),
        "WEBHOOK_SERVICE_NAME": WEBHOOKS,
        "WEBHOOK_SERVICE_NAMESPACE": NAMESPACE,
        "WEBHOOK_SERVICE_PORT": str(context.ports["crossplane-webhook"]),
        "TLS_CA_SECRET_NAME": SECRETS["ca"],
    }


def _secret(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}}


def _write_secret(context: Context, name: str, folder: Path) -> None:
    found = context.kubectl.read("secret", name, "-n", NAMESPACE)
    for key, value in found.get("data", {}).items():
        write_private(folder / key, base64.b64decode(value))
