"""`python -m tap_cluster package` and `publish`: what `make package` and `make publish` run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from tap_cluster import images, release, tools
from tap_cluster.places import Places
from tap_cluster.progress import Progress
from tap_cluster.release import Package, Release

#: As IMAGE=: build none, whatever engine is here.
NONE = "none"
NO_IMAGE = (
    "No image {why}, so the function's package carries no program, and there is none of the operator. The embedded"
    " cluster runs both beside; a cluster with nodes needs a machine with an engine."
)
NO_OPERATOR = "No image of the operator {why}: a cluster with nodes needs one, from a machine with an engine."
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
    """Build the Function, the Configuration and the operator's image for a registry (default: the embedded's)."""
    built = _build(registry, image, base, out)
    for made in built.made:
        click.echo(f"{made.file}\n  for {made.reference}")
    for file in built.sboms:
        click.echo(f"{file}\n  says what its image adds to its base (CycloneDX)")


@click.command("publish")
@options
def publish(registry: str, image: str, base: str, out: Path) -> None:
    """Build them, push them, and say with which commands they are installed."""
    built = _build(registry, image, base, out)
    pushed = []
    for made in built.made:
        pushed.append(release.push(made, built.tools))
        click.echo(pushed[-1])
    click.echo("\n  ".join(("Install them with", *install_lines(pushed, embedded=not registry))))


def install_lines(pushed: Sequence[str], *, embedded: bool) -> list[str]:
    """Return the commands that install what was pushed (references with digests), in their order.

    The embedded cluster runs the operator as a process. There Crossplane is no Deployment, no provider can be pulled,
    and `make up` applied the activation policy before.
    """
    where = pushed[0].rpartition("/")[0]
    install = "helm upgrade --install {name} charts/{name} --namespace tap-system"
    platform = f"{install.format(name='platform')} --set registry={where}"
    if embedded:
        return [f"{platform} --set crossplane.check=false,providers.enabled=false --take-ownership"]
    operator = f"{install.format(name='operator')} --create-namespace"
    for reference in pushed:
        tagged, _, digest = reference.partition("@")
        repository, _, tag = tagged.rpartition(":")
        if repository == f"{where}/{images.OPERATOR}":
            operator += f" --set image.repository={repository},image.tag={tag},image.digest={digest}"
    return [operator, platform]


@dataclass(frozen=True)
class _Built:
    """What was built: what belongs into the registry, the lists of what the images hold, and the tools to push with."""

    made: list[Package]
    sboms: list[Path]
    tools: Mapping[str, Path]


def _build(registry: str, image: str, base: str, out: Path) -> _Built:
    places = Places.find()
    where, version = release.registry(registry, places), release.this_version()
    built = tools.ensure(release.TOOLS, places, Progress())
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tap-image-") as temporary:
        files = {images.FUNCTION: Path(temporary) / "image.tar", images.OPERATOR: operator_file(out, version)}
        found = _images(image, places, version, base, files)
        made = release.build(Release(where, version, found.get(images.FUNCTION)), out, places, built)
        if images.OPERATOR in found:
            made.append(Package(found[images.OPERATOR], f"{where}/{images.OPERATOR}:{version}"))
        return _Built(made, list(_sboms(found, version, out)), built)


def operator_file(out: Path, version: str) -> Path:
    """Return where the operator's image goes."""
    return out / f"{images.OPERATOR}-{version}.tar"


def _images(given: str, places: Places, version: str, base: str, files: Mapping[str, Path]) -> dict[str, Path]:
    """Return each image: the function's if it was given, and what an engine of this machine builds now.

    None where that is what is asked for.
    """
    found = {images.FUNCTION: images.given(Path(given))} if given not in ("", NONE) else {}
    engine = None if given == NONE else images.engine()
    for name in [name for name in files if name not in found]:
        if engine:
            with Progress().step(f"building the image {name} with {engine}"):
                images.build(engine, places, f"{name}:{version}", files[name], base)
            found[name] = files[name]
    why = "is asked for" if given == NONE else "is built (neither Docker nor buildah is here)"
    if images.FUNCTION not in found:
        click.echo(NO_IMAGE.format(why=why))
    elif images.OPERATOR not in found:
        click.echo(NO_OPERATOR.format(why=why))
    return found


def _sboms(found: Mapping[str, Path], version: str, out: Path) -> Iterator[Path]:
    for name, image in found.items():
        file = out / f"{name}-{version}.cdx.json"
        file.unlink(missing_ok=True)
        if listed := images.sbom(image):
            file.write_bytes(listed)
            yield file
