"""`tap destroy`: deletes claims, or takes a region away, and waits until nothing of it is left in AWS."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tap_api.errors import TapError
from tap_cli.claims import claims
from tap_cli.terminal import cluster_options, color_option, columns, echo, echo_result, formatted, output_option

if TYPE_CHECKING:
    from tap_cli.remains import Remains
    from tap_cli.remover import Remover
    from tap_cli.removing import Removal

EXAMPLES = (
    ("tap destroy claims/dev.yaml", "what will be lost, a question, then live"),
    ("tap destroy claims/prod.yaml --region eu-west-1", "that region alone"),
    ("tap destroy claims/prod.yaml --confirm prod", "a protected one, in a job"),
)
EXIT_CODES = {
    0: "nothing of it is left, or it has begun where --no-wait says so",
    1: "an error, what a guard or a lock refuses, a no to the question, or not gone in time",
    2: "the command line is not understood, or there is nobody to ask: --yes or --confirm is missing",
    130: "Ctrl-C: what has begun goes on",
}


@click.command("destroy")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("-r", "--region", metavar="REGION", help="Only this region: its state becomes Absent.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask. Of what is protected, this alone is not enough.")
@click.option("--confirm", "confirmed", multiple=True, metavar="NAME", help="The claim's name; may be repeated.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until nothing of it is left.")
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
    confirmed: tuple[str, ...],
    wait: bool,
    timeout: int,
    namespace: str | None,
    output: str,
    no_color: bool,
    kubeconfig: Path | None,
    context: str | None,
) -> int:
    """Destroy the claims in FILES, and show live what is left of them until AWS has nothing of it any more.

    What will be lost, and what stays in AWS, comes first, then a question; of what is protected, its name is to be
    typed, or given with --confirm. What is paused is resumed first. Run again, it shows what is on its way, and asks
    nothing. Ctrl-C stops the looking and nothing else. A file that is `-` is standard input.
    """
    asking = output != "json" and Path("-") not in files and sys.stdin.isatty()
    if not (asking or yes or confirmed):
        message = "there is nobody to ask; say --yes, and --confirm NAME of what is protected"
        raise click.UsageError(message)
    found = claims(files, namespace, of_one_cluster=True)
    strangers = sorted(set(confirmed) - {claim.name for claim in found})
    if strangers:
        message = f"no claim in these files is called {', '.join(strangers)}"
        raise click.BadParameter(message, param_hint="--confirm")
    from tap_cli.deployed import refused
    from tap_cli.remover import Remover
    from tap_cli.removing import removing
    from tap_cli.removing_text import again, done, lines
    from tap_stack.plan import State

    cluster = Remover(kubeconfig, context)
    there = [(claim, cluster.objects(claim.kind, claim.name, claim.namespace)) for claim in found]
    removals = [removing(claim, region, State.of(objects, claim.namespace)) for claim, objects in there]
    if output == "table":
        width = columns()
        echo("\n\n".join(formatted(lines(removal), width) for removal in removals), no_color=no_color)
    if any(removal.plan.violations for removal in removals):
        raise TapError(refused([removal.plan for removal in removals]))
    for removal in removals:
        _ask(removal, asking=asking, yes=yes, confirmed=confirmed)
    deadline = time.monotonic() + timeout
    try:
        cluster.destroy([removal for removal in removals if not removal.begun], timeout)
        if wait:
            _wait(cluster, removals, deadline - time.monotonic(), live=output == "table", no_color=no_color)
    except KeyboardInterrupt:
        on_its_way = [removal for removal in removals if removal.begun or removal in cluster.begun]
        told = [*map(again, on_its_way)] or ["nothing was destroyed yet; what was resumed stays so"]
        click.echo("\n".join(["", *told]), err=True)
        return 130
    if output == "json":
        echo_result(output, gone=wait, claims=[removal.json() for removal in removals])
    elif wait:
        echo(formatted(done(removals), columns()), no_color=no_color)
    else:
        click.echo("\n".join(map(again, removals)))
    return 0


def _ask(removal: "Removal", *, asking: bool, yes: bool, confirmed: Sequence[str]) -> None:
    """Returns where a person has said that it may go.

    Raises:
        TapError: a person said no.
        click.UsageError: there is nobody to ask.
    """
    name = removal.target.name
    if removal.begun or name in confirmed or (yes and not removal.protected):
        return
    if not asking:
        what = "is protected, and" if removal.protected else "is not confirmed, and"
        message = f"{name} {what} there is nobody to ask: say --confirm {name}"
        raise click.UsageError(message)
    if removal.protected:
        said = click.prompt(f"Type {name} to destroy {removal.target}", default="", show_default=False) == name
    else:
        said = click.confirm(f"Destroy {removal.target}?")
    if not said:
        message = "nothing was destroyed, as you said"
        raise TapError(message)


def _wait(
    cluster: "Remover", removals: Sequence["Removal"], seconds: float, *, live: bool, no_color: bool
) -> "list[Remains]":
    from tap_cli.follow import console, nowhere, screen
    from tap_cli.progress import follow
    from tap_cli.remains import Remains

    where = screen(console(no_color=no_color), Remains.tree, Remains.summary) if live else nowhere()
    return follow(
        lambda: [cluster.look(removal.target) for removal in removals],
        lambda remains: [line for one in remains for line in one.left()],
        where,
        seconds=seconds,
    )
