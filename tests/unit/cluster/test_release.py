"""What `make package` builds, from which inputs, and for which registry."""

import tarfile
from pathlib import Path

import pytest

from tap_api import manifest
from tap_api.kinds import XRS
from tap_cluster import images, package, publish, release
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


def test_the_command_that_is_printed_is_for_the_cluster_that_it_was_published_for() -> None:
    given = "helm upgrade --install platform charts/platform --namespace tap-system --set registry="
    assert publish.install_line("ghcr.io/acme", embedded=False) == f"{given}ghcr.io/acme --create-namespace"
    assert publish.install_line("127.0.0.1:1/tap", embedded=True) == (
        f"{given}127.0.0.1:1/tap --set crossplane.check=false,providers.enabled=false --take-ownership"
    )
