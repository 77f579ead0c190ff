"""The label on a namespace that holds taps. By it the apiserver refuses to delete the namespace (tap-namespaces).

A namespace that is deleted first strands what its taps made in AWS: nothing may be created in it any more, and the
provider creates something before it deletes (04, item 14).
"""

import asyncio
import logging

import kopf

from tap_api.base import GROUP, VERSION
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP
from tap_api.naming import LABEL_HOLDS_TAPS
from tap_operator.cluster import ENVIRONMENT_TAPS, REGIONAL_TAPS, Cluster, Resource
from tap_operator.errors import ClusterError
from tap_operator.workqueue import Key, WorkQueue

_LOG = logging.getLogger(__name__)
NAMESPACES = Resource("v1", "namespaces")
#: Seconds between two rounds over all namespaces that hold taps, or are said to.
RESYNC = 300.0


async def mark(cluster: Cluster, name: str) -> None:
    """Gives a namespace the label while it holds taps, and takes it away with the last one.

    Raises:
        ClusterError: the apiserver could not be read or written.
    """
    namespace = await cluster.get(NAMESPACES, "", name)
    if namespace is None or namespace["metadata"].get("deletionTimestamp"):
        return
    holds = await cluster.holds(ENVIRONMENT_TAPS, name) or await cluster.holds(REGIONAL_TAPS, name)
    labels = {LABEL_HOLDS_TAPS: "true"} if holds else {}
    if holds != (LABEL_HOLDS_TAPS in (namespace["metadata"].get("labels") or {})):
        # Applied without it, a label that we applied goes.
        await cluster.apply(
            NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        )


def work(cluster: Cluster) -> WorkQueue:
    """Returns the queue whose passes mark namespaces."""

    async def handle(key: Key) -> None:
        await mark(cluster, key.name)

    return WorkQueue(handle)


def listen(handlers: kopf.OperatorRegistry, queue: WorkQueue) -> None:
    """Adds to `handlers` those that put a namespace into `queue` when a tap comes or goes."""

    @kopf.on.event(GROUP, VERSION, ENVIRONMENT_TAP.plural, registry=handlers)
    @kopf.on.event(GROUP, VERSION, REGIONAL_TAP.plural, registry=handlers)
    async def tap_came_or_went(event: kopf.RawEvent, **_: object) -> None:
        if event["type"] != "MODIFIED":  # An object that is there when the watch begins comes without a type.
            queue.add(Key("", event["object"]["metadata"]["namespace"]))


async def resync(cluster: Cluster, queue: WorkQueue, interval: float = RESYNC) -> None:
    """Puts every namespace with an EnvironmentTap or with the label into `queue`, at once and each interval, for ever.

    At once, because nobody tells of a tap that went while no operator ran.
    """
    while True:
        try:
            found = {tap["metadata"]["namespace"] async for tap in cluster.select(ENVIRONMENT_TAPS)}
            found |= {item["metadata"]["name"] async for item in cluster.select(NAMESPACES, labels=LABEL_HOLDS_TAPS)}
        except ClusterError as error:
            _LOG.warning("this round over all namespaces is left out: %s", error)
        else:
            for name in sorted(found):
                queue.add(Key("", name))
        await asyncio.sleep(interval)
