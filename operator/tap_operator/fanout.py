"""The process that fans environments out: kopf tells that something changed, a pass looks what.

The handlers take nothing from an event but which objects it concerns. What an event missed, the timer finds.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import kopf
from prometheus_client import CollectorRegistry

from tap_api.base import GROUP, VERSION
from tap_api.blocks import block_name, peering_group
from tap_api.fanout import is_environment_tap, is_of_environment
from tap_api.kinds import CIDR_BLOCK, ENVIRONMENT_TAP, REGIONAL_TAP
from tap_api.naming import LABEL_ENVIRONMENT_TAP
from tap_api.policy import Organisation
from tap_operator.alone import reserve_alone
from tap_operator.cluster import ENVIRONMENT_TAPS, REGIONAL_TAPS, Cluster
from tap_operator.errors import ClusterError
from tap_operator.health import Echoes
from tap_operator.passes import Pass
from tap_operator.reconcile import reconcile
from tap_operator.reservations import CIDR_BLOCKS
from tap_operator.settings import registry
from tap_operator.told import TapMetrics
from tap_operator.upkeep import Upkeep
from tap_operator.waiting import Waiting
from tap_operator.workqueue import Key, WorkQueue

_LOG = logging.getLogger(__name__)
#: Seconds between two rounds over all environments.
RESYNC = 300.0
#: The kinds that the handlers hear of.
WATCHED = (ENVIRONMENT_TAP.kind, REGIONAL_TAP.kind, CIDR_BLOCK.kind)


def handlers(queue: WorkQueue, echoes: Echoes, waiting: Waiting) -> kopf.OperatorRegistry:
    """Returns the kopf handlers that put what changed into `queue`."""
    made = registry()

    @kopf.on.event(GROUP, VERSION, ENVIRONMENT_TAP.plural, registry=made)
    async def environment_tap(event: kopf.RawEvent, **_: object) -> None:
        meta = _heard(echoes, ENVIRONMENT_TAP.kind, event)
        queue.add(Key(meta["namespace"], meta["name"]))
        _look_after_what_is_left(queue, event)

    # Its CRD is made by Crossplane from the XRD and may come later: kopf begins to watch it then.
    @kopf.on.event(GROUP, VERSION, REGIONAL_TAP.plural, registry=made)
    async def regional_tap(event: kopf.RawEvent, **_: object) -> None:
        meta = _heard(echoes, REGIONAL_TAP.kind, event)
        for name in sorted(owners(event["object"])):
            queue.add(Key(meta["namespace"], name))
        if not is_of_environment(event["object"]):
            queue.add(Key(meta["namespace"], meta["name"], REGIONAL_TAP.kind))
        _look_after_what_is_left(queue, event)

    @kopf.on.event(GROUP, VERSION, CIDR_BLOCK.plural, registry=made)
    async def cidr_block(event: kopf.RawEvent, **_: object) -> None:
        meta = _heard(echoes, CIDR_BLOCK.kind, event)
        for key in waiting.take(meta["name"]):
            queue.add(key)
        # A change of a block is another writer's word; how long its claims stand hangs on other objects.
        if event["type"] is None:
            queue.add(Key("", meta["name"], CIDR_BLOCK.kind))

    return made


def _look_after_what_is_left(queue: WorkQueue, event: kopf.RawEvent) -> None:
    if event["type"] == "DELETED":
        for block in sorted(blocks(event["object"])):
            queue.add(Key("", block, CIDR_BLOCK.kind))


def blocks(tap: Mapping[str, Any]) -> set[str]:
    """Returns the names of the CidrBlocks that decide the ranges of an EnvironmentTap or a RegionalTap."""
    spec = tap.get("spec") or {}
    ranges = [spec.get("cidr"), *(region.get("cidr") for region in spec.get("regions") or [])]
    group = peering_group(spec.get("environment", ""), spec.get("peeringGroup"))
    return {block_name(group, cidr) for cidr in ranges if cidr}


def owners(regional_tap: Mapping[str, Any]) -> set[str]:
    """Returns the names of the EnvironmentTaps that a RegionalTap concerns.

    Its owner, whose it says it is, and the one that wants its name: that waits for a namesake to go.
    """
    meta, spec = regional_tap.get("metadata") or {}, regional_tap.get("spec") or {}
    named = {owner.get("name", "") for owner in meta.get("ownerReferences") or [] if is_environment_tap(owner)}
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


def work(
    cluster: Cluster, waiting: Waiting, organisation: Organisation | None = None, metrics: TapMetrics | None = None
) -> WorkQueue:
    """Returns the queue of all passes; `metrics` is told what they find, and how they go."""
    upkeep, told = Upkeep(cluster), metrics or TapMetrics(CollectorRegistry())

    async def handle(key: Key) -> float | None:
        if key.kind == CIDR_BLOCK.kind:
            return await upkeep.pass_over(key.name)
        done: Pass = await (
            reconcile(cluster, key.namespace, key.name, organisation=organisation)
            if key.kind == ENVIRONMENT_TAP.kind
            else reserve_alone(cluster, key.namespace, key.name)
        )
        waiting.note(key, done.blocks)
        told.found(key, done)
        for block in sorted(done.lagging):
            queue.add(Key("", block, CIDR_BLOCK.kind))
        if done.failures:
            raise done.failures[0]
        return done.again

    queue = WorkQueue(handle, on_pass=told.work.passed)
    return queue


async def resync(cluster: Cluster, queue: WorkQueue, interval: float = RESYNC) -> None:
    """Puts everything that is passed over into `queue` once an interval, spread over a tenth of it, for ever."""
    while True:
        await asyncio.sleep(interval)
        try:
            found = [key async for key in _everything(cluster)]
        except ClusterError as error:
            _LOG.warning("this round over all environments is left out: %s", error)
            continue
        for i, key in enumerate(found):
            queue.add(key, delay=interval / 10 * i / len(found))


async def _everything(cluster: Cluster) -> AsyncIterator[Key]:
    alone = f"!{LABEL_ENVIRONMENT_TAP}"
    for kind, what, labels in (
        (ENVIRONMENT_TAP.kind, ENVIRONMENT_TAPS, ""),
        (REGIONAL_TAP.kind, REGIONAL_TAPS, alone),
        (CIDR_BLOCK.kind, CIDR_BLOCKS, ""),
    ):
        async for found in cluster.select(what, labels=labels):
            yield Key(found["metadata"].get("namespace", ""), found["metadata"]["name"], kind)
