"""The AWS provider itself as a process, under an account with the rights that Crossplane would give it.

No ProviderRevision is installed in `embedded`, so nobody else grants them.
"""

from __future__ import annotations

from tap_cluster import accounts, probes
from tap_cluster.context import Context
from tap_cluster.crossplane import NAMESPACE
from tap_cluster.kubectl import Manifest, manifests
from tap_cluster.provider import rules, wanted
from tap_cluster.run import program_env
from tap_cluster.supervisor import Program, digest

ACCOUNT = NAME = "provider-aws"
ROLE = "tap:provider-aws"
PORTS = dict.fromkeys(("provider-metrics", "provider-health"), NAME)
#: Of a ProviderRevision's account on its kinds (Crossplane's internal/controller/rbac/provider/roles): none deletes.
VERBS = ("get", "list", "watch", "update", "patch", "create")


def install(context: Context) -> None:
    """Apply the account that the provider runs as."""
    context.apply_once("account of the AWS provider", manifests(account(wanted(context.places))))


def account(names: list[str]) -> list[Manifest]:
    """Return the account of the provider and what it may do: what a ProviderRevision's may, less what it does not use.

    It elects no leader, so it needs neither leases nor ConfigMaps.
    """
    groups = sorted({name.partition("_")[0] for name in names})
    allowed = [
        *rules(names, *VERBS),
        # Who makes a Secret that goes with a resource has to be able to hold up the resource's deletion.
        {"apiGroups": groups, "resources": ["*/finalizers"], "verbs": ["update"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": [*VERBS, "delete"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
        # It starts the controller of a kind when the kind appears.
        {
            "apiGroups": ["apiextensions.k8s.io"],
            "resources": ["customresourcedefinitions"],
            "verbs": ["get", "list", "watch"],
        },
    ]
    return accounts.objects(ACCOUNT, NAMESPACE, ROLE, allowed)


def program(context: Context, proxy: str) -> Program:
    """Return the provider as a process, which goes to AWS by way of `proxy`.

    Args:
        context: The cluster.
        proxy: URL of an HTTP proxy. Go asks none for loopback, so the apiserver is reached as ever.
    """
    health = context.ports["provider-health"]
    argv = (
        str(context.tools[NAME]),
        # Ten minutes else, for which a test would wait.
        "--poll=1m",
        "--webhook-port=0",
        "--certs-dir=",
        f"--metrics-bind-address=127.0.0.1:{context.ports['provider-metrics']}",
        f"--health-probe-bind-addr=127.0.0.1:{health}",
    )
    env = program_env(context.places, KUBECONFIG=accounts.path(context, ACCOUNT), HTTP_PROXY=proxy)
    prepare = accounts.writer(context, ACCOUNT, NAMESPACE)
    # It registers no check, so /healthz is 404; it listens once every controller is set up.
    ready = probes.tcp_ready(health)
    return Program(NAME, argv, env, ready, digest(context.server), patience=180, prepare=prepare)
