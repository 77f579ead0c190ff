"""`tap status`: environments as a tree, once or live."""

import json
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from tap_api.errors import TapError
from tap_cli.follow import QUIET_SECONDS, follow, nowhere, screen
from tap_cli.snapshot import Snapshot
from tap_cli.tree import tree

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
@click.option("--quiet-for", type=click.IntRange(min=1), help=f"Seconds without a change, in place of {QUIET_SECONDS}.")
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
    quiet_for: int | None,
    output: str,
    no_color: bool,
) -> None:
    """Show environments, their regions and parts, and what each of them waits for."""
    from tap_cli.cluster import Cluster

    if watch and output == "json":
        message = "--watch shows a picture that changes; for JSON take --until-settled, or neither"
        raise click.UsageError(message)
    cluster = Cluster(kubeconfig, context)
    live = watch or until_settled

    absent = f"no EnvironmentTap{f' {name!r}' if name else ''} in {namespace or 'any namespace'}"

    def look() -> list[Snapshot]:
        chosen = [e for e in cluster.environments(namespace) if name in (None, e["metadata"]["name"])]
        if not chosen and not live:
            raise TapError(absent)
        return [cluster.snapshot(environment, resources=live) for environment in chosen]

    console = _console(no_color=no_color)
    if live:
        deadline = time.monotonic() + timeout if until_settled else None
        where = screen(console) if output == "table" else nowhere()
        snapshots = follow(look, where, deadline=deadline, quiet=quiet_for, absent=absent)
    else:
        snapshots = look()
    if output == "json":
        click.echo(json.dumps([_json(snapshot) for snapshot in snapshots], indent=2))
    elif not live:
        for snapshot in snapshots:
            console.print(tree(snapshot))


def _console(*, no_color: bool) -> Console:
    """Returns where to print. A pipe has no width, and rich would take 80 columns: a line is a line there."""
    width = None if sys.stdout.isatty() else _PIPE_COLUMNS
    return Console(no_color=no_color, highlight=False, width=width)


def _json(snapshot: Snapshot) -> dict[str, object]:
    return {
        "namespace": snapshot.namespace,
        "name": snapshot.name,
        "status": snapshot.environment.get("status", {}),
        "missing": snapshot.missing(),
    }
