"""The command line: one image, two processes. `tap-operator fanout` acts, `tap-operator admission` judges.

And two questions: `tap-operator test`, whether claims are judged, and `tap-operator uninstall`, whether both may go.
"""

import asyncio
import logging
import sys
from collections.abc import Coroutine
from pathlib import Path

import click
import kopf

from tap_api.errors import TapError
from tap_api.policy import Organisation, load
from tap_operator import trial
from tap_operator.metrics import Metrics
from tap_operator.processes import admit, fan_out
from tap_operator.uninstall import allow
from tap_operator.webhook import Webhook

_HEALTH_ADDRESS = click.option("--health-address", default="127.0.0.1", show_default=True, help="Where probes come to.")
_HEALTH_PORT = click.option("--health-port", type=int, required=True, help="Port of /healthz and /readyz.")
_LOG_FORMAT = click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How logs are written."
)
_POLICY = click.option(
    "--policy",
    type=click.Path(path_type=Path),
    default=None,
    help="File of your organisation's rules (docs/reference/policy.md); without one: what holds where nothing is said.",
)


@click.group()
def main() -> None:
    """The operator of TAP on Crossplane."""


@main.command()
@_HEALTH_ADDRESS
@_HEALTH_PORT
@_LOG_FORMAT
@click.option("--namespace", default="tap-system", show_default=True, help="Namespace of the Lease.")
@_POLICY
def fanout(health_address: str, health_port: int, log_format: str, namespace: str, policy: Path | None) -> None:
    """Makes RegionalTaps of EnvironmentTaps, and rolls their status up."""
    _run(log_format, fan_out(health_address, health_port, namespace, _organisation(policy)))


@main.command()
@click.option("--address", default="0.0.0.0", show_default=True, help="Where the apiserver comes to.")  # noqa: S104
@click.option("--port", type=int, default=9443, show_default=True, help="Port of the webhook.")
@click.option(
    "--certs-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder of tls.crt and tls.key; renewed files are taken up.",
)
@click.option(
    "--drain-seconds",
    type=click.FloatRange(0, 60),
    default=0,
    show_default=True,
    help="How long to answer still once asked to end, closing each connection that is used.",
)
@click.option("--metrics-address", default="127.0.0.1", show_default=True, help="Where Prometheus comes to.")
@click.option("--metrics-port", type=int, default=None, help="Port of /metrics; without one there are none.")
@_HEALTH_ADDRESS
@_HEALTH_PORT
@_LOG_FORMAT
@_POLICY
def admission(  # noqa: PLR0913, PLR0917  (options of a command line)
    address: str,
    port: int,
    certs_dir: Path,
    drain_seconds: float,
    metrics_address: str,
    metrics_port: int | None,
    health_address: str,
    health_port: int,
    log_format: str,
    policy: Path | None,
) -> None:
    """Judges claims before they are stored."""
    scraped = (metrics_address, metrics_port) if metrics_port is not None else None
    webhook = Webhook((address, port), certs_dir, Metrics(), drain=drain_seconds)
    _run(log_format, admit(webhook, health_address, health_port, _organisation(policy), scraped))


@main.command()
@_LOG_FORMAT
@click.option("--namespace", default="tap-system", show_default=True, help="Namespace of the claim that is tried.")
def test(log_format: str, namespace: str) -> None:
    """Fails unless admission refuses a claim that nobody may make; nothing is stored. `helm test` asks this."""
    _run(log_format, trial.run(namespace))


@main.command()
@_LOG_FORMAT
@click.option("--keep", default="", help="Command that keeps the release after all; told where taps are left.")
def uninstall(log_format: str, keep: str) -> None:
    """Fails where taps are left that nobody could delete without the operator; the chart asks before it goes."""
    _run(log_format, allow(keep))


def _organisation(path: Path | None) -> Organisation:
    """Returns the organisation's rules. Who changes them starts the process anew (the chart does, by a checksum)."""
    try:
        return load(path) if path else Organisation()
    except TapError as error:
        raise click.ClickException(str(error)) from error


def _run(log_format: str, work: Coroutine[None, None, None]) -> None:
    kopf.configure(log_format=kopf.LogFormat.JSON if log_format == "json" else kopf.LogFormat.FULL)
    # They tell of every event that was handled and of every request that came.
    logging.getLogger("kopf.objects").setLevel(logging.ERROR)
    logging.getLogger("aiohttp.access").setLevel(logging.ERROR)
    # It warns of a kubeconfig that is not there; our own message says what to do about it.
    logging.getLogger("kubernetes.aio.config").setLevel(logging.ERROR)
    try:
        asyncio.run(work)
    except* (TapError, kopf.LoginError, OSError) as group:
        click.echo(f"tap-operator: {_first(group)}", err=True)
        sys.exit(1)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    main()
