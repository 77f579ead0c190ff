"""Our own processes: function, operator, admission twice. Each runs the working tree, and anew when that changed."""

from __future__ import annotations

import sys
from pathlib import Path

from tap_cluster import accounts, probes
from tap_cluster.context import Context
from tap_cluster.crossplane import NAMESPACE as CROSSPLANE
from tap_cluster.errors import ClusterError
from tap_cluster.kubectl import Manifest, manifests
from tap_cluster.pki import LOOPBACK_NAMES, Authority, Leaf
from tap_cluster.run import program_env
from tap_cluster.runtime import SERVER_SECRET
from tap_cluster.supervisor import Program, digest, digest_files

NAMESPACE = "tap-system"
FUNCTION_SOURCE = ("xrds/tap_api", "compositions/tap_stack", "functions/tap_function")
OPERATOR_SOURCE = ("xrds/tap_api", "operator/tap_operator")
ADMISSION_NAMES = ("tap-admission.tap-system.svc", *LOOPBACK_NAMES)
FUNCTION_NAMES = (f"function-tap.{CROSSPLANE}.svc", *LOOPBACK_NAMES)
#: Two replicas, as in a cluster; the kernel shares the connections to their one port out between them.
ADMISSION = ("admission", "admission-2")
PORTS: dict[str, str | tuple[str, ...]] = {
    "function": "function",
    "function-metrics": "function",
    "operator-health": "operator",
    "admission": ADMISSION,
    **{f"{replica}-{port}": replica for replica in ADMISSION for port in ("health", "metrics")},
}


def admission_authority(context: Context) -> Authority:
    """Have the authority that signs the webhook's certificate, and the certificate."""
    authority = Authority.ensure(context.places.private("pki-admission", "ca"), "tap-admission-ca")
    authority.issue(context.places.private("pki-admission", "server"), Leaf("tap-admission", names=ADMISSION_NAMES))
    return authority


def install_function_certificate(context: Context) -> None:
    """Sign the function's certificate with Crossplane's root and store it, as its own package runtime would."""
    root = context.places.embedded / "crossplane" / "ca"
    authority = Authority.load((root / "tls.crt").read_bytes(), (root / "tls.key").read_bytes())
    folder = authority.issue(context.places.private("function"), Leaf("function-tap", names=FUNCTION_NAMES))
    context.apply_once("the function's certificate", manifests([secret(folder)]))


def secret(folder: Path) -> Manifest:
    """Return a certificate's folder as the Secret that Crossplane would have made."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": SERVER_SECRET, "namespace": CROSSPLANE},
        "stringData": {name: (folder / name).read_text(encoding="ascii") for name in ("ca.crt", "tls.crt", "tls.key")},
    }


def programs(context: Context) -> tuple[Program, ...]:
    """Return our processes. None of them runs as the admin; the function knows no cluster at all."""
    return (_function(context), _operator(context), *(_admission(context, replica) for replica in ADMISSION))


def _function(context: Context) -> Program:
    port, folder = context.ports["function"], context.places.private("function")
    listen = ("--address", f"127.0.0.1:{port}", "--metrics-port", str(context.ports["function-metrics"]))
    argv = (*script("tap-function"), *listen, "--tls-server-certs-dir", str(folder))
    seal = digest(_source(context, FUNCTION_SOURCE), digest_files([folder]))
    return Program("function", argv, program_env(context.places), probes.tcp_ready(port), seal)


def _operator(context: Context) -> Program:
    health = context.ports["operator-health"]
    argv = (*script("tap-operator"), "fanout", "--health-port", str(health), *_policy(context))
    return _with_account(context, ("operator", "tap-operator"), argv, health, _source(context, OPERATOR_SOURCE))


def _admission(context: Context, replica: str) -> Program:
    health, metrics = (context.ports[f"{replica}-{port}"] for port in ("health", "metrics"))
    folder = context.places.private("pki-admission", "server")
    where = ("--address", "127.0.0.1", "--port", str(context.ports["admission"]), "--certs-dir", str(folder))
    listen = ("--health-port", str(health), "--metrics-port", str(metrics))
    argv = (*script("tap-operator"), "admission", *where, *listen, *_policy(context))
    seal = digest(_source(context, OPERATOR_SOURCE), digest_files([folder]))
    return _with_account(context, (replica, "tap-admission"), argv, health, seal)


def _with_account(context: Context, who: tuple[str, str], argv: tuple[str, ...], health: int, seal: str) -> Program:
    name, account = who
    env = program_env(context.places, KUBECONFIG=accounts.path(context, account))
    prepare = accounts.writer(context, account, NAMESPACE)
    seal = digest(seal, digest_files([context.places.private("policy")]), context.server)
    return Program(name, argv, env, probes.http_ready(health), seal, prepare=prepare)


def _policy(context: Context) -> tuple[str, str]:
    """Return where a process finds the organisation's rules; tap.install_operator puts them there."""
    return ("--policy", str(context.places.private("policy") / "policy.yaml"))


def _source(context: Context, folders: tuple[str, ...]) -> str:
    return digest_files([context.places.repository / folder for folder in folders], "*.py")


def script(name: str) -> tuple[str, str]:
    """Return how to start one of the project's commands with this very Python.

    Raises:
        ClusterError: the project is not installed here.
    """
    path = Path(sys.executable).parent / name
    if not path.exists():
        what = f"{name} is not beside {sys.executable}"
        raise ClusterError(what, "Install this project: `make setup`")
    return (sys.executable, str(path))
