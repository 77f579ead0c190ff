"""The two processes: what runs in each, from its start to its end."""

import asyncio
import logging
import os
import signal
import socket
import uuid
from collections.abc import Coroutine

from tap_api.errors import TapError
from tap_api.policy import Organisation
from tap_operator import admission, audit, fanout, namespaces
from tap_operator.apiserver import connect
from tap_operator.health import Echoes, Health
from tap_operator.lease import Lease
from tap_operator.login import login
from tap_operator.settings import run_kopf, settings
from tap_operator.told import TapMetrics
from tap_operator.waiting import Waiting
from tap_operator.webhook import Webhook

#: Seconds that passes may stand still before the process is to be restarted.
_STUCK = 120.0
#: Seconds that an orderly end may take once the lease is lost.
_LAST_ORDERS = 5.0


async def fan_out(health_address: str, health_port: int, namespace: str, organisation: Organisation) -> None:
    """Makes RegionalTaps of EnvironmentTaps while it holds the Lease, which is in `namespace`."""
    echoes, waiting, stop = Echoes(fanout.WATCHED), Waiting(), _stop_by_signal()
    gauges = audit.Gauges()
    metrics = TapMetrics(gauges.registry)
    async with connect(on_write=echoes.wrote, on_call=metrics.work.asked) as cluster:
        queue = fanout.work(cluster, waiting, organisation, metrics)
        marks = namespaces.work(cluster)
        handlers = fanout.handlers(queue, echoes, waiting)
        namespaces.listen(handlers, marks)

        def stuck_seconds() -> float:
            return max(queue.stuck_seconds, marks.stuck_seconds)

        metrics.work.watch(stuck_seconds)

        async def wrong() -> str:
            stuck = stuck_seconds()
            return echoes.missing() or (f"no pass has ended for {stuck:.0f} s" if stuck > _STUCK else "")

        # A replica that waits for the lease is ready: it does what it is there for.
        health = Health(live=wrong, ready=wrong, metrics=gauges.text)
        lease = Lease(cluster, namespace, "tap-operator", f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}")
        await health.start(health_address, health_port)
        try:
            if not await _unless(stop, lease.acquire()):
                return
            metrics.work.leads()
            async with asyncio.TaskGroup() as tasks:
                beside = [
                    tasks.create_task(_keep(lease), name="lease"),
                    tasks.create_task(queue.run(), name="queue"),
                    tasks.create_task(fanout.resync(cluster, queue), name="resync"),
                    tasks.create_task(marks.run(), name="namespaces"),
                    tasks.create_task(namespaces.resync(cluster, marks), name="resync of namespaces"),
                    tasks.create_task(audit.rounds(cluster, organisation, gauges), name="audit"),
                ]
                await run_kopf(handlers, settings(), stop)
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


async def admit(
    webhook: Webhook,
    health_address: str,
    health_port: int,
    organisation: Organisation,
    metrics: tuple[str, int] | None = None,
) -> None:
    """Answers admission reviews, and Prometheus at `metrics`."""
    await login()  # kopf would retry for ever, with a traceback each minute, where there is no cluster at all.
    how = settings()
    how.admission.server = webhook
    logging.getLogger("kopf.objects").setLevel(logging.CRITICAL)  # Refusals are its errors; ours are logged by us.

    async def alive() -> str:
        return ""  # The event loop answers. kopf ends the process when its server or its watch does.

    health = Health(live=alive, ready=webhook.unready)
    await health.start(health_address, health_port)
    if metrics:
        await webhook.metrics.start(*metrics)
    try:
        async with connect() as cluster:
            await run_kopf(admission.handlers(cluster, organisation), how, _stop_by_signal())
    finally:
        await webhook.metrics.stop()
        await health.stop()
