"""The charts, rendered with the project's own helm."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from tap_api import manifest
from tap_api.base import Json
from tap_cluster import api, golang
from tap_cluster.places import Places

ROOT = Path(__file__).parents[2]
CHARTS = ROOT / "charts"
CHART = CHARTS / "operator"
#: Whose schemas objects are held to: the version that the project runs.
KUBERNETES = golang.pinned(Places.find().recipes / "kubernetes", "k8s.io/kubernetes").removeprefix("v")
#: Objects that were held to them: most are the same whatever the values.
_VALID: set[str] = set()
#: Renders the chart with these values; returns its objects by `Kind/name`.
Render = Callable[..., dict[str, Json]]


@pytest.fixture(scope="session")
def helm() -> Path:
    """The helm that the project builds."""
    return api.tool("helm")


def hold_to_its_schema(document: Json) -> None:
    """Asserts that an object of Kubernetes itself has the fields that it may have, and no other, each of its type.

    Kinds of others (ours, Crossplane's, Prometheus's, cert-manager's) are for a real apiserver that serves them.
    """
    key = json.dumps(document, sort_keys=True)
    if key in _VALID:
        return
    group = document["apiVersion"].rpartition("/")[0]
    if "." not in group or group.endswith(".k8s.io"):
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    _VALID.add(key)


def rendering(helm: Path, chart: Path, folder: Path) -> Render:
    """Returns what renders a chart; the values lie in `folder`."""

    def rendered(**values: Any) -> dict[str, Json]:
        file = folder / "values.json"
        file.write_text(json.dumps(values))
        command: list[str | Path] = [helm, "template", "tap", chart, "--namespace", "tap-system", "--values", file]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(done.stderr)
        assert not done.stderr
        found = {f"{o['kind']}/{o['metadata']['name']}": o for o in manifest.load(done.stdout, file)}
        for document in found.values():
            hold_to_its_schema(document)
        return found

    return rendered


def said(helm: Path, chart: Path, **values: Any) -> str:
    """Returns what helm says after an installation with these values; no cluster is asked."""
    command: list[str | Path] = [helm, "install", "tap", chart, "--dry-run=client", "--values", "-"]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=True)
    return done.stdout.partition("\nNOTES:\n")[2]


def complaints(helm: Path, chart: Path, **values: Any) -> str:
    """Returns what `helm lint --strict` finds."""
    command: list[str | Path] = [helm, "lint", "--strict", "--quiet", chart, "--values", "-"]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def documented(chart: str) -> list[tuple[str, str]]:
    """Returns the values that the documents show for a chart (```yaml charts/NAME), with where they stand."""
    pattern = re.compile(rf"^```yaml charts/{chart}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    docs = sorted((ROOT / "docs").glob("*.md"))
    return [(doc.name, block) for doc in docs for block in pattern.findall(doc.read_text(encoding="utf-8"))]


@pytest.fixture(scope="session")
def render(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    return rendering(helm, CHART, tmp_path_factory.mktemp("values"))


@pytest.fixture(scope="session")
def chart(render: Render) -> dict[str, Json]:
    """The chart as `helm install` without values has it."""
    return render()
