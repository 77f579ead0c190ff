"""Processes that outlive us: started in a session of their own, known again by more than their number.

A process id is reused, after a reboot always. So a record holds the start time that the kernel gives and a hash of the
command line too; a process is ours only if all three agree, and only then is a signal sent.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tap_cluster.errors import ClusterError

ROTATE_BYTES = 20_000_000
# proc(5): fields 3, 5 and 22, counted after the ")" of field 2
STAT_AFTER_NAME_STATE, STAT_AFTER_NAME_GROUP, STAT_AFTER_NAME_START = 0, 2, 19

NO_ARGV = hashlib.sha256(b"").hexdigest()[:16]


@dataclass(frozen=True)
class Identity:
    """Which process: its number, its start in clock ticks since boot, and a hash of its command line."""

    pid: int
    start: int
    argv: str


def identify(pid: int, proc: Path = Path("/proc")) -> Identity | None:
    """Return who has this number now, or nothing if nobody lives there."""
    folder = proc / str(pid)
    try:
        stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        command = (folder / "cmdline").read_bytes()
        threads = len(list((folder / "task").iterdir()))
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    # A first thread can be a zombie while others still hold the ports and files.
    if fields[STAT_AFTER_NAME_STATE] in {"Z", "X"} and threads <= 1:
        return None
    return Identity(pid, int(fields[STAT_AFTER_NAME_START]), hashlib.sha256(command).hexdigest()[:16])


def alive(identity: Identity, proc: Path = Path("/proc")) -> bool:
    """Say whether that very process still runs; collect it if it was our own child and has ended."""
    _reap(identity.pid)
    found = identify(identity.pid, proc)
    # While it exits, its command line is empty already.
    return found is not None and found.start == identity.start and found.argv in {identity.argv, NO_ARGV}


def start(argv: Sequence[str | Path], env: Mapping[str, str], log: Path) -> Identity:
    """Start a program in its own session, its output appended to `log`.

    Raises:
        ClusterError: it cannot be started, or has ended at once.
    """
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > ROTATE_BYTES:
        log.replace(log.with_suffix(".log.1"))
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    words = [str(part) for part in argv]
    nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    try:
        pid = os.posix_spawn(
            words[0],
            words,
            dict(env),
            file_actions=[nothing, (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGPIPE],
        )
    except OSError as error:
        what = f"{words[0]} cannot be started: {error.strerror}"
        raise ClusterError(what, "Is it there, and may you execute it? `make up` builds what is absent") from error
    finally:
        os.close(out)
    identity = _settled(pid)
    if identity is None:
        _reap(pid)
        what = f"{Path(words[0]).name} ended as soon as it was started"
        raise ClusterError(what, log=log)
    return identity


def stop(identity: Identity, grace: float = 20.0) -> None:
    """End that very process and its children: SIGTERM, and SIGKILL for those that are still there after `grace`."""
    if not alive(identity):
        return
    os.killpg(identity.pid, signal.SIGTERM)  # it leads its own group, see `start`
    deadline = time.monotonic() + grace
    while (alive(identity) or _group(identity)) and time.monotonic() < deadline:
        time.sleep(0.05)
    _end_group(identity)


def kill(identity: Identity) -> None:
    """End that very process and its children at once."""
    if alive(identity):
        _end_group(identity)


def _end_group(identity: Identity) -> None:
    """Kill what is left of a group whose leader was ours a moment ago; a port is free once the last of it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(identity.pid, signal.SIGKILL)
    while alive(identity) or _group(identity):
        time.sleep(0.02)


def _group(identity: Identity) -> bool:
    """Say whether anything of a group that was ours a moment ago still runs, where its leader has ended."""
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[STAT_AFTER_NAME_GROUP]) == identity.pid and fields[STAT_AFTER_NAME_STATE] not in {"Z", "X"}:
                return True
    return False


def _settled(pid: int) -> Identity | None:
    """Return who was just started, once it is itself.

    We go on as soon as it lets go of the memory that it shares with us, which is before it has its own (fs/exec.c,
    exec_mmap): one in 90,000 was seen with our command line still. Then its own is empty for a moment.
    """
    ours = identify(os.getpid())
    passing = {NO_ARGV, ours.argv if ours else NO_ARGV}
    while (identity := identify(pid)) is not None and identity.argv in passing:
        time.sleep(0.002)
    return identity


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
