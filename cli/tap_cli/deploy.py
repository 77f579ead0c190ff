"""`tap deploy`: applies claims, after their plan was seen, and shows how they become."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tap_api.errors import TapError
from tap_cli.claims import Claim, claims
from tap_cli.terminal import cluster_options, color_option, columns, echo, echo_result, formatted, output_option

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tap_cli.deployed import Deployment
    from tap_cli.follow import Show
    from tap_cli.intent import Intent
    from tap_cli.snapshot import Snapshot
    from tap_cli.writer import Writer

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

    Their plan against the cluster comes first, and what admission says of it in a dry run, then a question. They are
    applied server-side, as field manager `tap`; where one of them is refused, none is. With --region, of the file that
    region's entry alone is applied, its state too. Ctrl-C stops the looking and nothing else. A file that is `-` is
    standard input.
    """
    if not yes and (output == "json" or Path("-") in files or not sys.stdin.isatty()):
        message = "there is nobody to ask; look at `tap plan`, then say --yes"
        raise click.UsageError(message)
    found = claims(files, namespace, of_one_cluster=True)
    from tap_cli.deployed import again, on_its_way, summary, unfinished
    from tap_cli.follow import console, nowhere, pictures
    from tap_cli.writer import Writer

    cluster = Writer(kubeconfig, context)
    made = [_planned(cluster, claim, region) for claim in found]
    if output == "table":
        _show(made, no_color=no_color)
    snapshots: list[Snapshot] = []
    failure: TapError | None = None
    interrupted = False
    try:
        _rehearse(cluster, made)
        _ask(made, yes=yes)
        for one in made:
            if one.pending:
                cluster.apply(one.wanted)
                one.applied = True
        if wait:
            where = nowhere() if output == "json" else pictures(console(no_color=no_color))
            snapshots = _wait(cluster, [one.wanted for one in made], region, where, timeout)
    except KeyboardInterrupt:
        interrupted = True
        click.echo("\n".join(["", *on_its_way(made)]), err=True)
    except TapError as error:
        failure = TapError(unfinished(error, made))
    if output == "json":
        why = "interrupted" if interrupted else None if failure is None else str(failure)
        echo_result(output, error=why, claims=[summary(one, snapshots) for one in made])
    elif not (wait or failure or interrupted):
        click.echo("\n".join(again(one.wanted) for one in made))
    if failure is not None:
        raise failure
    return 130 if interrupted else 0


def _planned(cluster: "Writer", claim: Claim, region: str | None) -> "Deployment":
    from tap_api.kinds import KINDS
    from tap_cli.deployed import Deployment
    from tap_cli.intent import intent, stored
    from tap_stack.plan import State, plan

    state = State.of(cluster.objects(claim.kind, claim.name, claim.namespace), claim.namespace)
    wanted = intent(claim.document, state.find(KINDS[claim.kind], claim.name), region)
    made = plan(wanted.document, state)
    if region and wanted.live is not None:
        made = made.beyond(plan(stored(wanted.live), state), region)
    return Deployment(made, wanted)


def _show(made: "Sequence[Deployment]", *, no_color: bool) -> None:
    from tap_cli.plan_text import lines

    width = columns()
    for one in made:
        echo(formatted(lines(one.plan, "cluster"), width), no_color=no_color)
        if one.wanted.left_out:
            click.echo(f"Left out, for --region applies one region alone: {', '.join(one.wanted.left_out)}")


def _rehearse(cluster: "Writer", made: "Sequence[Deployment]") -> None:
    """Asks the cluster of every claim before any is applied, and tells what it warns of.

    Raises:
        TapError: policy, or the cluster, refuses a claim; every refusal is in the message.
    """
    from tap_cli.deployed import refused
    from tap_cli.refusals import RefusedByClusterError

    if any(one.plan.violations for one in made):
        raise TapError(refused([one.plan for one in made]))
    refusals = []
    for one in made:
        try:
            one.warnings = cluster.rehearse(one.wanted) if one.pending else ()
        except RefusedByClusterError as error:
            refusals.append(str(error))
        for warning in one.warnings:
            click.echo(f"warning: {warning}", err=True)
    if refusals:
        raise TapError("\n".join(refusals))


def _ask(made: "Sequence[Deployment]", *, yes: bool) -> None:
    """Returns where somebody has said that it may be applied, or there is nothing to apply.

    Raises:
        TapError: somebody said no.
    """
    if yes or not any(one.pending for one in made):
        return
    message = "nothing was applied, as you said"
    try:
        said = click.confirm("Apply this?")
    except click.Abort:
        click.echo(f"\n{message}", err=True)
        raise
    if not said:
        raise TapError(message)


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
