"""The pause of a resource: an annotation that makes a provider leave it alone, its deletion too.

The XR itself is never paused: its function would not be called any more, and could not take the pause back.
"""

from tap_api.base import Json
from tap_api.common import RegionState
from tap_stack.observation import COMPOSED, Observation

#: Read by every provider that is built with crossplane-runtime (pkg/meta.IsPaused): paused if it is exactly `true`.
ANNOTATION = "crossplane.io/paused"
_ON, _OFF = "true", "false"


def annotation(state: RegionState, observation: Observation | None) -> Json:
    """Returns the annotation of a resource in a region of that state.

    `false` where a pause of ours stands: to leave it out would take it away just as well, as long as nobody else has
    written it too. One that a person set by hand, on one resource, stays a person's.
    """
    if state is RegionState.PAUSED:
        return {ANNOTATION: _ON}
    return {ANNOTATION: _OFF} if observation is not None and _is_ours(observation) else {}


def kept(observation: Observation) -> Json:
    """Returns the annotation of a resource that is to stay as it is."""
    return {ANNOTATION: observation.field("metadata", "annotations", ANNOTATION)} if _is_ours(observation) else {}


def is_held(observation: Observation) -> bool:
    """Returns whether a pause of ours stands on a resource: deleted now, it would never go."""
    return is_paused(observation) and _is_ours(observation)


def is_paused(resource: Observation) -> bool:
    """Returns whether a resource is paused, whoever did it."""
    return bool(resource.field("metadata", "annotations", ANNOTATION) == _ON)


def is_set(manifest: Json) -> bool:
    """Returns whether a resource that is asked for is to be paused."""
    return bool((manifest["metadata"].get("annotations") or {}).get(ANNOTATION) == _ON)


def _is_ours(observation: Observation) -> bool:
    """Returns whether Crossplane wrote the annotation for us; of an object without managed fields nobody can tell."""
    if observation.field("metadata", "annotations", ANNOTATION) is None:
        return False
    entries = observation.field("metadata", "managedFields")
    if not isinstance(entries, list):
        return True
    return any(
        str(entry.get("manager", "")).startswith(COMPOSED)
        and f"f:{ANNOTATION}" in ((entry.get("fieldsV1") or {}).get("f:metadata") or {}).get("f:annotations", {})
        for entry in entries
    )
