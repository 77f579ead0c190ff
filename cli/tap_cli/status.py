"""`tap status`: environments as a tree, once or live."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console, Group
from rich.live import Live

from tap_api.errors import TapError
from tap_cli.snapshot import Snapshot
from tap_cli.tree import summary, tree

#: Seconds without a change after which an environment counts as settled.
QUIET_SECONDS = 10
_POLL_SECONDS = 1
_PIPE_COLUMNS = 5000


@click.command("status")
@click.argument("name", required=False)
@click.option("-n", "--namespace", help="Namespace of the environment (default: all).")
@click.option("--kubeconfig", type=click.Path(path_type=Path, dir_okay=False), help="In place of KUBECONFIG.")
@click.option("--context", help="Context of the kubeconfig.")
@click.option("-w", "--watch", is_flag=True, help="Keep showing it until Ctrl-C.")
@click.option(
    "--until-settled",
    is_flag=True,
    help=f"Keep showing it until all that can be composed is there and nothing changed for {QUIET_SECONDS} seconds.",
)
@click.option("--timeout", type=click.IntRange(min=1), default=600, show_default=True, help="Seconds to settle in.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="How to print it.")
@click.option("--no-color", is_flag=True, help="Plain text.")
def command(  # noqa: PLR0913  (one for each option)
    *,
    name: str | None,
    namespace: str | None,
    kubeconfig: Path | None,
    context: str | None,
    watch: bool,
    until_settled: bool,
    timeout: int,
    output: str,
    no_color: bool,
) -> None:
    """Show environments, their regions and parts, and what each of them waits for."""
    from tap_cli.cluster import Cluster

    cluster = Cluster(kubeconfig, context)
    live = watch or until_settled

    def look() -> list[Snapshot]:
        chosen = [e for e in cluster.environments(namespace) if name in (None, e["metadata"]["name"])]
        if not chosen and not live:
            message = f"no EnvironmentTap{f' {name!r}' if name else ''} in {namespace or 'any namespace'}"
            raise TapError(message)
        return [cluster.snapshot(environment, resources=live) for environment in chosen]

    console = _console(no_color=no_color)
    if live:
        follow(look, console, deadline=time.monotonic() + timeout if until_settled else None)
    elif output == "json":
        click.echo(json.dumps([_json(snapshot) for snapshot in look()], indent=2))
    else:
        for snapshot in look():
            console.print(tree(snapshot))


def _console(*, no_color: bool) -> Console:
    """Returns where to print. A pipe has no width, and rich would take 80 columns: a line is a line there."""
    width = None if sys.stdout.isatty() else _PIPE_COLUMNS
    return Console(no_color=no_color, highlight=False, width=width)


def follow(look: Callable[[], list[Snapshot]], console: Console, *, deadline: float | None) -> None:
    """Shows what `look` gives, live; with a deadline, until it has settled.

    Args:
        look: Returns the environments as they are now.
        console: Where to show them; where that is not a terminal, a line for each change and the last picture.
        deadline: Monotonic time to settle by; None: never, until Ctrl-C.

    Raises:
        TapError: the deadline passed first; the message names what was missing.
    """
    quiet_since, last = time.monotonic(), None
    with _screen(console) as show:
        while True:
            snapshots = look()
            show(snapshots)
            now = [snapshot.fingerprint() for snapshot in snapshots]
            missing = [f"{s.name}/{line}" for s in snapshots for line in s.missing()] or ([] if now else ["anything"])
            if now != last or missing:
                quiet_since, last = time.monotonic(), now
            elif deadline and time.monotonic() - quiet_since >= QUIET_SECONDS:
                return
            if deadline and time.monotonic() > deadline:
                message = f"not settled in time; missing: {', '.join(missing) or 'quiet'}"
                raise TapError(message)
            time.sleep(_POLL_SECONDS)


@contextmanager
def _screen(console: Console) -> Iterator[Callable[[list[Snapshot]], None]]:
    """Yields what shows environments: a picture that changes in place on a terminal, lines elsewhere."""
    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda snapshots: live.update(Group(*map(tree, snapshots)), refresh=True)
        return
    told: list[str] = []
    latest: list[Snapshot] = []

    def tell(snapshots: list[Snapshot]) -> None:
        latest[:] = snapshots
        line = "; ".join(map(summary, snapshots))
        if told[-1:] != [line]:
            told.append(line)
            click.echo(line)

    try:
        yield tell
    finally:
        for snapshot in latest:
            console.print(tree(snapshot))


def _json(snapshot: Snapshot) -> dict[str, object]:
    return {
        "namespace": snapshot.namespace,
        "name": snapshot.name,
        "status": snapshot.environment.get("status", {}),
        "missing": snapshot.missing(),
    }
