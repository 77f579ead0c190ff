"""The writes of a pass: RegionalTaps that are removed, and the next step of those that go. Each is tried on its own."""

from collections.abc import Callable, Mapping

from tap_api.base import Json
from tap_api.common import Role
from tap_api.fanout import is_of_environment
from tap_api.pausing import is_removable, resumed
from tap_api.rollup import Trouble
from tap_api.teardown import HOLDS_REPLICAS, is_deleted, not_yet
from tap_operator.cluster import REGIONAL_TAPS, Cluster
from tap_operator.compare import covers
from tap_operator.errors import ClusterError
from tap_operator.regions import NOT_SERVED, WAITS, refused
from tap_operator.teardown import tear_down

RESUMING = "Resuming"
#: Waits that end without an event that tells of it.
LOOKED_AT_SOON = (WAITS, NOT_SERVED, RESUMING, HOLDS_REPLICAS)


async def take_down(
    cluster: Cluster, observed: dict[str, Json], now: Callable[[], str], failures: list[ClusterError]
) -> dict[str, Trouble]:
    """Takes the next step of each RegionalTap that is being deleted and belongs to an environment, whichever.

    What is gone then leaves `observed`; returns what the others wait for. One that stands alone has passes of its own.
    """
    troubles: dict[str, Trouble] = {}
    for region, tap in list(observed.items()):
        if not is_deleted(tap) or not is_of_environment(tap):
            continue
        try:
            trouble = await tear_down(cluster, tap, now)
        except ClusterError as error:
            failures.append(error)
            trouble = refused("removed", tap, error)
        if trouble is None:
            del observed[region]
        else:
            troubles[region] = trouble
    return troubles


async def remove_left(
    cluster: Cluster,
    left: Mapping[str, Json],
    observed: dict[str, Json],
    now: Callable[[], str],
    failures: list[ClusterError],
) -> dict[str, Trouble]:
    """Deletes the RegionalTaps of regions that have left; returns the regions that it could not.

    One that is paused is resumed first, for what is paused never goes; and some go after others (tap_api.teardown).
    """
    troubles: dict[str, Trouble] = {}
    for region, tap in sorted(left.items(), key=lambda pair: pair[1]["spec"].get("role") == Role.PRIMARY):
        meta = tap["metadata"]
        if is_deleted(tap):
            continue  # take_down has it.
        if waits := not_yet(region, observed, left.keys()):
            troubles[region] = Trouble(*waits)
            continue
        try:
            if not is_removable(tap):
                observed[region] = await _resume(cluster, tap)
                troubles[region] = Trouble(RESUMING, "is resumed first, then removed: what is paused never goes")
                continue
            # Not its dependents first: Kubernetes would delete all of them at once.
            await cluster.delete(REGIONAL_TAPS, meta["namespace"], meta["name"], meta["uid"])
            going = await cluster.get(REGIONAL_TAPS, meta["namespace"], meta["name"])
            if going is None:
                del observed[region]
            else:
                found = {region: going}
                troubles.update(await take_down(cluster, found, now, failures))
                observed.pop(region)
                observed.update(found)
        except ClusterError as error:
            failures.append(error)
            troubles[region] = refused("deleted", tap, error)
    return troubles


async def _resume(cluster: Cluster, tap: Json) -> Json:
    wanted = resumed(tap)
    return tap if covers(tap, wanted) else await cluster.apply(REGIONAL_TAPS, wanted)
