"""`tap status`: environments as a tree, once or live."""

import time
from pathlib import Path

import click

from tap_api.errors import TapError
from tap_cli.follow import QUIET_SECONDS, console, follow, nowhere, pictures
from tap_cli.snapshot import Snapshot
from tap_cli.terminal import cluster_options, color_option, echo_result, output_option
from tap_cli.tree import tree

EXAMPLES = (
    ("tap status", "every environment"),
    ("tap status prod --watch", "as it changes, until Ctrl-C"),
    ("tap status prod --until-settled --timeout 900", "in a job"),
)
EXIT_CODES = {
    0: "it is shown, or has settled",
    1: "an error, no such environment, or not settled in time",
    2: "the command line is not understood",
    130: "Ctrl-C",
}


@click.command("status")
@click.argument("name", required=False)
@click.option("-n", "--namespace", help="Namespace of the environment (default: all).")
@click.option("-w", "--watch", is_flag=True, help="Keep showing it until Ctrl-C.")
@click.option(
    "--until-settled",
    is_flag=True,
    help=f"Keep showing it until all that can be composed is there and nothing changed for {QUIET_SECONDS} seconds.",
)
@click.option("--timeout", type=click.IntRange(min=1), default=600, show_default=True, help="Seconds to settle in.")
@click.option("--quiet-for", type=click.IntRange(min=1), help=f"Seconds without a change, in place of {QUIET_SECONDS}.")
@output_option("table", "json", "yaml", default="table")
@color_option()
@cluster_options
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

    if watch and output != "table":
        message = f"--watch shows a picture that changes; for {output.upper()} take --until-settled, or neither"
        raise click.UsageError(message)
    if watch and until_settled:
        message = "--watch goes on until Ctrl-C, and --until-settled ends; take one of them"
        raise click.UsageError(message)
    cluster = Cluster(kubeconfig, context)
    live = watch or until_settled

    absent = f"no EnvironmentTap{f' {name!r}' if name else ''} in {namespace or 'any namespace'}"

    def look() -> list[Snapshot]:
        chosen = [e for e in cluster.environments(namespace) if name in (None, e["metadata"]["name"])]
        if not chosen and not live:
            raise TapError(absent)
        return [cluster.snapshot(environment, resources=live) for environment in chosen]

    shown = console(no_color=no_color)
    if live:
        deadline = time.monotonic() + timeout if until_settled else None
        where = pictures(shown) if output == "table" else nowhere()
        snapshots = follow(look, where, deadline=deadline, quiet=quiet_for, absent=absent)
    else:
        snapshots = look()
    if output != "table":
        echo_result(output, environments=[_json(snapshot) for snapshot in snapshots])
    elif not live:
        for snapshot in snapshots:
            shown.print(tree(snapshot))


def _json(snapshot: Snapshot) -> dict[str, object]:
    return {
        "namespace": snapshot.namespace,
        "name": snapshot.name,
        "status": snapshot.environment.get("status", {}),
        "missing": snapshot.missing(),
    }
