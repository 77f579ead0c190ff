"""`tap unlock`: a lock that is given up by its holder, or broken by somebody else, on record."""

from datetime import UTC, datetime
from pathlib import Path

import click

from tap_cli.terminal import cluster_options

EXAMPLES = (
    ("tap unlock prod", "by its holder"),
    ('tap unlock prod --break --why "bob is on leave, his change is done"', ""),
)
EXIT_CODES = {
    0: "nobody holds the lock any more",
    1: "an error, nobody holds it, or somebody else does",
    2: "the command line is not understood",
}


@click.command("unlock")
@click.argument("name")
@click.option("--break", "breaking", is_flag=True, help="Break the lock of somebody else, on record.")
@click.option("--why", default="", help="With --break: why. It goes on record.")
@click.option("-n", "--namespace", help="Namespace of the environment.  [default: all]")
@cluster_options
def command(  # noqa: PLR0913  (one for each option)
    *, name: str, breaking: bool, why: str, namespace: str | None, kubeconfig: Path | None, context: str | None
) -> None:
    """Give up the lock of the environment NAME.

    With --break it may be somebody else's: who broke whose lock, when and why stays on the Lease, and an Event on the
    EnvironmentTap tells of it. Only then does a lock whose time is over end, too.
    """
    from tap_cli.leases import Leases

    if why and not breaking:
        message = "--why goes with --break"
        raise click.UsageError(message)
    if breaking and not why.strip():
        message = "--break needs --why: it goes on record"
        raise click.UsageError(message)
    leases, now = Leases(kubeconfig, context), datetime.now(UTC)
    if not breaking:
        lock = leases.release(name, namespace, now=now)
        click.echo(f"{lock.namespace}/{lock.environment} is not locked any more")
        return
    lock, warning = leases.break_lock(name, namespace, why=why, now=now)
    click.echo(f"{lock.namespace}/{lock.environment} is not locked any more: {lock.broken}")
    if warning:
        click.echo(f"warning: {warning}", err=True)
