"""One `go build` that a person can watch."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tap_cluster import golang
from tap_cluster.errors import ClusterError
from tap_cluster.progress import Progress
from tap_cluster.recipes import Binary


def argv(package: str, flags: str, out: Path) -> list[str]:
    """Return the command line of a build; `-v` names each package as it is compiled."""
    return ["go", "build", "-v", *golang.FLAGS, f"-ldflags={flags}", "-o", str(out), package]


def ldflags(binary: Binary, source: Path) -> str:
    """Return the linker's flags of one program; the versions it says of itself come from go.mod."""
    words = ["-s", "-w"]
    for variable, value in binary.stamps.items():
        words += ["-X", f"{variable}={golang.pinned(source, value[1:]) if value.startswith('@') else value}"]
    return " ".join(words)


def build(source: Path, binary: Binary, folder: Path, log: Path, progress: Progress) -> None:
    """Build one program into `folder`; the step shows how many packages have been compiled.

    Raises:
        ClusterError: the build failed.
    """
    with (
        tempfile.TemporaryDirectory(prefix=".tmp-", dir=log.parent, ignore_cleanup_errors=True) as temporary,
        log.open("a") as said,
        progress.step(f"building {binary.name}", log=log, detail=lambda: compiled(log)),
    ):
        child = subprocess.Popen(  # noqa: S603 - argv comes from the table of recipes
            argv(binary.package, ldflags(binary, source), folder / binary.name),
            cwd=source,
            env={**golang.env(), "TMPDIR": temporary, "GOTMPDIR": temporary},
            stdout=said,
            stderr=said,
            stdin=subprocess.DEVNULL,
        )
        try:
            failed = child.wait() != 0
        except BaseException:  # Ctrl-C: nothing may go on building behind our back
            child.kill()
            child.wait()
            raise
    if failed:
        what = f"building {binary.name} failed"
        raise ClusterError(what, mend(log), log=log)


def compiled(log: Path) -> str:
    """Say how far a build is, by its log."""
    try:
        rows = log.read_bytes().splitlines()
    except OSError:
        return ""
    fetched = sum(1 for row in rows if row.startswith(b"go: downloading"))
    done = len(rows) - fetched
    return f"{fetched} modules fetched, {done} packages compiled" if fetched else f"{done} packages compiled"


def mend(log: Path) -> str:
    """Say what to do about a failed build, by its log."""
    said = log.read_text(encoding="utf-8", errors="replace")
    if "no space left on device" in said:
        return "The disk is full: make room (8 GB for a cold build), or move Go's cache with GOCACHE"
    if any(word in said for word in ("dial tcp", "i/o timeout", "proxyconnect", "no such host")):
        return "Go's module proxy cannot be reached: check the network, or set GOPROXY"
    return "Read its log, then run it again"
