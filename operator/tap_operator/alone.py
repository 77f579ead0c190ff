"""One pass over a RegionalTap that a person wrote alone: its address range is claimed for it, and nothing else done.

Whether it has the range is told by the condition CidrReserved, which the function puts on it.
"""

from tap_api import cidrs
from tap_api.claims import Conflict
from tap_api.tenure import wish
from tap_operator.cluster import Cluster
from tap_operator.drift import of_regional_tap
from tap_operator.reconcile import Pass
from tap_operator.regions import REGIONAL_TAPS
from tap_operator.reservations import reserve

#: Seconds until a range that others hold is asked for again, if no block changes before.
_POLL_RANGE = 30.0


async def reserve_alone(cluster: Cluster, namespace: str, name: str) -> Pass:
    """Claims the range of a RegionalTap that nobody controls.

    Raises:
        ClusterError: it, or its block, could not be read or written.
    """
    done = Pass()
    tap = await cluster.get(REGIONAL_TAPS, namespace, name)
    if tap is None or tap["metadata"].get("deletionTimestamp"):
        return done
    if any(owner.get("controller") for owner in tap["metadata"].get("ownerReferences") or []):
        return done
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
