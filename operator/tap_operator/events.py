"""Kubernetes Events: one for each condition that changed, none for what stayed."""

import logging
from collections.abc import Mapping
from typing import Any

from tap_api.base import Json
from tap_api.naming import digest
from tap_api.status import DRIFTED
from tap_operator.cluster import EVENTS, FIELD_MANAGER, Cluster
from tap_operator.errors import ClusterError

_LOG = logging.getLogger(__name__)
#: Longest note of an Event (its `message`), https://kubernetes.io/docs/reference/kubernetes-api/core/event-v1/
_LONGEST = 1024
#: Conditions that are good where they are False.
_BAD_NEWS = (DRIFTED, "NameTaken")


async def transitions(cluster: Cluster, subject: Json, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Posts an Event on `subject` for every condition whose status or reason differs between the two statuses.

    An Event is a courtesy: the condition is stored already, so one that cannot be posted is logged and let go.
    """
    known = {condition["type"]: condition for condition in before.get("conditions") or []}
    for condition in after["conditions"]:
        previous = known.get(condition["type"])
        if previous and (previous["status"], previous["reason"]) == (condition["status"], condition["reason"]):
            continue
        try:
            await cluster.create(EVENTS, _event(subject, condition, str(after["observedGeneration"])))
        except ClusterError as error:
            if error.reason != "AlreadyExists":
                _LOG.warning("no Event for %s: %s", subject["metadata"]["name"], error)


def _event(subject: Json, condition: Mapping[str, Any], generation: str) -> Json:
    meta, since = subject["metadata"], condition["lastTransitionTime"]
    # The name is that of the transition, so a pass that is repeated after a crash does not tell it twice.
    told = digest("/".join((meta["uid"], generation, condition["type"], condition["reason"], since)), length=16)
    good = condition["status"] == ("False" if condition["type"] in _BAD_NEWS else "True")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{meta['name'][:200]}.{told}", "namespace": meta["namespace"]},
        "involvedObject": {
            "apiVersion": subject["apiVersion"],
            "kind": subject["kind"],
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
        },
        "type": "Normal" if good or condition["status"] == "Unknown" else "Warning",
        "reason": condition["reason"],
        "message": f"{condition['type']} is {condition['status']}: {condition['message']}"[:_LONGEST],
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": FIELD_MANAGER,
        "reportingInstance": FIELD_MANAGER,
        "action": condition["type"],
        "firstTimestamp": since,
        "lastTimestamp": since,
        "count": 1,
    }
