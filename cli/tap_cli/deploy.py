"""`tap deploy`: applies claims, after their plan was seen, and shows how they become."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tap_api.errors import TapError
from tap_cli.claims import Claim, claims
from tap_cli.terminal import cluster_options, color_option, columns, echo, echo_data, formatted, output_option

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tap_cli.follow import Show
    from tap_cli.intent import Intent
    from tap_cli.snapshot import Snapshot
    from tap_cli.writer import Writer
    from tap_stack.plan import Plan

_VERSION = 1
EXAMPLES = (
    ("tap deploy claims/prod.yaml", "its plan, a question, then live"),
    ("tap deploy claims/prod.yaml --yes --timeout 3600", "in a job"),
    ("tap deploy claims/prod.yaml --region us-east-2", "that region alone, with the state that the file gives it"),
)
EXIT_CODES = {
    0: "it is as the claims want it, or applied where --no-wait says so",
    1: "an error, a claim that is refused, a no to the question, or not done in time",
    2: "the command line is not understood, or there is nobody to ask: --yes is missing",
    130: "Ctrl-C: what was applied goes on",
}


@click.command("deploy")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("-r", "--region", metavar="REGION", help="Only this region; all else stays as the cluster has it.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until it is done.")
@click.option("--timeout", type=click.IntRange(min=1), default=3600, show_default=True, help="Seconds to wait.")
@click.option("-n", "--namespace", help="Namespace of claims that name none.")
@output_option("table", "json", default="table")
@color_option()
@cluster_options
def command(  # noqa: PLR0913  (one for each option)
    *,
    files: tuple[Path, ...],
    region: str | None,
    yes: bool,
    wait: bool,
    timeout: int,
    namespace: str | None,
    output: str,
    no_color: bool,
    kubeconfig: Path | None,
    context: str | None,
) -> int:
    """Apply the claims in FILES, and show them live until every region is as it is wanted.

    Their plan against the cluster comes first, then a question. They are applied server-side, as field manager `tap`.
    With --region, of the file that region's entry alone is applied, its state too. Ctrl-C stops the looking and nothing
    else. A file that is `-` is standard input.
    """
    if not yes and (output == "json" or Path("-") in files or not sys.stdin.isatty()):
        message = "there is nobody to ask; look at `tap plan`, then say --yes"
        raise click.UsageError(message)
    found = claims(files, namespace, of_one_cluster=True)
    from tap_cli.deployed import again, refused, summary
    from tap_cli.follow import console, nowhere, pictures
    from tap_cli.writer import Writer

    cluster = Writer(kubeconfig, context)
    planned = [_planned(cluster, claim, region) for claim in found]
    if output == "table":
        _show(planned, no_color=no_color)
    if any(plan.violations for plan, _ in planned):
        raise TapError(refused([plan for plan, _ in planned]))
    applied = [wanted for plan, wanted in planned if plan.changes]
    if applied and not yes and not click.confirm("Apply this?"):
        message = "nothing was applied, as you said"
        raise TapError(message)
    intents, snapshots = [wanted for _, wanted in planned], []
    try:
        for wanted in applied:
            cluster.apply(wanted)
        if wait:
            where = nowhere() if output == "json" else pictures(console(no_color=no_color))
            snapshots = _wait(cluster, intents, region, where, timeout)
    except KeyboardInterrupt:
        click.echo("\n".join(["", *map(again, intents)]), err=True)
        return 130
    if output == "json":
        echo_data(output, {"version": _VERSION, "claims": [summary(*pair, snapshots) for pair in planned]})
    elif not wait:
        click.echo("\n".join(map(again, intents)))
    return 0


def _planned(cluster: "Writer", claim: Claim, region: str | None) -> "tuple[Plan, Intent]":
    from tap_api.kinds import KINDS
    from tap_cli.intent import intent
    from tap_stack.plan import State, plan

    state = State.of(cluster.objects(claim.kind, claim.name, claim.namespace), claim.namespace)
    wanted = intent(claim.document, state.find(KINDS[claim.kind], claim.name), region)
    return plan(wanted.document, state), wanted


def _show(planned: "Sequence[tuple[Plan, Intent]]", *, no_color: bool) -> None:
    from tap_cli.plan_text import lines

    width = columns()
    for plan, wanted in planned:
        echo(formatted(lines(plan, "cluster"), width), no_color=no_color)
        if wanted.left_out:
            click.echo(f"Left out, for --region applies one region alone: {', '.join(wanted.left_out)}")


def _wait(
    cluster: "Writer",
    wanted: "Sequence[Intent]",
    region: str | None,
    where: "AbstractContextManager[Show[Snapshot]]",
    seconds: int,
) -> "list[Snapshot]":
    """Shows the claims live until they are as they are wanted."""
    from tap_cli import progress

    documents = [intent.document for intent in wanted]

    def left(snapshots: "list[Snapshot]") -> list[str]:
        missing = len(documents) - len(snapshots)
        gone = ["a claim that was applied is not there any more"] if missing else []
        return gone + [f"{s.name}/{line}" for s in snapshots for line in progress.undone(s, region)]

    return progress.follow(lambda: progress.look(cluster, documents), left, where, seconds=seconds)
