"""`tap drift`: what AWS has otherwise than is wanted."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tap_api.base import Json
from tap_api.errors import TapError
from tap_api.fanout import has_controller
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP
from tap_cli.claims import saved
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
    from tap_stack.plan import State

EXAMPLES = (
    ("tap drift", "every environment"),
    ("tap drift prod -n tap-prod", "reading rights are enough"),
    ("kubectl get tap,managed -n tap-prod -o json > saved/prod.json", ""),
    ("tap drift prod --observed saved/", "offline"),
)
EXIT_CODES = {
    0: "nothing drifts",
    1: "an error, no such environment, or a command line that is not understood",
    2: "something drifts",
}


@click.command("drift", cls=Answering)
@click.argument("name", required=False)
@click.option("-n", "--namespace", help="Namespace of the environment (default: all).")
@click.option("-A", "--all-namespaces", is_flag=True, help="All namespaces, as where none is named.")
@click.option(
    "--observed",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Objects that were saved in a folder, in place of the cluster.",
)
@output_option("table", "json", "yaml", default="table")
@color_option()
@cluster_options
def command(  # noqa: PLR0913  (one for each option)
    *,
    name: str | None,
    namespace: str | None,
    all_namespaces: bool,
    observed: Path | None,
    output: str,
    no_color: bool,
    kubeconfig: Path | None,
    context: str | None,
) -> int:
    """Show which fields AWS has otherwise than is wanted, though it once had them so; NAME is an environment.

    What is wanted is composed anew, as Crossplane is asked for it; what AWS has is what the provider reported last, and
    of what it does not report nothing is said. A RegionalTap that stands alone can be named too.
    """
    if namespace and all_namespaces:
        message = "--namespace and --all-namespaces contradict one another; take one of them"
        raise click.UsageError(message)
    from tap_stack.drift.survey import survey

    found = _saved(observed) if observed else _stored(namespace, kubeconfig, context)
    chosen = [
        (tap, state())
        for tap, state in found
        if name in (None, tap["metadata"]["name"]) and namespace in (None, tap["metadata"]["namespace"])
    ]
    if not chosen:
        what = f"no EnvironmentTap{f' {name!r}' if name else ''} in {namespace or 'any namespace'}"
        message = f"{what}; `tap status` lists those there are"
        raise TapError(message)
    surveys = [survey(tap, state) for tap, state in chosen]
    if output == "table":
        from tap_cli.drift_text import lines

        width = columns()
        echo("\n\n".join(formatted(lines(of_tap), width) for of_tap in surveys), no_color=no_color)
    else:
        echo_result(output, taps=[of_tap.json() for of_tap in surveys])
    return 2 if any(of_tap.drifted for of_tap in surveys) else 0


#: A tap as it is stored, and what reads what else there is in its namespace.
Source = tuple[Json, "Callable[[], State]"]


def _stored(namespace: str | None, kubeconfig: Path | None, context: str | None) -> Iterator[Source]:
    from tap_cli.cluster import Cluster
    from tap_stack.plan import State

    cluster = Cluster(kubeconfig, context)

    def state(tap: Json) -> "Callable[[], State]":
        kind, name, place = tap["kind"], tap["metadata"]["name"], tap["metadata"]["namespace"]
        return lambda: State.of(cluster.objects(kind, name, place), place)

    for tap in [*cluster.environments(namespace), *filter(_is_alone, cluster.regions(namespace))]:
        yield tap, state(tap)


def _saved(folder: Path) -> Iterator[Source]:
    from tap_stack.plan import State

    objects = saved(folder)
    for item in objects:
        alone = item["kind"] == REGIONAL_TAP.kind and _is_alone(item)
        if item["kind"] == ENVIRONMENT_TAP.kind or alone:
            if not isinstance(item.get("spec"), dict):
                message = f"{item['kind']} {item['metadata']['name']}: spec is missing; save it again"
                raise TapError(message)
            place = item["metadata"].setdefault("namespace", "default")
            yield item, lambda place=place: State.of(objects, place)  # type: ignore[misc]


def _is_alone(tap: Json) -> bool:
    return not has_controller(tap)
