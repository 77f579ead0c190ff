"""The command line: one image, two processes. `tap-operator fanout` acts, `tap-operator admission` judges."""

import asyncio
import logging
import os
import signal
import socket
import sys
import uuid
from collections.abc import Coroutine
from pathlib import Path

import click
import kopf

from tap_api.errors import TapError
from tap_operator import admission as judging
from tap_operator import fanout as fanning
from tap_operator.cluster import connect
from tap_operator.health import Echoes, Health
from tap_operator.lease import Lease
from tap_operator.settings import run_kopf, settings
from tap_operator.webhook import Webhook

#: Seconds that passes may stand still before the process is to be restarted.
_STUCK = 120.0
#: Seconds that an orderly end may take once the lease is lost.
_LAST_ORDERS = 5.0
_HEALTH_ADDRESS = click.option("--health-address", default="127.0.0.1", show_default=True, help="Where probes come to.")
_HEALTH_PORT = click.option("--health-port", type=int, required=True, help="Port of /healthz and /readyz.")
_LOG_FORMAT = click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How logs are written."
)


@click.group()
def main() -> None:
    """The operator of TAP on Crossplane."""


@main.command()
@_HEALTH_ADDRESS
@_HEALTH_PORT
@_LOG_FORMAT
@click.option("--namespace", default="tap-system", show_default=True, help="Namespace of the Lease.")
def fanout(health_address: str, health_port: int, log_format: str, namespace: str) -> None:
    """Makes RegionalTaps of EnvironmentTaps, and rolls their status up."""
    _run(log_format, _fan_out(health_address, health_port, namespace))


@main.command()
@click.option("--address", default="0.0.0.0", show_default=True, help="Where the apiserver comes to.")  # noqa: S104
@click.option("--port", type=int, default=9443, show_default=True, help="Port of the webhook.")
@click.option(
    "--certs-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder of tls.crt and tls.key; renewed files are taken up.",
)
@_HEALTH_ADDRESS
@_HEALTH_PORT
@_LOG_FORMAT
def admission(  # noqa: PLR0913, PLR0917  (options of a command line)
    address: str, port: int, certs_dir: Path, health_address: str, health_port: int, log_format: str
) -> None:
    """Judges claims before they are stored."""
    _run(log_format, _admit(Webhook(address, port, certs_dir), health_address, health_port))


def _run(log_format: str, work: Coroutine[None, None, None]) -> None:
    kopf.configure(log_format=kopf.LogFormat.JSON if log_format == "json" else kopf.LogFormat.FULL)
    # They tell of every event that was handled and of every request that came.
    logging.getLogger("kopf.objects").setLevel(logging.ERROR)
    logging.getLogger("aiohttp.access").setLevel(logging.ERROR)
    try:
        asyncio.run(work)
    except* (TapError, kopf.LoginError, OSError) as group:
        click.echo(f"tap-operator: {_first(group)}", err=True)
        sys.exit(1)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _fan_out(health_address: str, health_port: int, namespace: str) -> None:
    echoes, stop = Echoes(fanning.WATCHED), _stop_by_signal()
    async with connect(on_write=echoes.wrote) as cluster:
        queue = fanning.work(cluster)

        async def wrong() -> str:
            stuck = queue.stuck_seconds
            return echoes.missing() or (f"no pass has ended for {stuck:.0f} s" if stuck > _STUCK else "")

        # A replica that waits for the lease is ready: it does what it is there for.
        health = Health(live=wrong, ready=wrong)
        lease = Lease(cluster, namespace, "tap-operator", f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}")
        await health.start(health_address, health_port)
        try:
            if not await _unless(stop, lease.acquire()):
                return
            async with asyncio.TaskGroup() as tasks:
                beside = [
                    tasks.create_task(_keep(lease), name="lease"),
                    tasks.create_task(queue.run(), name="queue"),
                    tasks.create_task(fanning.resync(cluster, queue), name="resync"),
                ]
                await run_kopf(fanning.handlers(queue, echoes), settings(), stop)
                for task in beside:
                    task.cancel()
        finally:
            await lease.release()
            await health.stop()


async def _keep(lease: Lease) -> None:
    try:
        await lease.keep()
    except TapError:
        # Others act from now on: if kopf does not come to its end in time, end it.
        asyncio.get_running_loop().call_later(_LAST_ORDERS, os._exit, 1)
        raise


def _stop_by_signal() -> asyncio.Event:
    """Returns what is set when the process is asked to end. Once kopf runs, it hears the signals itself."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _unless(stop: asyncio.Event, work: Coroutine[None, None, None]) -> bool:
    """Runs `work` to its end, or until `stop` is set; returns whether it came to its end."""
    tasks = {asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())}
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()
    return not stop.is_set()


async def _admit(webhook: Webhook, health_address: str, health_port: int) -> None:
    how = settings()
    how.admission.server = webhook
    logging.getLogger("kopf.objects").setLevel(logging.CRITICAL)  # Refusals are its errors; ours are logged by us.

    async def alive() -> str:
        return ""  # The event loop answers. kopf ends the process when its server or its watch does.

    health = Health(live=alive, ready=webhook.unready)
    await health.start(health_address, health_port)
    try:
        await run_kopf(judging.handlers(), how, _stop_by_signal())
    finally:
        await health.stop()


if __name__ == "__main__":
    main()
