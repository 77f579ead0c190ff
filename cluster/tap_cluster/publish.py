"""`python -m tap_cluster package` and `publish`: what `make package` and `make publish` run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from tap_cluster import images, release, tools
from tap_cluster.places import Places
from tap_cluster.progress import Progress
from tap_cluster.release import Package, Release

#: As IMAGE=: build none, whatever engine is here.
NONE = "none"
NO_IMAGE = (
    "No image {why}, so the function's package carries no program. The embedded cluster runs it beside; a cluster with"
    " nodes needs IMAGE=FILE, or a machine with an engine."
)
Verb = Callable[..., None]


def options(command: Verb) -> Verb:
    """Add the options that both verbs have."""
    for option in (
        click.option("--registry", envvar="REGISTRY", default="", help="Registry and folder, such as ghcr.io/acme."),
        click.option(
            "--image",
            envvar="IMAGE",
            default="",
            help="The function's image as a tarball, or `none`; without, an engine of this machine builds it.",
        ),
        click.option("--base", envvar="BASE", default="", help="Image to build on, in place of the Dockerfile's."),
        click.option(
            "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("dist"), show_default=True
        ),
    ):
        command = option(command)
    return command


@click.command("package")
@options
def package(registry: str, image: str, base: str, out: Path) -> None:
    """Build the Function and the Configuration for a registry (default: the embedded cluster's)."""
    for made in _build(registry, image, base, out)[0]:
        click.echo(f"{made.file}\n  for {made.reference}")


@click.command("publish")
@options
def publish(registry: str, image: str, base: str, out: Path) -> None:
    """Build both, push both, and say with which command they are installed."""
    packages, built = _build(registry, image, base, out)
    for made in packages:
        click.echo(release.push(made, built))
    where = packages[0].reference.rpartition("/")[0]
    click.echo(f"Install them with\n  {install_line(where, embedded=not registry)}")


def install_line(where: str, *, embedded: bool) -> str:
    """Return the command that installs what is in a registry; no provider can be pulled by the embedded cluster.

    There Crossplane is no Deployment, and `make up` applied the activation policy before.
    """
    beside = "--set crossplane.check=false,providers.enabled=false --take-ownership"
    words = f"helm upgrade --install platform charts/platform --namespace tap-system --set registry={where}"
    return f"{words} {beside}" if embedded else f"{words} --create-namespace"


def _build(registry: str, image: str, base: str, out: Path) -> tuple[list[Package], Mapping[str, Path]]:
    places = Places.find()
    where, version = release.registry(registry, places), release.this_version()
    built = tools.ensure(release.TOOLS, places, Progress())
    with tempfile.TemporaryDirectory(prefix="tap-image-") as temporary:
        found = _image(image, places, version, base, Path(temporary) / "image.tar")
        return release.build(Release(where, version, found), out, places, built), built


def _image(given: str, places: Places, version: str, base: str, file: Path) -> Path | None:
    """Return the image that was given, or one that is built now; none where that is what is asked, or nothing can."""
    if given not in ("", NONE):
        return images.given(Path(given))
    engine = None if given else images.engine()
    if engine is None:
        click.echo(NO_IMAGE.format(why="is asked for" if given else "(neither Docker nor buildah is here)"))
        return None
    with Progress().step(f"building the function's image with {engine}"):
        images.build(engine, places, version, file, base)
    return file
