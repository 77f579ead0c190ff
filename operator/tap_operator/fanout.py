"""The process that fans environments out: kopf tells that something changed, reconcile looks what.

The handlers take nothing from an event but which EnvironmentTap it concerns. What an event missed, the timer finds.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import kopf

from tap_api.base import GROUP, VERSION
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP
from tap_api.naming import LABEL_ENVIRONMENT_TAP
from tap_api.policy import Organisation
from tap_operator.cluster import Cluster
from tap_operator.errors import ClusterError
from tap_operator.health import Echoes
from tap_operator.reconcile import ENVIRONMENT_TAPS, reconcile
from tap_operator.settings import registry
from tap_operator.workqueue import Key, WorkQueue

_LOG = logging.getLogger(__name__)
#: Seconds between two rounds over all environments.
RESYNC = 300.0
#: The kinds that the handlers hear of.
WATCHED = (ENVIRONMENT_TAP.kind, REGIONAL_TAP.kind)


def handlers(queue: WorkQueue, echoes: Echoes) -> kopf.OperatorRegistry:
    """Returns the kopf handlers that put what changed into `queue`."""
    made = registry()

    @kopf.on.event(GROUP, VERSION, ENVIRONMENT_TAP.plural, registry=made)
    async def environment_tap(event: kopf.RawEvent, **_: object) -> None:
        meta = _heard(echoes, ENVIRONMENT_TAP.kind, event)
        queue.add(Key(meta["namespace"], meta["name"]))

    # Its CRD is made by Crossplane from the XRD and may come later: kopf begins to watch it then.
    @kopf.on.event(GROUP, VERSION, REGIONAL_TAP.plural, registry=made)
    async def regional_tap(event: kopf.RawEvent, **_: object) -> None:
        meta = _heard(echoes, REGIONAL_TAP.kind, event)
        for name in sorted(owners(event["object"])):
            queue.add(Key(meta["namespace"], name))

    return made


def owners(regional_tap: Mapping[str, Any]) -> set[str]:
    """Returns the names of the EnvironmentTaps that a RegionalTap concerns.

    Its owner, whose it says it is, and the one that wants its name: that waits for a namesake to go.
    """
    meta, spec = regional_tap.get("metadata") or {}, regional_tap.get("spec") or {}
    named = {
        owner.get("name", "")
        for owner in meta.get("ownerReferences") or []
        if owner.get("kind") == ENVIRONMENT_TAP.kind and str(owner.get("apiVersion", "")).startswith(f"{GROUP}/")
    }
    label = (meta.get("labels") or {}).get(LABEL_ENVIRONMENT_TAP, "")
    reference = (spec.get("environmentRef") or {}).get("name", "")
    name = str(meta.get("name", ""))
    wants = name.removesuffix(f"-{spec.get('region')}")
    return (named | {label, reference, wants if wants != name else ""}) - {""}


def _heard(echoes: Echoes, kind: str, event: kopf.RawEvent) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = event["object"]["metadata"]
    if event["type"] == "DELETED":
        echoes.gone(kind, meta)
    else:
        echoes.heard(kind, meta)
    return meta


def work(cluster: Cluster, organisation: Organisation | None = None) -> WorkQueue:
    """Returns the queue whose passes reconcile."""

    async def handle(key: Key) -> float | None:
        done = await reconcile(cluster, key.namespace, key.name, organisation=organisation)
        if done.failures:
            raise done.failures[0]
        return done.again

    return WorkQueue(handle)


async def resync(cluster: Cluster, queue: WorkQueue, interval: float = RESYNC) -> None:
    """Puts every environment into `queue` once an interval, spread over a tenth of it, for ever."""
    while True:
        await asyncio.sleep(interval)
        try:
            found = [
                Key(tap["metadata"]["namespace"], tap["metadata"]["name"])
                async for tap in cluster.select(ENVIRONMENT_TAPS)
            ]
        except ClusterError as error:
            _LOG.warning("this round over all environments is left out: %s", error)
            continue
        for i, key in enumerate(found):
            queue.add(key, delay=interval / 10 * i / len(found))
