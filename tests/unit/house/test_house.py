"""The house itself: what a new user reads is true, and no room shadows another."""

import operator
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tap_api import manifest, reference
from tap_api.base import API_VERSION
from tap_api.kinds import KINDS
from tap_api.policy import judge

ROOT = Path(__file__).parents[3]
DOCS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)) | {"synth"}


def fenced(language: str) -> list[tuple[str, str]]:
    """Returns the fenced blocks of `language` in all documents, with where they stand."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [
        (str(doc.relative_to(ROOT)), block)
        for doc in DOCS
        for block in pattern.findall(doc.read_text(encoding="utf-8"))
    ]


def test_the_operator_room_does_not_shadow_the_standard_library() -> None:
    assert operator.itemgetter(1)("ab") == "b"
    assert not (ROOT / "operator/__init__.py").exists()
    assert not list((ROOT / "operator").rglob("test_*.py"))


def test_the_standard_library_wins_from_the_root_of_the_checkout_too() -> None:
    code = "import operator, tap_operator; print(operator.itemgetter.__name__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "itemgetter\n"


def test_make_help_describes_every_target() -> None:
    described = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
    assert set(re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)) == {
        *(target for target in described if target != "synth"),
        "synth generate",
    }


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: str(doc.relative_to(ROOT)))
def test_every_make_target_and_file_that_a_document_names_exists(doc: Path) -> None:
    text = doc.read_text(encoding="utf-8")
    typed = linked = text
    if doc == ROOT / reference.PATH:
        # The words of its models say what to make, and patterns look like links: a command is code there, a link is not.
        code = r"`[^`\n]*`"
        typed, linked = "\n".join(re.findall(code, text)), re.sub(code, "", text)
    for target in re.findall(r"(?:^|[`$ ])make ([a-z]+)(?=[`\s])", typed):
        assert target in TARGETS, f"{doc.name} names `make {target}`"
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", linked):
        assert (doc.parent / link).exists(), f"{doc.name} links to {link}"
    for path in re.findall(r"\bclaims/[\w./-]+\.yaml", text):
        assert (ROOT / path).exists(), f"{doc.name} names {path}"


@pytest.mark.parametrize(("where", "text"), fenced("yaml"))
def test_every_manifest_in_the_documents_is_valid(where: str, text: str) -> None:
    for document in manifest.load(text, Path(where)):
        assert document["apiVersion"] == API_VERSION
        assert judge(document["kind"], document) == []


def test_there_is_a_manifest_in_the_readme() -> None:
    assert "README.md" in {where for where, _ in fenced("yaml")}


def test_claims_hold_no_namespace_object() -> None:
    claims = [d for path in (ROOT / "claims").rglob("*.yaml") for d in manifest.read(path)]
    assert {document["kind"] for document in claims} <= {"EnvironmentTap", "RegionalTap"}


def test_no_hand_written_file_is_longer_than_five_hundred_lines() -> None:
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    lengths = {name: len((ROOT / name).read_text().splitlines()) for name in tracked.stdout.split()}
    assert {name: length for name, length in lengths.items() if length > 500} == {}


def test_no_package_registry_is_named() -> None:
    hosts = "|".join(
        f"{name}[.]{end}" for name, end in (("proxy", "golang"), ("pypi", "org"), ("files", "pythonhosted"))
    )
    found = subprocess.run(["git", "grep", "-lE", hosts], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.stdout == ""


def test_the_version_is_one() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    done = subprocess.run([sys.executable, "-m", "tap_cli", "--version"], capture_output=True, text=True, check=True)
    assert version and done.stdout == f"tap, version {version[1]}\n"


def test_every_kind_of_the_api_is_emitted() -> None:
    names = {path.name.partition(".")[0] for path in (ROOT / "xrds").glob("*.yaml")}
    names |= {path.name.partition(".")[0] for path in (ROOT / "charts/operator/templates/crds").glob("*.yaml")}
    assert names == {kind.plural for kind in KINDS.values()}


def test_every_document_is_found_from_the_first_one() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / link).resolve() for link in re.findall(r"\]\(([^)#]+)", index)}
    assert [str(doc.relative_to(ROOT)) for doc in (ROOT / "docs").rglob("*.md") if doc not in linked] == [
        "docs/README.md"
    ]
