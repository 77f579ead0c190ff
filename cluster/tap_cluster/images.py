"""Our two images as tarballs, from whichever engine is here; where none is, there is no image."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from tap_cluster import kind, nodes
from tap_cluster.errors import ClusterError
from tap_cluster.places import Places
from tap_cluster.run import run

#: The Dockerfile of each image.
DOCKERFILES = {image.partition(":")[0]: dockerfile for image, dockerfile in nodes.IMAGES.items()}
FUNCTION, OPERATOR = DOCKERFILES
#: What the Dockerfiles write down of what they install (https://cyclonedx.org).
SBOM = "app/sbom.cdx.json"


class Engine(StrEnum):
    """What builds an image."""

    DOCKER = "docker"
    BUILDAH = "buildah"


def engine() -> Engine | None:
    """Return the engine of this machine: Docker where it answers, else buildah, else none."""
    if kind.docker_answers():
        return Engine.DOCKER
    return Engine.BUILDAH if shutil.which("buildah") else None


def given(file: Path) -> Path:
    """Return the image that somebody has.

    Raises:
        ClusterError: it is not there, or no tarball.
    """
    if not (file.is_file() and tarfile.is_tarfile(file)):
        what = f"IMAGE={file} is no image tarball"
        raise ClusterError(what, "Give a file that `docker save` or `buildah push … docker-archive:` wrote, or `none`")
    return file


def build(engine: Engine, places: Places, tag: str, file: Path, base: str = "") -> None:
    """Build one of our images and keep it in `file`, as an image tarball.

    Args:
        engine: What builds it.
        places: Where the repository is.
        tag: Which, of DOCKERFILES, and after a colon its version.
        file: Where the tarball goes.
        base: The image to build on; empty: the Dockerfile's.

    Raises:
        ClusterError: the engine failed; its last line is in the message.
    """
    given, committed = arguments(places, tag.partition(":")[2], base), _git(places, "%ct") or "0"
    file.unlink(missing_ok=True)
    for argv in (build_argv(engine, places.repository, tag, given, committed), save_argv(engine, tag, file)):
        # As whoever runs it: their engine, its storage, their registries' credentials.
        run(argv, env=dict(os.environ))


def sbom(file: Path) -> bytes | None:
    """Return what an image says that it adds to its base, as its build wrote it down; None where it says nothing."""
    with tarfile.open(file) as archive:
        [image] = json.loads(_member(archive, "manifest.json") or b"[{}]")
        for name in reversed(image.get("Layers", [])):
            opened = archive.extractfile(name)
            with tarfile.open(fileobj=opened) as layer:
                if found := _member(layer, SBOM):
                    return found
    return None


def _member(archive: tarfile.TarFile, name: str) -> bytes | None:
    try:
        opened = archive.extractfile(name)
    except KeyError:
        return None
    return opened.read() if opened else None


def arguments(places: Places, version: str, base: str = "") -> dict[str, str]:
    """Return the arguments of the Dockerfiles: what an image says of itself, and what it stands on if told."""
    revision = _git(places, "%H") or "unknown"
    return {"VERSION": version, "REVISION": revision, **({"BASE": base} if base else {})}


def options_of(given: Mapping[str, str]) -> list[str]:
    """Return arguments as options of an engine."""
    return [word for name, value in given.items() for word in ("--build-arg", f"{name}={value}")]


def build_argv(engine: Engine, repository: Path, tag: str, given: Mapping[str, str], committed: str) -> list[str]:
    """Return the command line that builds the image.

    `committed` is when, in seconds: buildah gives it to every file, so that the same commit makes the same image. With
    `chroot` buildah needs no right to make namespaces.
    """
    options, dockerfile = options_of(given), DOCKERFILES[tag.partition(":")[0]]
    if engine is Engine.DOCKER:
        return kind.build_argv(tag, dockerfile, repository, options)
    verb = ("buildah", "build", "--isolation", "chroot", "--timestamp", committed)
    return kind.build_argv(tag, dockerfile, repository, options, verb)


def save_argv(engine: Engine, tag: str, file: Path) -> Sequence[str]:
    """Return the command line that keeps the image as a tarball."""
    if engine is Engine.DOCKER:
        return ["docker", "save", "--output", str(file), tag]
    return ["buildah", "push", "--quiet", f"localhost/{tag}", f"docker-archive:{file}:{tag}"]


def _git(places: Places, what: str) -> str:
    """Return what git says of the commit that is checked out, or nothing: an unpacked archive has none."""
    try:
        return run(["git", "-C", places.repository, "log", "-1", f"--format={what}"]).strip()
    except ClusterError:
        return ""
