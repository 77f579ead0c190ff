"""The Go toolchain: is it there and new enough, and where does it keep a module's source."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from tap_cluster.errors import ClusterError
from tap_cluster.run import run

OLDEST = (1, 26)
MEND = "Install Go 1.26 or later (https://go.dev/dl) and put it on your PATH"
FLAGS = ("-trimpath", "-buildvcs=false")


def env() -> dict[str, str]:
    """Return the environment of `go`: the user's own (proxies, caches), without what would change the result."""
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}


def version(recipe: Path) -> str:
    """Return the version of the toolchain that builds this recipe, such as `go1.26.8`.

    Raises:
        ClusterError: there is no Go, or it is too old.
    """
    try:
        said = run(["go", "version"], cwd=recipe, env=env())
    except ClusterError as error:
        what = "Go was not found" if "was not found" in error.what else f"Go cannot be used ({error.what})"
        raise ClusterError(what, MEND) from error
    return checked(said)


def checked(said: str) -> str:
    """Return the version out of what `go version` said.

    Raises:
        ClusterError: it is too old.
    """
    found = re.search(r"go(\d+)\.(\d+)\S*", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        what = f"Go is too old ({said.strip()})"
        raise ClusterError(what, MEND)
    return found[0]


def module(recipe: Path, name: str) -> Path:
    """Return the folder of a module's source in Go's module cache, downloaded if it is absent.

    Raises:
        ClusterError: it cannot be downloaded.
    """
    version(recipe)
    return Path(json.loads(run(["go", "mod", "download", "-json", name], cwd=recipe, env=env()))["Dir"])


def pinned(recipe: Path, name: str) -> str:
    """Return the version of a module that a recipe's go.mod names: it is written there alone.

    Raises:
        ClusterError: go.mod does not name it.
    """
    text = (recipe / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^\s*(?:require\s+)?{re.escape(name)}\s+(v\S+)", text, flags=re.MULTILINE)
    if found is None:
        what = f"{recipe / 'go.mod'} does not require {name}"
        raise ClusterError(what, "Restore the file from git")
    return found[1]
