"""Whether a region is paused, and whether it can be removed: what is paused never goes.

A provider leaves a paused resource alone, its deletion too, and nothing takes the pause back once the XR that set it is
gone (04, item 39). So a region is resumed before it is deleted, and looked at until every resource of it is.
"""

from collections.abc import Mapping
from typing import Any

from tap_api.base import GROUP, Json, own_spec
from tap_api.common import RegionState
from tap_api.kinds import REGIONAL_TAP
from tap_api.status import PAUSED

#: Crossplane's own conditions of an XR.
_OWN = ("Synced", "Ready")


def is_paused(regional_tap: Mapping[str, Any]) -> bool:
    """Returns whether a RegionalTap is to be paused, or something of it still is."""
    return (regional_tap.get("spec") or {}).get("state") == RegionState.PAUSED or bool(_paused(regional_tap))


def is_removable(regional_tap: Mapping[str, Any]) -> bool:
    """Returns whether nothing of a RegionalTap is paused, and Crossplane has looked at its latest spec to say so."""
    return not is_paused(regional_tap) and not is_behind(regional_tap)


def resumed(regional_tap: Mapping[str, Any]) -> Json:
    """Returns a RegionalTap, whole, as the operator applies it so that it can be removed."""
    meta, spec = regional_tap["metadata"], regional_tap["spec"]
    head = REGIONAL_TAP.reference(meta["name"], meta["namespace"])
    ours = {
        name: {key: value for key, value in (meta.get(name) or {}).items() if key.startswith(f"{GROUP}/")}
        for name in ("labels", "annotations")
    }
    owners = meta.get("ownerReferences") or []
    return {
        **head,
        "metadata": {**head["metadata"], "uid": meta["uid"], **ours, "ownerReferences": owners},
        "spec": {**own_spec(spec), "state": RegionState.PRESENT.value},
    }


def is_behind(xr: Mapping[str, Any]) -> bool:
    """Returns whether Crossplane has said something of an XR, and not of its latest spec."""
    seen = seen_generation(xr)
    return bool(seen) and seen < int((xr.get("metadata") or {}).get("generation") or 0)


def seen_generation(xr: Mapping[str, Any]) -> int:
    """Returns the generation of the spec that Crossplane has looked at last; 0 where it does not say.

    Its own conditions carry the generation that they speak of; those that a function sets do not.
    """
    conditions = (xr.get("status") or {}).get("conditions") or []
    told = [condition.get("observedGeneration") or 0 for condition in conditions if condition.get("type") in _OWN]
    return min((int(generation) for generation in told if generation), default=0)


def _paused(regional_tap: Mapping[str, Any]) -> int:
    resources = (regional_tap.get("status") or {}).get("resources") or {}
    return int(resources.get(PAUSED.lower()) or 0)
