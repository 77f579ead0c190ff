"""A saved state in a folder: whole, or not there."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tap_api.errors import TapError
from tap_cli.state.layout import INDEX, ROOT


def write(files: Mapping[str, str], folder: Path) -> None:
    """Writes `files` below `folder`: beside it first, and then in its place at once.

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
            for path, text in files.items():
                file = new / path
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("w", encoding="utf-8") as stream:
                    stream.write(text)
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


def _is_ours(folder: Path) -> bool:
    """Returns whether a folder is empty or holds a saved state and nothing else."""
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir()}
    return not names or (names == {ROOT} and any((folder / ROOT).rglob(INDEX)))
