"""`tap plan`: what applying claims does, before it is applied."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tap_cli.choose import no_region, regions_of
from tap_cli.claims import Claim, claims, saved
from tap_cli.terminal import (
    Answering,
    cluster_options,
    color_option,
    columns,
    echo,
    echo_result,
    formatted,
    output_option,
)

if TYPE_CHECKING:
    from tap_stack.plan import Plan, State

_NOTHING, _CLUSTER = "nothing", "cluster"
EXAMPLES = (
    ("tap plan claims/prod.yaml", "as if nothing of it were there, offline"),
    ("tap plan claims/prod.yaml --against cluster", "reading rights are enough"),
    ("tap state export prod --out saved", "docs/state.md"),
    ("tap plan claims/prod.yaml --against saved/", "offline"),
)
EXIT_CODES = {
    0: "nothing changes",
    1: "an error, a claim that is refused, or a command line that is not understood",
    2: "something changes",
}


@click.command("plan", cls=Answering)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--against",
    default=_NOTHING,
    show_default=True,
    envvar="TAP_PLAN_AGAINST",
    metavar="nothing|cluster|DIR",
    show_envvar=True,
    help="What there is: nothing, what the cluster holds, or objects that were saved in a folder.",
)
@click.option("-r", "--region", "regions", multiple=True, metavar="REGION", help="Only this region; may be repeated.")
@click.option("-n", "--namespace", help="Namespace of claims that name none.")
@output_option("table", "json", "yaml", "markdown", default="table")
@color_option()
@cluster_options
def command(  # noqa: PLR0913  (one for each option)
    *,
    files: tuple[Path, ...],
    against: str,
    regions: tuple[str, ...],
    namespace: str | None,
    output: str,
    no_color: bool,
    kubeconfig: Path | None,
    context: str | None,
) -> int:
    """Show what applying the claims in FILES does, and change nothing.

    For each region and part: what is created, updated, deleted or blocked, each field as it is and as it will be, what
    is known only later, what loses data, and what policy says. It asks the functions that the operator and Crossplane
    ask. A file that is `-` is standard input.
    """
    found = claims(files, namespace)
    look = _state(against, kubeconfig, context)
    from tap_stack.plan import plan

    plans = [(claim, _chosen(claim, plan(claim.document, look(claim)), regions)) for claim in found]
    if output in ("json", "yaml"):
        held_against = against if against in (_NOTHING, _CLUSTER) else "folder"
        made_of = [{"file": str(claim.file), **made.json()} for claim, made in plans]
        echo_result(output, against=held_against, plans=made_of)
    elif output == "markdown":
        from tap_cli.plan_markdown import markdown

        click.echo("\n".join(markdown(made, against) for _, made in plans), nl=False)
    else:
        from tap_cli.plan_text import lines

        width = columns()
        echo("\n\n".join(formatted(lines(made, against), width) for _, made in plans), no_color=no_color)
    if any(made.violations for _, made in plans):
        return 1
    return 2 if any(made.changes for _, made in plans) else 0


def _state(against: str, kubeconfig: Path | None, context: str | None) -> "Callable[[Claim], State]":
    """Returns what tells what there is beside a claim."""
    from tap_stack.plan import State

    if against == _NOTHING:
        return lambda _: State()
    if against == _CLUSTER:
        from tap_cli.cluster import Cluster

        cluster = Cluster(kubeconfig, context)
        return lambda claim: State.of(cluster.objects(claim.kind, claim.name, claim.namespace), claim.namespace)
    objects = saved(Path(against))
    return lambda claim: State.of(objects, claim.namespace)


def _chosen(claim: Claim, made: "Plan", regions: Sequence[str]) -> "Plan":
    if not regions or made.violations:
        return made
    # One that leaves the list is the plan's alone; of one that is Absent and gone there is nothing to plan.
    known = list(dict.fromkeys([*regions_of(claim.document), *made.regions]))
    for region in regions:
        if region not in known:
            raise click.BadParameter(no_region(region, made.name, known), param_hint="--region")
    return made.only(regions)
