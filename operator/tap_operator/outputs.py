"""The ConfigMap that applications read outputs from: written where it differs, never where it is somebody else's."""

import json
from collections.abc import Mapping
from typing import Any

from tap_api.base import Json
from tap_api.fanout import is_controlled
from tap_api.kinds import ENVIRONMENT_TAP
from tap_api.naming import digest, outputs_name
from tap_api.outputs import config_map
from tap_api.rollup import Trouble
from tap_operator.cluster import Cluster, Resource
from tap_operator.compare import covers

CONFIG_MAPS = Resource("v1", "configmaps")
#: A digest of the data that was last applied: it tells that an output left, which the data that is there cannot.
ANNOTATION_DATA = f"{ENVIRONMENT_TAP.reference('')['apiVersion'].partition('/')[0]}/outputs"


async def observe(cluster: Cluster, environment_tap: Json) -> Json | None:
    """Returns the ConfigMap of that name, whoever's it is.

    Raises:
        ClusterError: the apiserver could not be read.
    """
    meta = environment_tap["metadata"]
    return await cluster.get(CONFIG_MAPS, meta["namespace"], outputs_name(meta["name"]))


def taken(environment_tap: Json, live: Mapping[str, Any] | None) -> Trouble | None:
    """Returns why the outputs cannot be published: there is such a ConfigMap, and it is not this environment's."""
    if live is None or is_controlled(live, environment_tap["metadata"]["uid"]):
        return None
    name = live["metadata"]["name"]
    return Trouble(
        "NameTaken",
        f"ConfigMap {name} is there and is not this environment's, so it is left alone and outputs stand in the status"
        " only. Delete it or give it another name",
    )


async def publish(cluster: Cluster, environment_tap: Json, live: Json | None, status: Json) -> None:
    """Writes the outputs where they differ. One that was never written is not begun until there is an output.

    Raises:
        ClusterError: it could not be written.
    """
    wanted = config_map(environment_tap, status)
    if taken(environment_tap, live) or (live is None and not wanted["data"]):
        return
    told = digest(json.dumps(wanted["data"], sort_keys=True), length=16)
    wanted["metadata"]["annotations"] = {ANNOTATION_DATA: told}
    if live is None:
        await cluster.apply(CONFIG_MAPS, wanted)
    elif not covers(live, wanted) and not live["metadata"].get("deletionTimestamp"):
        # Of that very uid: a namesake that took its place meanwhile is a conflict.
        wanted["metadata"]["uid"] = live["metadata"]["uid"]
        await cluster.apply(CONFIG_MAPS, wanted)
