"""The images: what their Dockerfiles promise. That they build and run is for a machine with an engine to say."""

import ast
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from tap_cluster import images

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = {Path(folder).name: folder for folder in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
IMAGES = images.DOCKERFILES
LOCK_OF_SBOM = "requirements/sbom.txt"

each = pytest.mark.parametrize("image", IMAGES)


def instructions(image: str) -> list[tuple[str, str]]:
    """Returns the instructions of an image's Dockerfile, without comments, each on one line."""
    text = (ROOT / IMAGES[image]).read_text(encoding="utf-8")
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    lines = re.sub(r"\s*\\\n\s*", " ", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line)]


def said(image: str, word: str) -> list[str]:
    """Returns what follows `word`, at each place where it stands."""
    return [rest for first, rest in instructions(image) if first == word]


def copied(image: str) -> dict[str, str]:
    """Returns what is copied from the repository, and where to."""
    pairs = [rest.split() for rest in said(image, "COPY") if not rest.startswith("--from=")]
    return dict(pairs)


def imported(package: str) -> set[str]:
    """Returns the package, and each of ours that it imports, or that one of those imports."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / ROOMS[package]).rglob("*.py")]
    syntax = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in syntax if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in syntax if isinstance(node, ast.ImportFrom) and node.module}
    ours = {name.partition(".")[0] for name in names} & ROOMS.keys() - {package}
    return {package}.union(*(imported(other) for other in ours))


@each
def test_an_image_stands_on_one_very_base_for_all_unless_another_is_given(image: str) -> None:
    assert re.fullmatch(r"BASE=python:3\.13-slim-bookworm@sha256:[0-9a-f]{64}", said(image, "ARG")[0])
    assert instructions(image)[0] == instructions(next(iter(IMAGES)))[0]
    assert said(image, "FROM") == ["${BASE} AS build", "${BASE}"]
    assert "latest" not in (ROOT / IMAGES[image]).read_text(encoding="utf-8")
    assert "://" not in (ROOT / IMAGES[image]).read_text(encoding="utf-8")


@each
def test_an_image_runs_as_the_user_of_the_chart_whose_number_is_not_roots(image: str) -> None:
    chart = (ROOT / "charts/operator/templates/_helpers.tpl").read_text(encoding="utf-8")
    users = dict(re.findall(r"^(runAsUser|runAsGroup): (\d+)$", chart, re.MULTILINE))
    assert int(users["runAsUser"]) > 0
    assert [word for word, _ in instructions(image)[-2:]] == ["USER", "ENTRYPOINT"]
    assert said(image, "USER") == [f"{users['runAsUser']}:{users['runAsGroup']}"]


@each
def test_an_image_needs_no_entry_of_its_user_and_writes_no_bytecode_where_it_runs(image: str) -> None:
    wanted = {"USER=tap", "HOME=/nonexistent", "PYTHONDONTWRITEBYTECODE=1", "PATH=/app/bin:${PATH}"}
    assert wanted - set(said(image, "ENV")[0].split()) == set()


@each
def test_what_is_installed_is_pinned_by_its_hash_and_not_built(image: str) -> None:
    locks = {f"requirements/{image.removeprefix('tap-')}.txt": "/src/requirements.txt", LOCK_OF_SBOM: "/src/sbom.txt"}
    assert {source: copied(image)[source] for source in locks} == locks
    installs = [rest for rest in said(image, "RUN") if " install " in rest]
    assert len(installs) == 2
    for line, (lock, target) in zip(installs, locks.items(), strict=True):
        words = shlex.split(line)
        assert {"--require-hashes", "--only-binary"} <= set(words)
        assert words[words.index("--requirement") + 1] == target
        pins = re.split(r"^(?=\S)", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        assert [pin for pin in pins if not re.match(r"\S+==\S+ .*--hash=sha256:", pin, re.DOTALL)] == []


@each
def test_an_image_says_what_it_holds_where_the_release_looks_and_keeps_nothing_of_what_says_so(image: str) -> None:
    [line] = [rest for rest in said(image, "RUN") if "cyclonedx-py" in rest]
    words = shlex.split(line)
    assert words[words.index("--output-file") + 1] == f"/{images.SBOM}"
    assert words[-1] == "/app/bin/python"
    assert said(image, "COPY")[-1] == "--from=build /app /app", "of the stage that builds nothing else is kept"


@each
def test_an_image_holds_the_packages_that_its_program_imports_and_no_others(image: str) -> None:
    wanted = imported(image.replace("-", "_"))
    sources = {source: target for source, target in copied(image).items() if not source.startswith("requirements/")}
    assert sources == {ROOMS[package]: f"/src/packages/{package}" for package in wanted}


@each
def test_an_image_starts_the_program_that_an_installation_would_start(image: str) -> None:
    assert [json.loads(rest) for rest in said(image, "ENTRYPOINT")] == [[image]]
    module, _, function = PROJECT["project"]["scripts"][image].partition(":")
    script = [
        "#!/app/bin/python",
        "import sys",
        f"from {module} import {function}",
        f"sys.exit({function}())",
    ]
    assert [rest for rest in said(image, "RUN") if shlex.join(script) in rest]
    assert f"/app/bin/{image} --help > /dev/null" in said(image, "RUN")


def test_the_context_is_what_the_images_copy_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    let_in = {source for image in IMAGES for source in copied(image)}
    assert (rules[0], rules[-1]) == ("*", "**/__pycache__")
    assert sorted(rules[1:-1]) == sorted(f"!{source}" for source in let_in)
    assert [source for source in let_in if not (ROOT / source).exists()] == []
