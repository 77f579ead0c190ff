"""The operator's chart, rendered with the project's own helm."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tap_api import manifest
from tap_api.base import Json
from tap_cluster import api

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "operator"
#: Renders the chart with these values; returns its objects by `Kind/name`.
Render = Callable[..., dict[str, Json]]


@pytest.fixture(scope="session")
def helm() -> Path:
    """The helm that the project builds."""
    return api.tool("helm")


@pytest.fixture(scope="session")
def render(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    def rendered(**values: Any) -> dict[str, Json]:
        file = tmp_path_factory.mktemp("values") / "values.json"
        file.write_text(json.dumps(values))
        command: list[str | Path] = [helm, "template", "tap", CHART, "--namespace", "tap-system", "--values", file]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(done.stderr)
        assert not done.stderr
        return {f"{o['kind']}/{o['metadata']['name']}": o for o in manifest.load(done.stdout, file)}

    return rendered


@pytest.fixture(scope="session")
def chart(render: Render) -> dict[str, Json]:
    """The chart as `helm install` without values has it."""
    return render()
