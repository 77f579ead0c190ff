"""What a person sees while something long runs: what it is, for how long, and where its log is."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

HEARTBEAT = 15.0


class Progress:
    """Lines on stderr; on a terminal the running step also has a clock."""

    def __init__(self, *, quiet: bool = False) -> None:
        """A quiet one says nothing (tests)."""
        self._quiet = quiet
        self._live = not quiet and sys.stderr.isatty()

    def say(self, line: str) -> None:
        """Print one line."""
        if not self._quiet:
            click.echo(line, err=True)

    @contextmanager
    def step(self, title: str, *, log: Path | None = None, detail: Callable[[], str] = lambda: "") -> Iterator[None]:
        """Show a step while the block runs, and its time when it is over."""
        begun = time.monotonic()
        stop = threading.Event()

        def clock() -> str:
            parts = [f"{time.monotonic() - begun:.0f} s", detail(), f"log {log}" if log else ""]
            return f"{title} ({', '.join(part for part in parts if part)})"

        watch = threading.Thread(target=self._watch, args=(clock, stop), daemon=True)
        watch.start()
        verdict = "failed after "
        try:
            yield
            verdict = ""
        finally:
            stop.set()
            watch.join()
            self.say(f"  {title}: {verdict}{time.monotonic() - begun:.1f} s")

    def _watch(self, clock: Callable[[], str], stop: threading.Event) -> None:
        if self._quiet:
            return
        if not self._live:
            while not stop.wait(HEARTBEAT):
                self.say(f"  … {clock()}")
            return
        with Console(stderr=True).status("") as status:
            while not stop.wait(0.2):
                status.update(clock())
