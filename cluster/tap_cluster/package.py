"""The function's package: built and pushed with Crossplane's own CLI to a registry on loopback, and installed."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from tap_cluster import probes
from tap_cluster.context import Context
from tap_cluster.errors import ClusterError
from tap_cluster.kubectl import Manifest, manifests
from tap_cluster.places import Places
from tap_cluster.run import child_env, program_env, run_logged
from tap_cluster.supervisor import Program, digest_files
from tap_stack.packages import FUNCTION

REPOSITORY = f"tap/{FUNCTION}"
PORTS = {"registry": "registry"}


def registry(context: Context, host: str = "127.0.0.1") -> Program:
    """Return the OCI registry; what is pushed lies on disk and outlives it."""
    port = context.ports["registry"]
    argv = (
        *(str(context.tools["crane"]), "registry", "serve"),
        *("--address", f"{host}:{port}"),
        *("--disk", str(context.places.private("registry"))),
    )
    return Program("registry", argv, program_env(context.places), probes.http_ready(port, "/v2/", host))


def source(places: Places) -> Path:
    """Return the folder of the package's `crossplane.yaml`.

    Raises:
        ClusterError: it is not there.
    """
    folder = places.repository / "functions" / "package"
    if not (folder / "crossplane.yaml").exists():
        what = f"{folder / 'crossplane.yaml'} is not there"
        raise ClusterError(what, "Restore it from git")
    return folder


def install(context: Context) -> None:
    """Build, push and install the package; a package that is unchanged keeps its revision."""
    tag = digest_files([source(context.places)])
    where = f"127.0.0.1:{context.ports['registry']}"
    reference = f"{where}/{REPOSITORY}:{tag}"
    still = partial(pushed, where, REPOSITORY, tag)
    context.once("function package", reference, lambda: _push(context, reference), still)
    context.apply_once("Function object", manifests([function(reference)]))


def function(reference: str) -> Manifest:
    """Return the Function object. Old revisions are not kept: one process serves whichever is active."""
    return {
        "apiVersion": "pkg.crossplane.io/v1",
        "kind": "Function",
        "metadata": {"name": FUNCTION},
        "spec": {"package": reference, "packagePullPolicy": "IfNotPresent", "revisionHistoryLimit": 1},
    }


def build_argv(cli: Path, folder: Path, out: Path) -> list[str]:
    """Return the command line that builds the package."""
    return [str(cli), "xpkg", "build", f"--package-root={folder}", f"--package-file={out}"]


def push_argv(cli: Path, file: Path, reference: str) -> list[str]:
    """Return the command line that pushes it; the host must be an address or have a dot."""
    return [str(cli), "xpkg", "push", f"--package-files={file}", reference]


def healthy(context: Context) -> bool:
    """Say whether Crossplane has installed the package and found its runtime."""
    status = json.loads(context.kubectl("get", f"function.pkg.crossplane.io/{FUNCTION}", "-o", "json")).get(
        "status", {}
    )
    good = {condition["type"] for condition in status.get("conditions", []) if condition["status"] == "True"}
    return good >= {"Installed", "Healthy"}


def pushed(registry: str, repository: str, tag: str) -> bool:
    """Say whether a registry without TLS (host and port, and folders) has this."""
    where, _, folder = registry.partition("/")
    host, _, port = where.partition(":")
    path = f"{folder}/{repository}" if folder else repository
    return probes.http_ready(int(port), f"/v2/{path}/manifests/{tag}", host)()


def _push(context: Context, reference: str) -> None:
    cli, env = context.tools["crossplane-cli"], child_env(context.places)
    file = context.places.private("package") / f"{FUNCTION}.xpkg"
    file.unlink(missing_ok=True)
    run_logged(build_argv(cli, source(context.places), file), env, context.places.logs / "xpkg-build.log")
    run_logged(push_argv(cli, file, reference), env, context.places.logs / "xpkg-push.log")
