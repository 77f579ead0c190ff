"""Kubeconfigs. They are written as JSON, which every reader of YAML reads."""

from __future__ import annotations

import base64
import json
import shlex
import sys
from pathlib import Path

from tap_cluster.places import write_private


def with_certificate(path: Path, server: str, ca: bytes, folder: Path, namespace: str = "default") -> Path:
    """Write a kubeconfig that authenticates with `tls.crt` and `tls.key` of `folder`."""
    user = {
        "client-certificate-data": _base64((folder / "tls.crt").read_bytes()),
        "client-key-data": _base64((folder / "tls.key").read_bytes()),
    }
    return _write(path, server, ca, user, namespace)


def with_token(path: Path, server: str, ca: bytes, token: str, namespace: str) -> Path:
    """Write a kubeconfig that authenticates with a service account's token."""
    return _write(path, server, ca, {"token": token}, namespace)


def exported(path: Path) -> str:
    """Return what a shell is told to talk to a cluster: its kubeconfig, and where `kubectl` and `tap` are."""
    binaries = Path(sys.executable).parent
    return f'export KUBECONFIG={shlex.quote(str(path))} PATH={shlex.quote(str(binaries))}:"$PATH"'


def _write(path: Path, server: str, ca: bytes, user: dict[str, str], namespace: str) -> Path:
    name = "tap-embedded"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": _base64(ca)}}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        "current-context": name,
    }
    write_private(path, json.dumps(config, indent=1) + "\n")
    return path


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
