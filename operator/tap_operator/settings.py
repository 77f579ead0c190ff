"""How kopf is run: the same for both processes, and nothing that it would write by itself."""

import asyncio

import kopf

from tap_operator.login import log_in


def settings() -> kopf.OperatorSettings:
    """Returns kopf's settings."""
    made = kopf.OperatorSettings()
    # The Lease is ours (lease.py): two peers of one priority would pause each other (04, item 28).
    made.peering.standalone = True
    made.posting.enabled = False
    # With on.event handlers alone nothing is stored; this makes sure that nothing ever goes into a status.
    made.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix="tap.platform")
    made.networking.request_timeout = 30
    made.networking.connect_timeout = 5
    made.watching.connect_timeout = 5
    made.watching.chunk_size = 500
    made.queueing.worker_limit = 64
    return made


def registry() -> kopf.OperatorRegistry:
    """Returns a registry that can log in and has no other handler: kopf's default one logs in in its own ways."""
    made = kopf.OperatorRegistry()
    kopf.on.login(registry=made)(log_in)
    return made


async def run_kopf(handlers: kopf.OperatorRegistry, how: kopf.OperatorSettings, stop: asyncio.Event) -> None:
    """Runs kopf over the whole cluster until a signal or `stop` asks it to end.

    Cluster-wide, because kopf's selection of namespaces misses deletions (kopf#1088).
    """

    @kopf.on.cleanup(registry=handlers)
    async def end_the_wait(**_: object) -> None:
        stop.set()  # kopf waits for it in a task that it forgets: without this, every end takes five seconds more.

    await kopf.operator(registry=handlers, settings=how, clusterwide=True, stop_flag=stop)
