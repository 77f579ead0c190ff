"""The reads of a pass: the RegionalTaps that there are, whoever's they are."""

from collections.abc import Mapping

from tap_api.base import Json
from tap_api.common import RegionState
from tap_api.fanout import is_controlled, is_of_environment
from tap_api.naming import LABEL_ENVIRONMENT_TAP, regional_tap_name
from tap_api.teardown import is_deleted
from tap_operator.cluster import REGIONAL_TAPS, Cluster


async def observe(cluster: Cluster, environment_tap: Json) -> dict[str, Json]:
    """Returns the RegionalTaps of the wanted names, whoever's they are, and our own of regions that have left.

    Those too that an earlier EnvironmentTap of this name left behind, and that are being deleted: nobody else would
    take them down.
    """
    meta = environment_tap["metadata"]
    wanted = wanted_names(environment_tap)
    labels = f"{LABEL_ENVIRONMENT_TAP}={meta['name']}"
    labelled = {tap["metadata"]["name"]: tap async for tap in cluster.select(REGIONAL_TAPS, meta["namespace"], labels)}
    observed: dict[str, Json] = {}
    for region, name in wanted.items():
        # One that does not carry our label (made by hand, or with its label removed) has the name all the same.
        tap = labelled.get(name) or await cluster.get(REGIONAL_TAPS, meta["namespace"], name)
        if tap is not None:
            observed[region] = tap
    for name, tap in sorted(labelled.items()):
        region = tap["spec"].get("region", "")
        ours = is_controlled(tap, meta["uid"]) or (is_deleted(tap) and is_of_environment(tap))
        if ours and region not in wanted and name not in wanted.values():
            observed[region] = tap
    return observed


def wanted_names(environment_tap: Json) -> dict[str, str]:
    """Returns the name of the RegionalTap of each region that the spec wants to be there."""
    regions = (environment_tap.get("spec") or {}).get("regions") or []
    return {
        region["name"]: regional_tap_name(environment_tap["metadata"]["name"], region["name"])
        for region in regions
        if region.get("state") != RegionState.ABSENT
    }


def left(environment_tap: Json, observed: Mapping[str, Json]) -> dict[str, Json]:
    """Returns the RegionalTaps of regions that the spec no longer lists, or wants Absent.

    They are our own, or an earlier EnvironmentTap's and on their way.
    """
    wanted = wanted_names(environment_tap)
    return {region: tap for region, tap in observed.items() if region not in wanted}
