"""The packages that are published: the Function, and the Configuration with every XRD and Composition.

Crossplane's own CLI builds and pushes them. The same inputs make the same bytes; the registry is written into what is
built and nowhere else.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tap_api import manifest
from tap_cluster import embedded, package
from tap_cluster.errors import ClusterError
from tap_cluster.places import Places
from tap_cluster.run import child_env, run
from tap_cluster.state import State
from tap_stack import packages

TOOLS = ("crossplane-cli", "crane")
#: What a registry is, as far as Crossplane takes it: a host with a dot (`localhost` is refused), and folders.
REGISTRY = re.compile(r"(?=[^/:]*[.])[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
#: The loopback registry of the embedded cluster keeps ours below this.
FOLDER = package.REPOSITORY.rpartition("/")[0]


@dataclass(frozen=True)
class Package:
    """One package, or the operator's image: the file it was built into, and where it belongs."""

    file: Path
    reference: str


@dataclass(frozen=True)
class Release:
    """What to build: for which registry, at which version, and the function's image where there is one."""

    registry: str
    version: str
    image: Path | None = None


def this_version() -> str:
    """Return the version of this checkout, as tags have it."""
    return f"v{version('tap-crossplane')}"


def registry(given: str, places: Places) -> str:
    """Return the registry that was named, else the loopback one of the embedded cluster.

    Raises:
        ClusterError: none was named and there is no embedded cluster, or it is none that Crossplane takes.
    """
    port = State.load(embedded.state_file(places)).ports.get("registry")
    found = given or (f"127.0.0.1:{port}/{FOLDER}" if port else "")
    if not found:
        what = "no registry is named, and there is no embedded cluster to take one of"
        raise ClusterError(what, "Give REGISTRY=ghcr.io/your-organisation, or run `make up CLUSTER=embedded` first")
    if not REGISTRY.fullmatch(found):
        what = f"REGISTRY={found} is no host with a dot and folders, in small letters"
        raise ClusterError(what, "Write it as ghcr.io/your-organisation or 127.0.0.1:5000/tap, without a scheme")
    return found


def build(release: Release, out: Path, places: Places, tools: Mapping[str, Path]) -> list[Package]:
    """Build the Function and the Configuration into `out`.

    Raises:
        ClusterError: the CLI refuses one; its last line is in the message.
    """
    out.mkdir(parents=True, exist_ok=True)
    cli, made = tools["crossplane-cli"], []
    with tempfile.TemporaryDirectory(prefix="tap-package-") as temporary:
        root = Path(temporary)
        write_configuration(release, places, root)
        for name, folder, image in (
            (packages.FUNCTION, package.source(places), release.image),
            (packages.CONFIGURATION, root, None),
        ):
            file = out / f"{name}-{release.version}.xpkg"
            file.unlink(missing_ok=True)
            run([*package.build_argv(cli, folder, file), *embed(image)], env=child_env(places))
            made.append(Package(file, f"{release.registry}/{name}:{release.version}"))
    return made


def write_configuration(release: Release, places: Places, root: Path) -> None:
    """Write the folder that the Configuration is built from: its `crossplane.yaml`, the XRDs and the Compositions."""
    document = packages.configuration(release.registry, release.version)
    (root / "crossplane.yaml").write_text(manifest.dump([document], header=""), encoding="utf-8")
    for source in contents(places):
        shutil.copyfile(source, root / source.name)


def contents(places: Places) -> list[Path]:
    """Return the XRDs and the Compositions.

    The activation policy beside them is the chart's: one that a package controls, nobody else may change.
    """
    xrds = sorted((places.repository / "xrds").glob("*.yaml"))
    named = {path.name.partition(".")[0] for path in xrds}
    compositions = sorted((places.repository / "compositions").glob("*.yaml"))
    return [*xrds, *(path for path in compositions if path.stem in named)]


def embed(image: Path | None) -> list[str]:
    """Return the option that puts the function's image into its package."""
    return [f"--embed-runtime-image-tarball={image}"] if image else []


def push(made: Package, tools: Mapping[str, Path]) -> str:
    """Push a package or an image as whoever runs this, with their credentials; return it with its digest there.

    Raises:
        ClusterError: the registry cannot be reached, or refuses it.
    """
    env = dict(os.environ)
    image = [str(tools["crane"]), "push", str(made.file), made.reference]
    of_crossplane = made.file.suffix == ".xpkg"
    run(package.push_argv(tools["crossplane-cli"], made.file, made.reference) if of_crossplane else image, env=env)
    return f"{made.reference}@{run([tools['crane'], 'digest', made.reference], env=env).strip()}"
