"""What `make package` builds, from which inputs, and for which registry."""

import io
import json
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from tap_api import manifest
from tap_api.kinds import XRS
from tap_cluster import images, package, publish, release, tools
from tap_cluster.errors import ClusterError
from tap_cluster.images import Engine
from tap_cluster.places import Places
from tap_cluster.release import Release
from tap_cluster.state import State
from tap_stack import packages


def places(state: Path) -> Places:
    return Places(Places.find().repository, state, state / "cache")


@pytest.mark.parametrize(
    "given",
    ["ghcr.io/acme", "127.0.0.1:5000/tap", "registry.example.org", "quay.io/a-b/c_d/e.f", "r.example.org:443/x"],
)
def test_a_registry_is_taken_as_it_is_written(given: str, tmp_path: Path) -> None:
    assert release.registry(given, places(tmp_path)) == given


@pytest.mark.parametrize(
    "given",
    [
        "https://ghcr.io/acme",
        "ghcr.io/acme/",
        "ghcr.io/Acme",
        "localhost:5000/tap",
        "acme/tap",
        "ghcr.io/a b",
        "ghcr.io//a",
    ],
)
def test_what_crossplane_would_not_pull_from_is_refused_with_how_to_write_it(given: str, tmp_path: Path) -> None:
    with pytest.raises(ClusterError) as caught:
        release.registry(given, places(tmp_path))
    assert str(caught.value) == (
        f"REGISTRY={given} is no host with a dot and folders, in small letters."
        " Write it as ghcr.io/your-organisation or 127.0.0.1:5000/tap, without a scheme"
    )


def test_without_a_name_it_is_the_registry_of_the_embedded_cluster(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="no registry is named, and there is no embedded cluster"):
        release.registry("", places(tmp_path))
    state = State.load(places(tmp_path).private() / "state.json")
    state.ports["registry"] = 4321
    state.save()
    assert release.registry("", places(tmp_path)) == "127.0.0.1:4321/tap"
    assert f"127.0.0.1:4321/tap/{packages.FUNCTION}" == f"127.0.0.1:4321/{package.REPOSITORY}"


def test_the_configuration_holds_each_xrd_with_its_composition_and_nothing_else(tmp_path: Path) -> None:
    release.write_configuration(Release("ghcr.io/acme", "v9.8.7"), places(tmp_path), tmp_path)
    [meta] = manifest.read(tmp_path / "crossplane.yaml")
    assert meta == packages.configuration("ghcr.io/acme", "v9.8.7")
    (tmp_path / "crossplane.yaml").unlink()
    found = {(d["kind"], d["metadata"]["name"]) for path in tmp_path.glob("*.yaml") for d in manifest.read(path)}
    kinds = ("CompositeResourceDefinition", "Composition")
    assert found == {(kind, f"{xr.plural}.tap.platform") for xr in XRS for kind in kinds}


def test_the_version_is_the_projects() -> None:
    assert packages.compatible(release.this_version())


def test_an_image_is_built_and_kept_by_either_engine() -> None:
    given = {"VERSION": "v1", "BASE": "base:1"}
    docker = images.build_argv(Engine.DOCKER, Path("/repo"), "tap-function:v1", given, "1700000000")
    buildah = images.build_argv(Engine.BUILDAH, Path("/repo"), "tap-function:v1", given, "1700000000")
    same = [
        *("--quiet", "--build-arg", "VERSION=v1", "--build-arg", "BASE=base:1"),
        *("--tag", "tap-function:v1", "--file", "/repo/functions/Dockerfile", "/repo"),
    ]
    assert docker == ["docker", "build", *same]
    assert buildah == ["buildah", "build", "--isolation", "chroot", "--timestamp", "1700000000", *same]
    operator = images.build_argv(Engine.DOCKER, Path("/repo"), "tap-operator:v1", given, "1700000000")
    assert operator[-5:] == ["--tag", "tap-operator:v1", "--file", "/repo/operator/Dockerfile", "/repo"]
    assert images.save_argv(Engine.DOCKER, "t:1", Path("/f")) == ["docker", "save", "--output", "/f", "t:1"]
    assert images.save_argv(Engine.BUILDAH, "t:1", Path("/f"))[-1] == "docker-archive:/f:t:1"


def test_an_image_that_is_given_has_to_be_one(tmp_path: Path) -> None:
    file = tmp_path / "image.tar"
    for content in (None, b"no tarball"):
        if content:
            file.write_bytes(content)
        with pytest.raises(ClusterError, match=f"IMAGE={file} is no image tarball"):
            images.given(file)
    with tarfile.open(file, "w") as tar:
        tar.add(__file__, "manifest.json")
    assert images.given(file) == file


def test_an_image_goes_into_the_functions_package_alone() -> None:
    assert release.embed(None) == []
    assert release.embed(Path("/image.tar")) == ["--embed-runtime-image-tarball=/image.tar"]


def image(file: Path, *layers: dict[str, bytes]) -> Path:
    """Writes an image tarball, as `docker save` lays it out."""
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    files = {name: tarball(layer) for name, layer in zip(names, layers, strict=True)}
    file.write_bytes(tarball({**files, "manifest.json": json.dumps([{"Layers": names}]).encode()}))
    return file


NO_ENGINE = "is built (neither Docker nor buildah is here)"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", f"No image {NO_ENGINE}, so the function's package carries no program,"),
        ("none", "No image is asked for, so the function's package carries no program,"),
        ("image.tar", f"No image of the operator {NO_ENGINE}: a cluster with nodes needs one,"),
    ],
)
def test_what_is_said_where_an_image_is_absent_is_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    image(tmp_path / "image.tar")
    monkeypatch.setattr(images, "engine", lambda: None)
    monkeypatch.setattr(tools, "ensure", lambda *_: {})
    monkeypatch.setattr(release, "build", lambda *_: [])
    done = CliRunner().invoke(publish.package, ["--registry", "ghcr.io/acme", "--image", given])
    assert (done.exit_code, done.output.startswith(said)) == (0, True), done.output


def tarball(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def test_what_an_image_holds_is_read_from_the_last_layer_that_says_so(tmp_path: Path) -> None:
    before, last = ({images.SBOM: text, "app/bin": b""} for text in (b"before", b"last"))
    assert images.sbom(image(tmp_path / "1.tar", before, last, {"etc/x": b""})) == b"last"
    assert images.sbom(image(tmp_path / "2.tar", {"etc/x": b""})) is None


def test_the_commands_that_are_printed_are_for_the_cluster_that_it_was_published_for() -> None:
    operator = "helm upgrade --install operator charts/operator --namespace tap-system --create-namespace"
    platform = "helm upgrade --install platform charts/platform --namespace tap-system --set registry="
    of = {name: f"{name}:v0.1.0@sha256:{name[:4]}" for name in ("function-tap", "configuration-tap", "tap-operator")}
    pushed = [f"ghcr.io/acme/{reference}" for reference in of.values()]
    assert publish.install_lines(pushed, embedded=False) == [
        f"{operator} --set image.repository=ghcr.io/acme/tap-operator,image.tag=v0.1.0,image.digest=sha256:tap-",
        f"{platform}ghcr.io/acme",
    ]
    assert publish.install_lines(pushed[:2], embedded=False)[0] == operator, "where no image of it was built"
    assert publish.install_lines([f"127.0.0.1:1/tap/{reference}" for reference in of.values()], embedded=True) == [
        f"{platform}127.0.0.1:1/tap --set crossplane.check=false,providers.enabled=false --take-ownership"
    ]
