"""Environments as they change, until they have settled."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

import click
from rich.console import Console, Group
from rich.live import Live
from rich.tree import Tree

from tap_api.errors import TapError
from tap_cli.snapshot import Snapshot
from tap_cli.terminal import PIPE_COLUMNS, is_plain
from tap_cli.tree import summary, tree

#: Seconds without a change after which an environment counts as settled.
QUIET_SECONDS = 10
#: Seconds to wait for an environment that is not there to settle: it may have been applied a moment ago.
ABSENT_SECONDS = 10
_POLL_SECONDS = 1

ThingT = TypeVar("ThingT")
#: Shows things as they are now.
Show = Callable[[list[ThingT]], None]


def follow(
    look: Callable[[], list[Snapshot]],
    where: AbstractContextManager[Show[Snapshot]],
    *,
    deadline: float | None,
    quiet: float | None = None,
    absent: str = "no EnvironmentTap",
) -> list[Snapshot]:
    """Shows what `look` gives, live; with a deadline, until it has settled, and returns it as it was then.

    Args:
        look: Returns the environments as they are now.
        where: What shows them: `screen` or `nowhere`.
        deadline: Monotonic time to settle by; None: never, until Ctrl-C.
        quiet: Seconds without a change after which they have settled; None: QUIET_SECONDS.
        absent: What to say where there is no environment.

    Raises:
        TapError: the deadline passed first, and the message names what was missing; or there was no environment.
    """
    quiet = QUIET_SECONDS if quiet is None else quiet
    gc.enable()
    quiet_since, last, absent_since = time.monotonic(), None, None
    with where as show:
        while True:
            snapshots = look()
            show(snapshots)
            if snapshots:
                absent_since = None
            elif absent_since is None:
                absent_since = time.monotonic()
                patience = f"{ABSENT_SECONDS} seconds" if deadline else "until Ctrl-C"
                click.echo(f"{absent}; waiting for it, {patience}", err=True)
            now = [snapshot.fingerprint() for snapshot in snapshots]
            missing = [f"{s.name}/{line}" for s in snapshots for line in s.missing()] or ([] if now else ["anything"])
            if now != last or missing:
                quiet_since, last = time.monotonic(), now
            elif deadline and time.monotonic() - quiet_since >= quiet:
                return snapshots
            if deadline and absent_since is not None and time.monotonic() - absent_since >= ABSENT_SECONDS:
                raise TapError(absent)
            if deadline and time.monotonic() > deadline:
                message = f"not settled in time; missing: {', '.join(missing) or 'quiet'}"
                raise TapError(message)
            time.sleep(_POLL_SECONDS)


def console(*, no_color: bool) -> Console:
    """Returns where to print. A pipe has no width, and rich would take 80 columns: a line is a line there."""
    width = None if sys.stdout.isatty() else PIPE_COLUMNS
    # No colour is plain text: without this, rich leaves bold and dim in.
    plain = is_plain(no_color=no_color)
    return Console(color_system=None if plain else "auto", highlight=False, width=width)


@contextmanager
def screen(
    console: Console, tree: Callable[[ThingT], Tree], summary: Callable[[ThingT], str]
) -> Iterator[Show[ThingT]]:
    """Yields what shows things: a picture that changes in place on a terminal, lines elsewhere.

    Args:
        console: Where to.
        tree: Makes the picture of one.
        summary: Makes the line of one.
    """
    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda things: live.update(Group(*map(tree, things)), refresh=True)
        return
    told: list[str] = []
    latest: list[ThingT] = []

    def tell(things: list[ThingT]) -> None:
        latest[:] = things
        line = "; ".join(map(summary, things))
        if things and told[-1:] != [line]:
            told.append(line)
            click.echo(line)

    try:
        yield tell
    finally:
        for thing in latest:
            console.print(tree(thing))


def pictures(console: Console) -> AbstractContextManager[Show[Snapshot]]:
    """Returns what shows environments."""
    return screen(console, tree, summary)


def nowhere() -> AbstractContextManager[Show[Any]]:
    """Returns what shows nothing: where standard output is for the JSON at the end."""
    return nullcontext(lambda _: None)
