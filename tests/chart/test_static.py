"""The charts as tools see them that look for what is wrong or insecure: no finding without a reason."""

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from chart.conftest import CHARTS, ROOT, documented, hold_to_its_schema
from tap_api import manifest
from tap_api.base import Json
from tap_cluster import api

#: What everybody who installs has to give, and what the documents advise.
VALUES = {
    "operator": {"image": {"repository": "registry.example.org/acme/tap-operator", "digest": "sha256:" + "5" * 64}},
    "platform": {"registry": "registry.example.org/acme"},
    "environment": yaml.safe_load(documented("environment")[0][1]),
}
#: What kube-score would have otherwise -> why it is not.
KUBE_SCORE = {
    "ImagePullPolicy is not set to Always": "a tag is a version and is never moved; a node that has it needs no registry",
    "CPU limit is not set": "a limit throttles: admission would answer late, and claims be refused for it",
    "Deployment does not have a host podAntiAffinity set": "topologySpreadConstraints spread the replicas over nodes",
}
#: What checkov would have otherwise -> why it is not.
CHECKOV = {
    "CKV_K8S_8": "the pod of `helm test` asks once and ends: there is nothing to be kept alive",
    "CKV_K8S_9": "and nobody asks it anything",
    "CKV_K8S_11": KUBE_SCORE["CPU limit is not set"],
    "CKV_K8S_38": "each of these asks the apiserver, as its own account: that is what the token is for",
}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with each chart, rendered."""
    folder, helm = tmp_path_factory.mktemp("charts"), api.tool("helm")
    for chart, values in VALUES.items():
        command: list[str | Path] = [helm, "template", "tap", CHARTS / chart, "-n", "tap-system", "--values", "-"]
        done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=True)
        (folder / f"{chart}.yaml").write_text(done.stdout, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def checkov() -> Path:
    """checkov, in an environment of its own: it pins libraries that everything else here needs newer."""
    lock, home = ROOT / "requirements" / "checkov.txt", ROOT / ".venv-checkov"
    stamp = home / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    if not stamp.exists():
        uv = ROOT / ".venv" / "bin" / "uv"
        subprocess.run([uv, "venv", "--quiet", "--clear", home], check=True)
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", home / "bin" / "python", "--require-hashes", "-r", lock],
            check=True,
        )
        stamp.touch()
    return home / "bin" / "checkov"


def test_kube_score_finds_nothing_but_what_is_otherwise_for_a_reason(rendered: Path) -> None:
    argv: list[str | Path] = [api.tool("kube-score"), "score", "--output-format", "ci", rendered / "operator.yaml"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.splitlines() if line.startswith(("[CRITICAL]", "[WARNING]"))]
    assert "[OK] tap-admission/tap-system apps/v1/Deployment" in done.stdout, "it looked at what there is"
    assert {reason for reason in KUBE_SCORE if any(reason in line for line in found)} == KUBE_SCORE.keys(), (
        "still needed"
    )
    assert [line for line in found if not any(reason in line for reason in KUBE_SCORE)] == []


def test_checkov_finds_nothing_but_what_is_otherwise_for_a_reason(rendered: Path, checkov: Path) -> None:
    argv: list[str | Path] = [checkov, "--directory", rendered, "--framework", "kubernetes", "--output", "json"]
    # It would ask for guidelines of its vendor's, and tell that it ran.
    argv += ["--skip-download", "--skip-results-upload"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    said: Any = json.loads(done.stdout)
    assert (said["summary"]["parsing_errors"], said["summary"]["passed"] > 300) == (0, True), done.stderr
    failed = {(item["check_id"], item["check_name"], item["resource"]) for item in said["results"]["failed_checks"]}
    assert {check for check, _, _ in failed} >= CHECKOV.keys(), "still needed"
    assert [item for item in sorted(failed) if item[0] not in CHECKOV] == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"spec": {"replicaz": 2}}, "'replicaz' was unexpected"),
        ({"spec": {"replicas": "two"}}, "'two' is not of type"),
    ],
)
def test_a_field_that_kubernetes_does_not_have_is_found(rendered: Path, wrong: Json, said: str) -> None:
    documents = manifest.load((rendered / "operator.yaml").read_text(encoding="utf-8"), rendered)
    deployment = next(item for item in documents if item["kind"] == "Deployment")
    hold_to_its_schema(deployment)
    with pytest.raises(kubernetes_validate.ValidationError, match=said):
        hold_to_its_schema({**deployment, "spec": {**deployment["spec"], **wrong["spec"]}})


@pytest.mark.parametrize("chart", VALUES)
def test_every_value_has_a_row_in_the_reference(chart: str) -> None:
    page = (ROOT / "docs" / "reference" / "charts.md").read_text(encoding="utf-8")
    section = page.partition(f"## charts/{chart}\n")[2].partition("\n## ")[0]
    rows = {
        path: json.loads(default)
        for path, default in re.findall(r"^\| `([^`]+)` \|[^|\n]*\| `(.*?)` \|", section, re.M)
    }
    values = yaml.safe_load((CHARTS / chart / "values.yaml").read_text(encoding="utf-8"))
    assert {
        path: default for path, default in rows.items() if reduce(getitem, path.split("."), values) != default
    } == {}
    assert [leaf for leaf in leaves("", values) if not any(f"{leaf}.".startswith(f"{path}.") for path in rows)] == []


def leaves(path: str, values: Json) -> Iterator[str]:
    """Yields the path of everything that can be set."""
    for key, value in values.items():
        below = f"{path}.{key}".lstrip(".")
        yield from leaves(below, value) if isinstance(value, dict) and value else [below]
