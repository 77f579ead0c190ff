"""Claims and saved objects, read from files."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tap_api import manifest
from tap_api.base import API_VERSION, Json
from tap_api.errors import ManifestError, TapError
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP

_STDIN = Path("-")
_SUFFIXES = (".yaml", ".yml", ".json")
#: Namespace of a claim that names none: kubectl's own.
_DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True)
class Claim:
    """A claim.

    Attributes:
        file: The file that it stands in.
        document: The object, with a namespace.
    """

    file: Path
    document: Json

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.document["kind"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.document["metadata"]["namespace"])


def claims(files: Iterable[Path], namespace: str | None = None, *, of_one_cluster: bool = False) -> list[Claim]:
    """Returns the claims in `files`, in order; `-` is standard input.

    Args:
        files: The files.
        namespace: Namespace of those that name none.
        of_one_cluster: Whether they are written to one cluster: then no two files may hold the same claim.

    Raises:
        ManifestError: a file cannot be read, or holds what is no claim, or nothing; or a claim stands there twice.
    """
    found: dict[tuple[str, str, str, Path | None], Claim] = {}
    for claim in (claim for file in dict.fromkeys(files) for claim in _of_file(file, namespace)):
        place = None if of_one_cluster else claim.file
        first = found.setdefault((claim.kind, claim.namespace, claim.name, place), claim)
        if first is not claim:
            raise ManifestError(claim.file, twice(claim.kind, f"{claim.namespace}/{claim.name}", first.file))
    return list(found.values())


def twice(kind: str, name: str, first: Path) -> str:
    """Returns what to say of a claim that stands in `first` already."""
    return f"{kind} {name} stands in {first} already, and the last of the two would win; remove one"


def saved(folder: Path) -> list[Json]:
    """Returns the objects that `tap state export` saved, or those in every file as `kubectl get -o yaml` writes them.

    Raises:
        TapError: it is no folder, holds no such file, or one of them cannot be read.
    """
    if not folder.is_dir():
        message = f"{folder}: no such folder; save what there is with `tap state export NAME --out {folder}`"
        raise TapError(message)
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in _SUFFIXES and path.is_file()]
    if not files:
        message = f"{folder}: holds no file that ends in {', '.join(_SUFFIXES)}; is it the right folder?"
        raise TapError(message)
    texts = {path.relative_to(folder).as_posix(): path for path in files}
    from tap_cli.state import layout

    if layout.is_state(texts):
        read = {name: manifest.text_of(path) for name, path in texts.items()}
        return layout.objects(read, folder)
    return [_sound(file, document) for file in files for document in manifest.read(file)]


def _sound(file: Path, document: Json) -> Json:
    from tap_stack.plan import State

    fault = State.fault(document)
    if fault:
        kind, name = document["kind"], document["metadata"]["name"]
        raise ManifestError(file, f"{kind} {name}: {fault} is not as kubectl writes it; save it again")
    return document


def _of_file(path: Path, namespace: str | None) -> Iterator[Claim]:
    file, stdin = (Path("<stdin>"), sys.stdin.buffer) if path == _STDIN else (path, None)
    empty = True
    for document in manifest.load(manifest.text_of(file, stdin), file):
        empty = False
        version, kind = document["apiVersion"], document["kind"]
        if version != API_VERSION or kind not in (ENVIRONMENT_TAP.kind, REGIONAL_TAP.kind):
            expected = f"{API_VERSION} {ENVIRONMENT_TAP.kind} or {REGIONAL_TAP.kind}"
            raise ManifestError(file, f"{version} {kind} is no claim; expected {expected}")
        if not isinstance(document.get("spec"), dict):
            raise ManifestError(file, f"{kind} {document['metadata']['name']}: spec is missing; see `tap init`")
        metadata = {"namespace": namespace or _DEFAULT_NAMESPACE, **document["metadata"]}
        yield Claim(file, {**document, "metadata": metadata})
    if empty:
        raise ManifestError(file, "holds no claim; `tap init` writes one")
