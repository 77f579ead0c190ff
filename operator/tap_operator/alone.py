"""One pass over a RegionalTap that a person wrote alone: its range is claimed for it, and it goes in order.

Whether it has the range is told by the condition CidrReserved, which the function puts on it.
"""

from collections.abc import Callable

from tap_api import cidrs
from tap_api.claims import Conflict
from tap_api.fanout import is_of_environment
from tap_api.teardown import is_deleted
from tap_api.tenure import wish
from tap_operator.cluster import REGIONAL_TAPS, Cluster
from tap_operator.conditions import standing_alone
from tap_operator.drift import of_regional_tap
from tap_operator.finalizer import hold
from tap_operator.passes import Pass, utc_now
from tap_operator.reservations import reserve
from tap_operator.teardown import POLL, tear_down

#: Seconds until a range that others hold is asked for again, if no block changes before.
_POLL_RANGE = 30.0


async def reserve_alone(cluster: Cluster, namespace: str, name: str, *, now: Callable[[], str] = utc_now) -> Pass:
    """Claims the range of a RegionalTap that is of no EnvironmentTap, and tears down one that is being deleted.

    Raises:
        ClusterError: it, or its block, could not be read or written.
    """
    done = Pass()
    tap = await cluster.get(REGIONAL_TAPS, namespace, name)
    if tap is None or is_of_environment(tap):
        return done
    done.status = standing_alone(tap)
    if is_deleted(tap):
        done.again = POLL if await tear_down(cluster, tap, now=now) else None
        return done if done.again else Pass()
    tap = await hold(cluster, REGIONAL_TAPS, tap)
    done.drifted = of_regional_tap(tap)
    if cidrs.fault(tap["spec"]["cidr"]):
        return done  # The function says so.
    asked = wish(tap)
    found = await reserve(cluster, asked)
    if isinstance(found, Conflict):
        done.again, done.blocks = _POLL_RANGE, {asked.block}
    elif found.protected and not asked.claim.protected:
        done.lagging = {asked.block}
    return done
