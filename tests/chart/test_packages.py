"""The packages as Crossplane's own CLI builds them: their bytes, and what is in them."""

import gzip
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tap_api import manifest
from tap_cluster import api, release
from tap_cluster.places import Places
from tap_cluster.release import Release
from tap_stack import packages

RELEASE = Release("registry.example.org/acme", "v0.1.0")


@pytest.fixture(scope="session")
def tools() -> Mapping[str, Path]:
    return {name: api.tool(name) for name in release.TOOLS}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return replace(Places.find(), state=tmp_path / "state")


class Xpkg:
    """A package file: an image whose layers and configuration can be read."""

    def __init__(self, path: Path) -> None:
        with tarfile.open(path) as tar:
            files = {member.name: tar.extractfile(member) for member in tar}
            content = {name: file.read() for name, file in files.items() if file}
        [described] = json.loads(content["manifest.json"])
        self.config: Any = json.loads(content[described["Config"]])
        self.layers = [content[name] for name in described["Layers"]]

    def documents(self) -> list[Any]:
        """Returns what the layer with `package.yaml` says."""
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(self.layers[-1]))) as tar:
            file = tar.extractfile("package.yaml")
            assert file
            return list(manifest.load(file.read().decode(), Path("package.yaml")))


def test_the_same_inputs_make_the_same_bytes_wherever_and_whenever(
    tools: Mapping[str, Path], places: Places, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    for room in ("xrds", "compositions", "functions"):
        shutil.copytree(places.repository / room, elsewhere / room, copy_function=shutil.copyfile)
    for path in elsewhere.rglob("*.yaml"):
        os.utime(path, (1, 1))
    here = release.build(RELEASE, tmp_path / "1", places, tools)
    there = release.build(RELEASE, tmp_path / "2", replace(places, repository=elsewhere), tools)
    assert [made.file.read_bytes() for made in here] == [made.file.read_bytes() for made in there]
    assert [made.reference for made in here] == [
        "registry.example.org/acme/function-tap:v0.1.0",
        "registry.example.org/acme/configuration-tap:v0.1.0",
    ]


def test_the_registry_is_in_what_is_built_and_not_in_the_repository(
    tools: Mapping[str, Path], places: Places, tmp_path: Path
) -> None:
    _, configuration = release.build(RELEASE, tmp_path / "dist", places, tools)
    meta, *objects = Xpkg(configuration.file).documents()
    assert meta["spec"] == packages.configuration(RELEASE.registry, RELEASE.version)["spec"]
    assert {found["kind"] for found in objects} == {"Composition", "CompositeResourceDefinition"}
    assert len(objects) == len(release.contents(places)) == 14
    inside = [*release.contents(places), places.repository / "functions/package/crossplane.yaml"]
    assert not [path for path in inside if "registry.example.org" in path.read_text(encoding="utf-8")]


def test_an_image_that_is_given_is_what_the_function_runs(
    tools: Mapping[str, Path], places: Places, tmp_path: Path
) -> None:
    image, layer = tmp_path / "image.tar", tmp_path / "layer.tar"
    with tarfile.open(layer, "w") as tar:
        tar.add(Path(__file__), "app/program")
    argv: list[str | Path] = [tools["crane"], "append", "--new_tag", "app:1", "--new_layer", layer, "--output", image]
    subprocess.run(argv, check=True, capture_output=True)
    bare, _ = release.build(RELEASE, tmp_path / "bare", places, tools)
    whole, _ = release.build(replace(RELEASE, image=image), tmp_path / "whole", places, tools)
    [alone], [base, added] = Xpkg(bare.file).layers, Xpkg(whole.file).layers
    assert alone == added
    assert b"app/program" in gzip.decompress(base)
    assert Xpkg(whole.file).documents() == Xpkg(bare.file).documents()
    [label] = Xpkg(whole.file).config["config"]["Labels"].items()
    assert label[0].startswith("io.crossplane.xpkg:sha256:")
    assert label[1] == "base"
