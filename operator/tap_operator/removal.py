"""One pass over an EnvironmentTap that is being deleted, or is gone: its regions are taken down.

As level-triggered as tap_operator.reconcile.
"""

from collections.abc import Callable

from tap_api.base import Json
from tap_api.fanout import is_controlled
from tap_api.naming import LABEL_ENVIRONMENT_TAP
from tap_api.rollup import Trouble
from tap_api.teardown import BLOCKED, REMOVING, TORN_DOWN, held_by_others
from tap_operator.cluster import ENVIRONMENT_TAPS, REGIONAL_TAPS, Cluster
from tap_operator.finalizer import let_go
from tap_operator.leaving import remove_left, take_down
from tap_operator.observe import observe
from tap_operator.passes import Pass
from tap_operator.report import report
from tap_operator.teardown import POLL, condition


async def remove(cluster: Cluster, environment_tap: Json, now: Callable[[], str]) -> Pass:
    """Removes every region of an EnvironmentTap that is being deleted, the primary last; then lets it go.

    Not where they are to be orphaned: nothing is removed then, and it goes once none is its own any more.
    """
    done, uid = Pass(again=POLL), environment_tap["metadata"]["uid"]
    if held := held_by_others(environment_tap):
        return await _told(cluster, environment_tap, done, Trouble(REMOVING, held), now())
    found = await observe(cluster, environment_tap)
    observed = {region: tap for region, tap in found.items() if is_controlled(tap, uid)}
    troubles = await take_down(cluster, observed, now, done.failures)
    troubles.update(await remove_left(cluster, dict(observed), observed, now, done.failures))
    if not observed:
        await let_go(cluster, ENVIRONMENT_TAPS, environment_tap)
        return Pass(failures=done.failures)
    reasons = [troubles[region].reason for region in sorted(troubles)]
    reason = BLOCKED if BLOCKED in reasons else next(iter(reasons), REMOVING)
    message = "; ".join(f"{region}: {trouble.message}" for region, trouble in sorted(troubles.items()))
    return await _told(cluster, environment_tap, done, Trouble(reason, message), now())


async def _told(cluster: Cluster, environment_tap: Json, done: Pass, waits: Trouble, now: str) -> Pass:
    """Returns the pass, in whose status stands what an EnvironmentTap that is being deleted waits for."""
    status = environment_tap.get("status") or {}
    others = [one for one in status.get("conditions") or [] if one["type"] != TORN_DOWN]
    told = condition(environment_tap, waits.reason, waits.message, now)
    generation = environment_tap["metadata"].get("generation", 0)
    done.status = {**status, "observedGeneration": generation, "conditions": [*others, told]}
    await report(cluster, environment_tap, done.status)
    return done


async def remnants(cluster: Cluster, namespace: str, name: str, now: Callable[[], str]) -> Pass:
    """Takes down RegionalTaps whose EnvironmentTap went without us (docs/teardown.md): the collector deletes them."""
    done = Pass()
    labels = f"{LABEL_ENVIRONMENT_TAP}={name}"
    found = {tap["metadata"]["name"]: tap async for tap in cluster.select(REGIONAL_TAPS, namespace, labels)}
    if await take_down(cluster, found, now, done.failures):
        done.again = POLL
    return done
