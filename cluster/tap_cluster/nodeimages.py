"""The images that a node runs, made on this machine with no engine, and pushed to the node's registry.

Our own are built by buildah from their Dockerfiles, on a base of Debian's packages; what is one program that needs
nothing else is a layer with that program.
"""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tap_cluster import crossplane, golang, images, package
from tap_cluster.context import Context
from tap_cluster.errors import ClusterError
from tap_cluster.places import Places
from tap_cluster.run import run
from tap_cluster.supervisor import digest, digest_files

#: What both Dockerfiles need of a base, beside what Debian calls minimal.
PACKAGES = ("ca-certificates", "python3", "python3-venv")
SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
BASE = "localhost/tap-base:dev"
#: How this machine's pip finds packages, and whom it trusts: the build has neither by itself.
PIP = (Path("/etc/pip.conf"), Path("/etc/ssl/certs"))
#: Not root, as the images of Crossplane and of Kubernetes have it.
USER = "65532:65532"
OPERATOR, FUNCTION, CROSSPLANE, COREDNS, SANDBOX = images.OPERATOR, images.FUNCTION, "crossplane", "coredns", "sandbox"
_ROOTS = ("functions", "operator", "xrds/tap_api", "compositions/tap_stack", "requirements")


@dataclass(frozen=True)
class Builder:
    """buildah, with a store of our own."""

    store: Path

    def __call__(self, *words: str | Path) -> str:
        """Return what `buildah <words>` printed."""
        own = ("--root", self.store / "root", "--runroot", self.store / "run", "--storage-driver", "vfs")
        return run(["buildah", *own, *words], env={**os.environ, "TMPDIR": str(self.store)})

    def push(self, image: str, to: str) -> None:
        """Copy an image to a registry without TLS, or to a tarball."""
        self("push", "--quiet", "--tls-verify=false", image, to)


def tag(places: Places) -> str:
    """Return the tag of our own images: a hash of all that they are made from."""
    return digest_files([places.repository / folder for folder in _ROOTS])


def push(context: Context, registry: str) -> None:
    """Have every image in the registry, but the function's, which its package carries.

    What was pushed is looked for: the registry keeps the layers on disk, and what they are an image of in memory.
    """
    builder, ours = _builder(context), tag(context.places)
    context.once("base image of Debian's packages", digest(PACKAGES), lambda: base(builder))
    name = f"localhost/{OPERATOR}:dev"
    dockerfile = images.DOCKERFILES[images.OPERATOR]
    context.once("operator's image", ours, lambda: build(builder, context.places, dockerfile, name))
    made: dict[str, Callable[[str], None]] = {
        f"{SANDBOX}:dev": partial(_sandbox, context.tools["crane"], builder),
        f"{OPERATOR}:{ours}": lambda reference: builder.push(name, f"docker://{reference}"),
        **{
            f"{program}:{version(context.places, program)}": partial(append, context.tools["crane"], files, entry)
            for program, files, entry in _programs(context)
        },
    }
    for image, do in made.items():
        reference = f"{registry}/{image}"
        still = partial(package.pushed, registry, *image.split(":"))
        context.once(f"pushing {image}", digest(reference, context.tools), partial(do, reference), still)


def version(places: Places, name: str) -> str:
    """Return the version of a program that is not ours, as go.mod has it."""
    module = {CROSSPLANE: crossplane.MODULE, COREDNS: "github.com/coredns/coredns"}[name]
    return golang.pinned(places.recipes / name, module)


def function(context: Context, file: Path) -> Path:
    """Build the function's image and keep it in `file`, as a tarball."""
    builder, name = _builder(context), f"localhost/{FUNCTION}:dev"
    build(builder, context.places, images.DOCKERFILES[images.FUNCTION], name)
    builder.push(name, f"docker-archive:{file}:{FUNCTION}:{tag(context.places)}")
    return file


def base(builder: Builder) -> None:
    """Make the base image.

    Raises:
        ClusterError: Debian's packages cannot be had.
    """
    if not SOURCES.exists():
        what = f"{SOURCES} is not there: it says where Debian's packages come from"
        raise ClusterError(what, "CLUSTER=node is for Debian 12 or later; use CLUSTER=embedded")
    with tempfile.TemporaryDirectory(dir=builder.store) as temporary:
        root = Path(temporary)
        codename = _codename()
        options = ("--variant=minbase", f"--include={','.join(PACKAGES)}", "--quiet")
        run(["mmdebstrap", *options, codename, root / "base.tar", SOURCES], env={**os.environ, "TMPDIR": temporary})
        (root / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n", encoding="ascii")
        builder("build", "--quiet", "--isolation", "chroot", "--tag", BASE, root)


def build(builder: Builder, places: Places, dockerfile: str, name: str) -> None:
    """Build one of our images on the base."""
    options = images.options_of(images.arguments(places, "dev", BASE))
    mounts = [f"--volume={path}:{path}:ro" for path in PIP if path.exists()]
    builder(
        *("build", "--quiet", "--isolation", "chroot", *options, *mounts, "--tag", name),
        *("--file", places.repository / dockerfile, places.repository),
    )
    builder("rmi", "--prune")  # The one before, which has lost its name: each is hundreds of megabytes.


def append(crane: Path, files: Mapping[str, Path], entry: str, reference: str) -> None:
    """Push an image of one layer: these files, by their path in it."""
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "layer.tar"
        file.write_bytes(layer(files))
        run([crane, "append", "--oci-empty-base", f"--new_layer={file}", f"--new_tag={reference}"])
        _mutate(crane, reference, reference, (f"--entrypoint={entry}", f"--user={USER}"))


def layer(files: Mapping[str, Path]) -> bytes:
    """Return a layer with these files, by their path in it: the same bytes from the same contents."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, path in sorted(files.items()):
            data, entry = path.read_bytes(), tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755 if os.access(path, os.X_OK) else 0o644
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def _sandbox(crane: Path, builder: Builder, reference: str) -> None:
    """Push the base as what holds a pod's namespaces, for as long as it sleeps."""
    builder.push(BASE, f"docker://{reference}-base")
    words = ("--entrypoint=/bin/sleep", "--cmd=infinity", f"--user={USER}")
    _mutate(crane, f"{reference}-base", reference, words)


def _programs(context: Context) -> tuple[tuple[str, Mapping[str, Path], str], ...]:
    """Return the programs that are an image by themselves: name, files, and which of these is run."""
    source, tools = crossplane.source(context.places) / "cluster", context.tools
    read = {f"{to}/{path.name}": path for to in ("crds", "webhookconfigurations") for path in (source / to).glob("*")}
    return (
        (CROSSPLANE, {"usr/local/bin/crossplane": tools["crossplane"], **read}, "/usr/local/bin/crossplane"),
        (COREDNS, {"coredns": tools["coredns"]}, "/coredns"),
    )


def _mutate(crane: Path, reference: str, to: str, words: Sequence[str]) -> None:
    run([crane, "mutate", reference, f"--tag={to}", "--set-platform=linux/amd64", *words])


def _builder(context: Context) -> Builder:
    return Builder(context.places.private("buildah"))


def _codename() -> str:
    for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip('"')
    what = "/etc/os-release names no release"
    raise ClusterError(what, "CLUSTER=node is for Debian 12 or later; use CLUSTER=embedded")
