"""`tap lock status`: who locks what, why and until when."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from tap_api.base import Json
from tap_api.locks import Lock, micro_time, minute
from tap_cli.terminal import (
    Line,
    cluster_options,
    color_option,
    columns,
    echo,
    echo_result,
    formatted,
    output_option,
    styled,
)

EXAMPLES = (("tap lock status", "every environment"), ("tap lock status prod -o json", ""))
EXIT_CODES = {
    0: "it is shown, locked or not",
    1: "an error, or no such environment",
    2: "the command line is not understood",
}


@click.command("lock status")
@click.argument("name", required=False)
@click.option("-n", "--namespace", help="Namespace of the environment.  [default: all]")
@output_option("table", "json", "yaml", default="table")
@color_option()
@cluster_options
def command(  # noqa: PLR0913  (one for each option)
    *,
    name: str | None,
    namespace: str | None,
    output: str,
    no_color: bool,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Show who holds the lock of which environment, why and until when, and who broke one last.

    Without NAME, every environment. A stale lock is one whose time is over; it holds until it is broken.
    """
    from tap_cli.leases import Leases

    now = datetime.now(UTC)
    locks = Leases(kubeconfig, context).locks(name, namespace)
    if output == "table":
        echo(formatted(lines(locks, now), columns()), no_color=no_color)
    else:
        echo_result(output, locks=[row(lock, now) for lock in locks])


def lines(locks: Sequence[Lock], now: datetime) -> Iterator[Line]:
    """Yields the locks as lines that people read: one for each environment, and what there is to say of it below."""
    if not locks:
        yield Line("no EnvironmentTap is there")
    for lock in locks:
        where = f"{lock.namespace}/{lock.environment}"
        if not lock.holder:
            yield styled(f"{where}  not locked", fg="green")
        else:
            stale = lock.is_stale(now)
            time = f"{'stale since' if stale else 'until'} {minute(lock.until)}"
            yield styled(f"{where}  locked by {lock.holder}, {time}", fg="red" if stale else "yellow")
            yield Line(f"why: {lock.why or 'no reason given'}", 2)
        if lock.broken:
            yield Line(f"last broken: {lock.broken}", 2)


def row(lock: Lock, now: datetime) -> Json:
    """Returns a lock for programs."""
    held = {
        "holder": lock.holder,
        "why": lock.why,
        "since": micro_time(lock.since),
        "until": micro_time(lock.until),
        "stale": lock.is_stale(now),
    }
    broken = lock.broken
    record = {"by": broken.by, "holder": broken.holder, "at": broken.at, "why": broken.why} if broken else None
    return {
        "namespace": lock.namespace,
        "name": lock.environment,
        "locked": bool(lock.holder),
        **(held if lock.holder else {}),
        **({"broken": record} if record else {}),
    }
