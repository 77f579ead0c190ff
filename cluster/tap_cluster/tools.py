"""Build the Go tools once, into a cache keyed by all that could change them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tap_cluster import disk, golang
from tap_cluster.errors import ClusterError
from tap_cluster.gobuild import build, ldflags
from tap_cluster.locks import held
from tap_cluster.places import Places, writable
from tap_cluster.progress import Progress
from tap_cluster.recipes import RECIPES, Recipe


def ensure(names: Iterable[str], places: Places, progress: Progress) -> dict[str, Path]:
    """Return the path of every program of these recipes, built first where it is not there.

    Raises:
        ClusterError: Go is missing, the disk is too small, or a build failed.
    """
    recipes = [RECIPES[name] for name in names]
    homes = {recipe.name: home(recipe, places) for recipe in recipes}
    absent = [recipe for recipe in recipes if not homes[recipe.name].exists()]
    if absent:
        writable(places.tools, "TAP_CACHE")
        with held(places.tools / "lock", lambda: progress.say("  waiting for another build of the tools to end …")):
            absent = [recipe for recipe in absent if not homes[recipe.name].exists()]
            disk.check(sum(recipe.cold_bytes for recipe in absent), places.tools)
            if absent:
                progress.say(
                    f"Building {', '.join(recipe.name for recipe in absent)}, once; a cold build takes minutes"
                )
            for recipe in absent:
                _build(recipe, homes[recipe.name], places, progress)
    return {binary.name: homes[recipe.name] / binary.name for recipe in recipes for binary in recipe.binaries}


def cached(names: Iterable[str], places: Places) -> bool:
    """Say whether the programs of these recipes are there already; where Go is not, nobody can tell."""
    try:
        return all(home(RECIPES[name], places).exists() for name in names)
    except ClusterError:
        return False


def home(recipe: Recipe, places: Places) -> Path:
    """Return the folder of a recipe's programs; its name changes with its files, the toolchain and our flags."""
    source = recipe.source(places.recipes)
    return places.tools / f"{recipe.name}-{key(source, golang.version(source), recipe)}"


def key(source: Path, toolchain: str, recipe: Recipe) -> str:
    """Return the hash of all that could change what a recipe makes."""
    total = hashlib.sha256()
    files = (source / "go.mod", source / "go.sum", *sorted(source.rglob("*.go")))
    for part in (*(file.read_bytes() for file in files), toolchain.encode()):
        total.update(hashlib.sha256(part).digest())
    table = [[binary.name, binary.package, ldflags(binary, source)] for binary in recipe.binaries]
    total.update(json.dumps([table, golang.FLAGS]).encode())
    return total.hexdigest()[:16]


def _build(recipe: Recipe, target: Path, places: Places, progress: Progress) -> None:
    source, log = recipe.source(places.recipes), places.tools / f"{recipe.name}.log"
    log.unlink(missing_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{recipe.name}-", dir=places.tools))
    try:
        for binary in recipe.binaries:
            build(source, binary, part, log, progress)
        part.chmod(0o755)
        part.rename(target)
    except OSError as error:
        what = f"{recipe.name} was built but cannot be kept in {target}: {error.strerror}"
        raise ClusterError(what, "Make room there, or set TAP_CACHE to a folder you may write") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
