"""One tree of errors. Every message says what is wrong and what to do; none needs a traceback to be understood."""

from pathlib import Path


class TapError(Exception):
    """Anything that went wrong and that a person can mend."""


class ManifestError(TapError):
    """A file that is not a manifest.

    Attributes:
        path: The file.
        line: The line (from 1), 0 where it is the whole file.
    """

    def __init__(self, path: Path, message: str, line: int = 0) -> None:
        """Args: path, message and line as the attributes say."""
        self.path = path
        self.line = line
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")


class StaleError(TapError):
    """Generated files that are not what Python makes.

    Attributes:
        paths: The files, sorted.
    """

    def __init__(self, paths: list[Path]) -> None:
        """Args: paths: the files."""
        self.paths = sorted(paths)
        names = ", ".join(str(path) for path in self.paths)
        super().__init__(f"stale: {names}; run `make generate` and commit what it writes")
