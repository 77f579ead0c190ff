"""A composed resource as Crossplane stores it, so that what follows from it can be composed without a cluster."""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_api.base import GROUP, Json
from tap_stack.assembly import Emitted
from tap_stack.compose import compose
from tap_stack.composed import Composed
from tap_stack.observation import Observation, Observed
from tap_stack.subject import Blocks

COMPOSITE = "crossplane.io/composite"
#: What is observed of each XR: its name -> its composed resources.
World = Mapping[str, Observed]


def stored(parent: Mapping[str, Any], resource: Emitted) -> Json:
    """Returns `resource` with what Crossplane adds: the namespace, the controller, its own labels and annotation."""
    owner = parent["metadata"]
    metadata = dict(resource.manifest["metadata"])
    metadata["namespace"] = owner.get("namespace", "")
    # The name of the XR at the top, however deep: an XR that has the label hands on its own.
    top = owner.get("labels", {}).get(COMPOSITE, owner["name"])
    metadata["labels"] = {**metadata.get("labels", {}), COMPOSITE: top}
    metadata["annotations"] = {
        **metadata.get("annotations", {}),
        "crossplane.io/composition-resource-name": resource.key,
    }
    metadata["ownerReferences"] = [
        {
            "apiVersion": parent["apiVersion"],
            "kind": parent["kind"],
            "name": owner["name"],
            "uid": owner.get("uid", ""),
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    return {**resource.manifest, "metadata": metadata}


def walk(
    xr: Mapping[str, Any], world: World | None = None, blocks: Blocks | None = None
) -> Iterator[tuple[Mapping[str, Any], Composed]]:
    """Yields `xr` and each XR of ours below it with what composing gives, parents first.

    Args:
        xr: The XR.
        world: What is observed; nothing where it is left out.
        blocks: As of tap_stack.compose.

    Raises:
        RefusedError: nothing can be composed for one of them.
    """
    observed = (world or {}).get(xr["metadata"]["name"], {})
    composed = compose(xr, observed, blocks)
    yield xr, composed
    for resource in composed.resources:
        if resource.manifest["apiVersion"].partition("/")[0] == GROUP:
            yield from walk(_observed(stored(xr, resource), observed.get(resource.key)), world, blocks)


def _observed(xr: Json, observation: Observation | None) -> Json:
    """Returns `xr` with what only the apiserver knows of it."""
    if observation is None:
        return xr
    uid, status = observation.field("metadata", "uid"), observation.field("status")
    metadata = {**xr["metadata"], **({"uid": uid} if uid else {})}
    return {**xr, "metadata": metadata, **({"status": status} if status else {})}
