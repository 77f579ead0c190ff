"""One pass over one EnvironmentTap: read what is there, compute what should be, write what differs.

Level-triggered. Nothing is remembered from one pass to the next and no event says what changed, so a pass may be
repeated, interrupted after any write, or run by two replicas at once, and the objects end up the same. A pass that
finds everything in place writes nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence

from pydantic import ValidationError

from tap_api.base import GROUP, Json
from tap_api.fanout import fan_out, is_controlled
from tap_api.kinds import ENVIRONMENT_TAP
from tap_api.lifetime import seconds_left
from tap_api.naming import digest
from tap_api.policy import Organisation, judge, shape_violations
from tap_api.rollup import SPEC_REFUSED, Trouble, roll_up
from tap_api.status import Expiration
from tap_api.teardown import is_deleted
from tap_operator import outputs
from tap_operator.cluster import ENVIRONMENT_TAPS, Cluster
from tap_operator.drift import of_status
from tap_operator.errors import ClusterError
from tap_operator.expiry import POLL as POLL_EXPIRY
from tap_operator.expiry import expire
from tap_operator.finalizer import hold
from tap_operator.leaving import LOOKED_AT_SOON, remove_left, take_down
from tap_operator.observe import left, observe
from tap_operator.passes import Pass, utc_now
from tap_operator.regions import apply_wanted
from tap_operator.removal import remnants, remove
from tap_operator.report import report
from tap_operator.reservations import reserve_regions
from tap_operator.teardown import POLL

#: A digest of what was last applied. It tells that a field left the intent, which the fields that are there cannot.
ANNOTATION_INTENT = f"{GROUP}/intent"
#: Seconds until a wait that no event ends is looked at again: parts that go, a CRD that comes, a name that others hold.
_POLL_SOON = 5.0
_POLL_NAME = 30.0


async def reconcile(
    cluster: Cluster,
    namespace: str,
    name: str,
    *,
    now: Callable[[], str] = utc_now,
    organisation: Organisation | None = None,
) -> Pass:
    """Makes the RegionalTaps of an EnvironmentTap what they should be, and its status what they say.

    Raises:
        ClusterError: the apiserver could not be read, or the status could not be written.
    """
    done = Pass()
    environment_tap = await cluster.get(ENVIRONMENT_TAPS, namespace, name)
    if environment_tap is None:
        return await remnants(cluster, namespace, name, now)
    if is_deleted(environment_tap):
        return await remove(cluster, environment_tap, now)
    environment_tap = await hold(cluster, ENVIRONMENT_TAPS, environment_tap)
    observed = await observe(cluster, environment_tap)
    problem, wanted = _intend(environment_tap, observed, organisation)
    troubles = await take_down(cluster, observed, now, done.failures)
    unreserved: dict[str, Trouble] | None = None
    if problem is None:
        reserved = await reserve_regions(cluster, environment_tap, wanted, observed, done.failures)
        unreserved, done.blocks, done.lagging = reserved.troubles, reserved.blocks, reserved.lagging
        # What is there goes on: without its claim the function makes no VPC, and takes none away.
        troubles.update({region: why for region, why in unreserved.items() if region not in observed})
        wanted = [manifest for manifest in wanted if manifest["spec"]["region"] not in troubles]
        troubles.update(await apply_wanted(cluster, wanted, observed, done.failures))
        left_over = left(environment_tap, observed)
        troubles.update(await remove_left(cluster, left_over, observed, now, done.failures))
    unexpired = await expire(cluster, environment_tap, now(), problem)
    published = await outputs.observe(cluster, environment_tap)
    untold = outputs.taken(environment_tap, published)
    status = roll_up(
        environment_tap,
        observed,
        now=now(),
        problem=problem,
        troubles=troubles,
        unreserved=unreserved,
        untold=untold,
        unexpired=unexpired,
    )
    await report(cluster, environment_tap, status)
    done.drifted, done.status = of_status(status), status
    try:
        await outputs.publish(cluster, environment_tap, published, status)
    except ClusterError as error:
        done.failures.append(error)
    strangers = any(not is_controlled(tap, environment_tap["metadata"]["uid"]) for tap in observed.values())
    if any(trouble.reason in LOOKED_AT_SOON for trouble in troubles.values()):
        done.again = _POLL_SOON
    if any(is_deleted(tap) for tap in observed.values()):
        done.again = POLL
    if done.again is None and (untold or done.blocks or strangers):
        done.again = _POLL_NAME
    _end(done, status, unexpired, now())
    return done


def _end(done: Pass, status: Json, unexpired: Trouble | None, now: str) -> None:
    """Lets the next pass be no later than the end of an environment that has one."""
    ending = status.get("expiration")
    if ending:
        left = POLL_EXPIRY if unexpired else max(seconds_left(Expiration.parse(ending), now), 0.0) + 1
        done.again = min(left, done.again or left)


def _intend(
    environment_tap: Json, observed: Mapping[str, Json], organisation: Organisation | None
) -> tuple[Trouble | None, Sequence[Json]]:
    """Returns the RegionalTaps to apply, or why none may be.

    The webhook judged the claim already, unless it was down and set to let pass, or the rules have changed since.
    """
    violations = judge(ENVIRONMENT_TAP.kind, environment_tap, organisation=organisation)
    if not violations:
        try:
            return None, [_with_digest(manifest) for manifest in fan_out(environment_tap, observed)]
        except ValidationError as error:
            violations = shape_violations(error)
    message = "nothing is applied; change the claim: " + "; ".join(map(str, violations))
    return Trouble(SPEC_REFUSED, message), []


def _with_digest(manifest: Json) -> Json:
    intent = digest(json.dumps(manifest, sort_keys=True), length=16)
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": {ANNOTATION_INTENT: intent}}}
