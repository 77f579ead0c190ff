"""A saved state in a folder: whole, or not there."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tap_api.errors import TapError
from tap_cli.state.layout import INDEX, ROOT, environment_of


def write(files: Mapping[str, str], folder: Path) -> None:
    """Writes `files` of an environment below `folder`: beside it first, and then in its place at once.

    They replace all that the folder holds of that environment; what it holds of others is carried over.

    Raises:
        TapError: the folder holds something else, or cannot be written.
    """
    if folder.exists() and not _is_ours(folder):
        message = f"{folder}: holds something that is no saved state; choose another folder with --out"
        raise TapError(message)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder: a rename is one step on one file system alone.
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
            new, old = Path(beside, "new"), Path(beside, "old")
            contents = _of_others(files, folder) | {path: text.encode() for path, text in files.items()}
            for path, content in contents.items():
                file = new / path
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
            if folder.exists():
                folder.rename(old)
            try:
                new.rename(folder)
            except OSError:
                if old.exists():
                    old.rename(folder)
                raise
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        message = f"{folder}: cannot be written: {error.strerror}; choose another folder with --out"
        raise TapError(message) from error


def _of_others(files: Iterable[str], folder: Path) -> dict[str, bytes]:
    """Returns what a folder holds of environments that none of `files` is of."""
    own = {environment_of(path) for path in files}
    there = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in there.items() if environment_of(name) not in own}


def _is_ours(folder: Path) -> bool:
    """Returns whether a folder is empty or holds a saved state and nothing else."""
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir()}
    return not names or (names == {ROOT} and any((folder / ROOT).rglob(INDEX)))
