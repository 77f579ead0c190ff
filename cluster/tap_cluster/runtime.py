"""The package runtime that `Function=External` leaves to us: tell Crossplane where the function listens.

Crossplane calls the endpoint in the status of the active FunctionRevision. A package with a new digest makes a new
revision with an empty status, so this watches for as long as the cluster runs. Every active revision of our function
gets the one process of this machine, which runs the code of the working tree.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from tap_cluster import accounts, kubectl
from tap_cluster.context import Context
from tap_cluster.crossplane import NAMESPACE
from tap_cluster.errors import ClusterError
from tap_cluster.kubectl import Manifest, manifests
from tap_cluster.run import program_env, run
from tap_cluster.supervisor import Program, digest, digest_files
from tap_stack.packages import FUNCTION

ACCOUNT = "tap-runtime"
KIND = "functionrevisions.pkg.crossplane.io"
SERVER_SECRET, CLIENT_SECRET = f"{FUNCTION}-tls-server", "crossplane-tls-client"
HEALTHY = "RuntimeHealthy"
BACKOFF = 1.0


def program(context: Context) -> Program:
    """Return the watching process, with rights to FunctionRevisions alone."""
    config = accounts.path(context, ACCOUNT)
    argv = (sys.executable, "-m", "tap_cluster", "runtime", f"127.0.0.1:{context.ports['function']}")
    code = context.places.repository / "cluster"
    env = program_env(context.places, KUBECONFIG=config, PYTHONPATH=code)
    prepare = accounts.writer(context, ACCOUNT, NAMESPACE)
    seal = digest(digest_files([code], "tap_cluster/*.py"), context.server)
    return Program("runtime", argv, env, lambda: True, seal, prepare=prepare)


def objects() -> list[Manifest]:
    """Return the account of the process and what it may do."""
    rules = [
        {"apiGroups": ["pkg.crossplane.io"], "resources": ["functionrevisions"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["pkg.crossplane.io"], "resources": ["functionrevisions/status"], "verbs": ["get", "patch"]},
    ]
    return accounts.objects(ACCOUNT, NAMESPACE, ACCOUNT, rules)


def install(context: Context) -> None:
    """Apply the account."""
    context.apply_once("account of the function's runtime", manifests(objects()))


def wanted_status(revision: dict[str, Any], endpoint: str) -> dict[str, Any] | None:
    """Return the status that a revision lacks, or nothing if it is not ours, not active, or has it."""
    labels = revision.get("metadata", {}).get("labels", {})
    active = revision.get("spec", {}).get("desiredState") == "Active"
    if labels.get("pkg.crossplane.io/package") != FUNCTION or not active:
        return None
    wanted = {"endpoint": endpoint, "tlsServerSecretName": SERVER_SECRET, "tlsClientSecretName": CLIENT_SECRET}
    status = revision.get("status", {})
    healthy = any(condition["type"] == HEALTHY for condition in status.get("conditions", []))
    if healthy and all(status.get(key) == value for key, value in wanted.items()):
        return None
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # Without this condition, which the Deployment runtime would set, the Function never becomes Healthy.
    message = f"tap_cluster runs the function at {endpoint}"
    condition = {"type": HEALTHY, "status": "True", "reason": "External", "message": message, "lastTransitionTime": now}
    return {**wanted, "conditions": [condition]}


def serve(endpoint: str, config: Path) -> None:
    """Watch forever; a watch that ends (the apiserver was restarted) is begun again."""
    base = [str(kubectl.binary()), "--kubeconfig", str(config)]
    watch = [*base, "get", KIND, "--watch", "-o", "json"]
    while True:
        with subprocess.Popen(watch, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 - our own command line
            if child.stdout is not None:
                for revision in documents(child.stdout):
                    _patch(base, revision, endpoint)
        time.sleep(BACKOFF)


def documents(stream: IO[str]) -> Iterator[dict[str, Any]]:
    """Return the JSON objects that kubectl prints one after another, each as soon as its last line is there."""
    rows: list[str] = []
    for row in stream:
        rows.append(row)
        if row.rstrip("\n") == "}":
            yield json.loads("".join(rows))
            rows.clear()


def _patch(base: list[str], revision: dict[str, Any], endpoint: str) -> None:
    status = wanted_status(revision, endpoint)
    if status is None:
        return
    name = revision["metadata"]["name"]
    intent = {key: revision[key] for key in ("apiVersion", "kind")} | {"metadata": {"name": name}, "status": status}
    apply = (
        "apply",
        "--server-side",
        "--force-conflicts",
        f"--field-manager={ACCOUNT}",
        "--subresource=status",
        "-f",
        "-",
    )
    try:
        run([*base, *apply], text=json.dumps(intent))
    except ClusterError as error:
        sys.stderr.write(f"{name}: {error}\n")  # its next event, or the next watch, tries again
        return
    sys.stderr.write(f"{name}: endpoint {endpoint}\n")
