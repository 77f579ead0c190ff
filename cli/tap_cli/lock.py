"""`tap lock`: an environment that for now nobody else changes."""

import re
from datetime import UTC, datetime
from pathlib import Path

import click

from tap_cli.terminal import cluster_options

_DEFAULT = "1h"
#: A lock is for a piece of work, not for ever.
_LONGEST = 7 * 24 * 3600
_SECONDS = {"m": 60, "h": 3600, "d": 24 * 3600}
EXAMPLES = (
    ('tap lock prod --why "moving the database" --for 2h', ""),
    ("tap lock prod --for 4h", "by its holder: renewed"),
    ("tap lock status", ""),
    ("tap lock -- status", "an environment of that name"),
)
EXIT_CODES = {
    0: "the lock is yours",
    1: "an error, or somebody else holds it",
    2: "the command line is not understood",
}


class _Duration(click.ParamType[int]):
    """A time such as 30m, 2h or 1d, in seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([1-9]\d{0,5})([mhd])", str(value), re.ASCII)
        if not found:
            self.fail(f"{value!r} is no time; write one such as 30m, 2h or 1d", param, ctx)
        seconds = int(found[1]) * _SECONDS[found[2]]
        if seconds > _LONGEST:
            self.fail(f"{value} is longer than 7 days; renew the lock instead", param, ctx)
        return seconds


@click.command("lock")
@click.argument("name", shell_complete=lambda _ctx, _param, begun: [w for w in ("status",) if w.startswith(begun)])
@click.option("--why", default="", help="What for; whoever is refused is told.")
@click.option(
    "--for",
    "seconds",
    type=_Duration(),
    default=_DEFAULT,
    show_default=True,
    metavar="TIME",
    help="How long, such as 30m, 2h or 1d, up to 7d. After that the lock is stale: it holds until it is broken.",
)
@click.option("-n", "--namespace", help="Namespace of the environment.  [default: all]")
@cluster_options
def command(  # noqa: PLR0913  (one for each option)
    *, name: str, why: str, seconds: int, namespace: str | None, kubeconfig: Path | None, context: str | None
) -> None:
    """Keep the environment NAME to yourself: while you hold its lock, admission refuses spec changes by others.

    You are who the cluster says (your Kubernetes user name). Reconciling goes on. Others may not delete the
    environment either. A second `tap lock` of your own renews it.
    """
    from tap_cli.leases import Leases

    leases = Leases(kubeconfig, context)
    lock = leases.take(name, namespace, why=why, seconds=seconds, now=datetime.now(UTC))
    click.echo(f"{lock.namespace}/{lock.environment} is locked by {lock.told(datetime.now(UTC))}")
