"""The generated files of this room: XRDs, the CRDs that charts/operator carries, and the reference of the API."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from tap_api import manifest, reference
from tap_api.base import GROUP
from tap_api.errors import StaleError, TapError
from tap_api.kinds import CIDR_BLOCK, ENVIRONMENT_TAP, XRS
from tap_api.schema import crd, xrd

#: Path in the repository -> text.
Files = dict[PurePosixPath, str]


def files() -> Files:
    """Returns every file of the API that Python makes."""
    made = {
        **{
            PurePosixPath("charts/operator/templates/crds", f"{kind.plural}.{GROUP}.yaml"): crd(kind)
            for kind in (ENVIRONMENT_TAP, CIDR_BLOCK)
        },
        **{PurePosixPath("xrds", f"{kind.plural}.{GROUP}.yaml"): xrd(kind) for kind in XRS},
    }
    manifests = {path: manifest.dump([document], header=manifest.GENERATED) for path, document in made.items()}
    return {**manifests, reference.PATH: reference.page()}


def write(files: Files, root: Path) -> list[Path]:
    """Writes `files` below `root` and returns the paths whose text changed, sorted."""
    changed = stale(files, root)
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[PurePosixPath(path.relative_to(root).as_posix())], encoding="utf-8")
    return changed


def check(files: Files, root: Path) -> None:
    """Holds `files` against what stands below `root`.

    Raises:
        StaleError: a file is missing or differs.
    """
    old = stale(files, root)
    if old:
        raise StaleError([path.relative_to(root) for path in old])


def script(about: str | None, made: Callable[[], Files], root: Path) -> int:
    """Is the `emit.py` of a room: writes what is made below `root`; with --check, fails where that is stale.

    Returns:
        The exit code: 0, or 1 where a file is stale.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is stale")
    try:
        (check if parser.parse_args().check else write)(made(), root)
    except TapError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def stale(files: Files, root: Path) -> list[Path]:
    """Returns the paths of `files` below `root` that are missing or differ, sorted."""
    return sorted(root / path for path, text in files.items() if _text(root / path) != text)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
