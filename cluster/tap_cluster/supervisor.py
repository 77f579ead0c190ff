"""Bring programs up and down: start what does not run or was started with something else, wait until it is ready."""

from __future__ import annotations

import hashlib
import json
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tap_cluster import processes
from tap_cluster.errors import ClusterError
from tap_cluster.progress import Progress
from tap_cluster.run import TRUST
from tap_cluster.state import Record, State

POLL = 0.1


@dataclass(frozen=True)
class Program:
    """One program: what to start, how to see that it is ready, and what it must be started again for."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ready: Callable[[], bool]
    inputs: str = ""
    patience: float = 60.0
    prepare: Callable[[], None] = field(default=lambda: None)

    @property
    def fingerprint(self) -> str:
        """A hash of all that we chose to start it with; where the user keeps trusted certificates is not ours."""
        chosen = sorted((name, value) for name, value in self.env.items() if name not in TRUST)
        words = json.dumps([self.argv, chosen, self.inputs])
        return hashlib.sha256(words.encode()).hexdigest()[:16]


class Supervisor:
    """Starts and stops programs and keeps their records."""

    def __init__(self, state: State, logs: Path, progress: Progress) -> None:
        """Keep where records and logs are."""
        self._state = state
        self._logs = logs
        self._progress = progress

    def ensure(self, *programs: Program) -> None:
        """Have all of these run, as they are described, and ready; those of one call start together.

        Raises:
            ClusterError: one ended, or was not ready in time.
        """
        started = [program for program in programs if self._launch(program)]
        if not started:
            for program in programs:
                self._await(program)
            return
        with self._progress.step(f"starting {', '.join(program.name for program in started)}", log=self._logs):
            for program in programs:
                self._await(program)

    def stop(self, *names: str) -> None:
        """End these programs, where they run, and forget them."""
        for name in names:
            record = self._state.processes.pop(name, None)
            if record is not None:
                processes.stop(record.identity)
        self._state.save()

    def stop_all(self) -> list[str]:
        """End everything we started, last first; return the names of what ran."""
        ended = []
        for name in reversed(list(self._state.processes)):
            if self._state.running(name):
                processes.stop(self._state.processes[name].identity)
                ended.append(name)
        self._state.processes.clear()
        self._state.save()
        return ended

    def _launch(self, program: Program) -> bool:
        record = self._state.processes.get(program.name)
        if record is not None and self._state.running(program.name):
            if record.fingerprint == program.fingerprint:
                return False
            processes.stop(record.identity)
        program.prepare()
        log = self._logs / f"{program.name}.log"
        # Ctrl-C waits until the record is written, so that nothing runs that nobody knows of.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            identity = processes.start(program.argv, program.env, log)
            self._state.processes[program.name] = Record(identity, program.fingerprint, str(log))
            self._state.save()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return True

    def _await(self, program: Program) -> None:
        record = self._state.processes[program.name]
        log = Path(record.log)
        deadline = time.monotonic() + program.patience
        while not program.ready():
            if not processes.alive(record.identity):
                what = f"{program.name} died while starting"
                raise ClusterError(what, "Read its log, then run `make up` again", log=log)
            if time.monotonic() > deadline:
                what = f"{program.name} runs but was not ready within {program.patience:.0f} s"
                raise ClusterError(what, "Read its log; `make down` and `make up` start it anew", log=log)
            time.sleep(POLL)


def always() -> bool:
    """Be the readiness of what nobody can ask."""
    return True


def wait_until(check: Callable[[], bool], patience: float, what: str, mend: str, *, log: Path | None = None) -> None:
    """Poll until `check` holds.

    Raises:
        ClusterError: it did not within `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while not check():
        if time.monotonic() > deadline:
            raise ClusterError(what, mend, log=log)
        time.sleep(POLL)


def digest(*parts: object) -> str:
    """Return a short hash of anything that `str` shows whole."""
    return hashlib.sha256("\x00".join(str(part) for part in parts).encode()).hexdigest()[:16]


def digest_files(roots: Sequence[Path], pattern: str = "*") -> str:
    """Return a short hash of the names and contents of all files below `roots`; bytecode does not count."""
    total = hashlib.sha256()
    for root in roots:
        for path in sorted(root.rglob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                total.update(str(path.relative_to(root)).encode() + b"\x00" + path.read_bytes() + b"\x00")
    return total.hexdigest()[:16]
