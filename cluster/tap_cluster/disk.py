"""Is there room to build? Asked before an hour of work, not after."""

from __future__ import annotations

import shutil
from pathlib import Path

from tap_cluster import golang
from tap_cluster.errors import ClusterError
from tap_cluster.run import run

GB = 1_000_000_000
LEAST = 500_000_000  # the programs themselves, and what linking them takes
BUCKETS = 256


def check(cold: int, target: Path) -> None:
    """See that a build fits, which takes `cold` bytes with empty caches and less where Go has built before.

    Raises:
        ClusterError: it does not fit where the tools or where Go's cache is.
    """
    if cold == 0:
        return
    target.mkdir(parents=True, exist_ok=True)
    cache = Path(run(["go", "env", "GOCACHE"], env=golang.env()).strip())
    needed = need(cold, size(cache))
    for folder in {target, next(path for path in (cache, *cache.parents) if path.exists())}:
        enough(folder, needed, shutil.disk_usage(folder).free)


def need(cold: int, cached: int) -> int:
    """Return how many bytes a build takes when Go's build cache holds `cached` bytes already.

    The modules' sources lie beside it and are half as large again (measured: 6.2 GB and 3.1 GB).
    """
    return max(LEAST, cold - cached * 3 // 2)


def enough(folder: Path, needed: int, free: int) -> None:
    """Say what to do where a build does not fit.

    Raises:
        ClusterError: it does not.
    """
    if free < needed:
        what = f"building the tools needs {needed / GB:.1f} GB below {folder}, only {free / GB:.1f} GB are free"
        raise ClusterError(what, "Make room, or set TAP_CACHE and GOCACHE to folders on a larger disk")


def size(cache: Path) -> int:
    """Estimate how much Go's build cache holds, from one of its 256 evenly filled folders."""
    bucket = cache / "00"
    try:
        return BUCKETS * sum(entry.stat().st_size for entry in bucket.iterdir())
    except OSError:
        return 0
