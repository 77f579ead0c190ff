"""What stands on the control plane: the operator's chart, the XRDs and Compositions, the environments' namespaces."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tap_api import manifest
from tap_cluster.context import Context
from tap_cluster.errors import ClusterError
from tap_cluster.kubectl import Manifest, by_kind, manifests, namespace
from tap_cluster.places import write_private
from tap_cluster.run import child_env, run
from tap_cluster.services import NAMESPACE, admission_authority
from tap_cluster.waiting import wait_for_condition

#: The ConfigMap of the organisation's rules; a pod has it mounted, a process of this machine reads it from a file.
POLICY = "tap-policy"
NAMESPACES = ("tap-dev", "tap-staging", "tap-prod")
#: Namespace -> the spec of its provider configuration.
ProviderConfig = Callable[[str], dict[str, Any]]
XRD = "compositeresourcedefinitions.apiextensions.crossplane.io"


def no_credentials(_namespace: str) -> dict[str, Any]:
    """Return a provider configuration where no AWS is: there are no credentials, and it says so."""
    return {"credentials": {"source": "None"}}


def install_operator(context: Context) -> None:
    """Apply what `helm install operator charts/operator` would, without the Deployments."""
    values = write_values(context, chart_values(context.ports["admission"], admission_authority(context).pem))
    chart = _there(context.places.repository / "charts" / "operator", "Chart.yaml")
    rendered = run(helm_argv(context.tools["helm"], chart, values), env=child_env(context.places))
    context.apply_once("namespace of the operator", manifests([namespace(NAMESPACE)]))
    (policy,) = [part for part in manifest.load(rendered, chart) if part["metadata"]["name"] == POLICY]
    (context.places.private("policy") / "policy.yaml").write_text(policy["data"]["policy.yaml"], encoding="utf-8")
    crds, others = split(rendered)
    context.apply_once("operator's CRDs", crds)
    # A policy that the chart no longer has must not go on refusing; a CRD would take its objects with it.
    context.apply_once("operator's roles and policies", others, prune=True)


def install_api(context: Context) -> None:
    """Apply the XRDs and the Compositions, without waiting: Crossplane takes seconds to establish them."""
    xrds, compositions = (_generated(context, room) for room in ("xrds", "compositions"))
    context.apply_once("XRDs", xrds)
    context.apply_once("Compositions", compositions)


def await_api(context: Context) -> None:
    """Wait until Crossplane has established every XRD."""
    wait_for_condition(context, XRD, "Established")


def judged(context: Context) -> bool:
    """Say whether admission refuses a claim that nobody may make. It is a dry run."""
    claim = context.places.repository / "claims" / "refused" / "everything-at-once.yaml"
    try:
        context.kubectl("apply", "--dry-run=server", "-f", claim)
    except ClusterError as error:
        return "denied the request" in error.output
    return False


def install_environments(context: Context, config: ProviderConfig = no_credentials) -> None:
    """Make a namespace and a provider configuration for each environment."""
    context.apply_once("namespaces and provider configurations", manifests(environments(config)))


def environments(config: ProviderConfig = no_credentials) -> list[Manifest]:
    """Return them, with the spec that `config` gives for a namespace.

    The name differs by environment: the provider counts uses by name alone, across namespaces (crossplane issue 7154).
    """
    spaces = [namespace(name) for name in NAMESPACES]
    configs: list[Manifest] = [
        {
            "apiVersion": "aws.m.upbound.io/v1beta1",
            "kind": "ProviderConfig",
            "metadata": {"name": name, "namespace": name},
            "spec": config(name),
        }
        for name in NAMESPACES
    ]
    return [*spaces, *configs]


def chart_values(port: int, ca: bytes) -> dict[str, Any]:
    """Return the values for processes of this machine: no Deployments, the webhook reached at localhost."""
    service = {"externalName": "localhost", "port": port}
    return {
        "deployments": {"enabled": False},
        "admission": {"service": service, "caBundle": base64.b64encode(ca).decode()},
    }


def write_values(context: Context, values: Mapping[str, Any]) -> Path:
    """Write values as JSON, which helm reads as YAML."""
    path = context.places.private("values") / "operator.json"
    write_private(path, json.dumps(values, indent=1))
    return path


def split(rendered: str) -> tuple[str, str]:
    """Return the CRDs of a rendered chart, and all else."""
    kinds = by_kind(rendered)
    crds = [part for kind, part in kinds if kind == "CustomResourceDefinition"]
    return "---\n".join(crds), "---\n".join(part for kind, part in kinds if kind != "CustomResourceDefinition")


def helm_argv(helm: Path, chart: Path, values: Path) -> list[str]:
    """Return the command line that renders the chart."""
    return [
        *(str(helm), "template", "tap-operator", str(chart)),
        *("--namespace", NAMESPACE, "--include-crds", "--no-hooks", "--values", str(values)),
    ]


def _generated(context: Context, room: str) -> str:
    files = sorted((context.places.repository / room).glob("*.yaml"))
    if not files:
        what = f"{room}/ holds no generated YAML"
        raise ClusterError(what, "Run `make generate`, or use --control-plane-only")
    return "---\n".join(file.read_text(encoding="utf-8").removeprefix("---\n") for file in files)


def _there(folder: Path, file: str) -> Path:
    if not (folder / file).exists():
        what = f"{folder / file} is not there"
        raise ClusterError(what, "Restore it from git, or use --control-plane-only")
    return folder
