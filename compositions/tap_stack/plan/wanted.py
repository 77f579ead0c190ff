"""From a claim to the regions that it asks for, as the operator would apply them."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tap_api.base import Json
from tap_api.fanout import fan_out
from tap_api.kinds import ENVIRONMENT_TAP
from tap_api.naming import LABEL_ENVIRONMENT_TAP
from tap_stack.plan.state import State, controller

#: Stands for the ARN of a key that AWS has not made. Never printed: what it changes is told as known later.
_SOME_KEY = "arn:aws:kms:{region}:000000000000:key/not-known-yet"


@dataclass(frozen=True)
class Regions:
    """The regions of a claim.

    Attributes:
        wanted: Their RegionalTaps, with the uid and the status that those have which are there.
        later: Name of a RegionalTap that is there -> what it will be once the keys of new regions are known.
        new: Regions whose key is not known yet, in order.
        left: RegionalTaps that are there and that the claim no longer asks for.
        taken: Name of a RegionalTap that is there and is somebody else's.
    """

    wanted: tuple[Json, ...]
    later: Mapping[str, Json]
    new: tuple[str, ...]
    left: tuple[Json, ...]
    taken: frozenset[str]


def regions(claim: Mapping[str, Any], state: State) -> Regions:
    """Returns the regions of a claim that policy found nothing to refuse in."""
    if claim["kind"] != ENVIRONMENT_TAP.kind:
        return Regions((observed(claim, state),), {}, (), (), frozenset())
    name, uid = claim["metadata"]["name"], state.environment_uid(claim["metadata"]["name"])
    owned = deepcopy(dict(claim))
    owned["metadata"]["uid"] = uid
    there = state.regional_taps()
    by_region = {tap["spec"].get("region", ""): tap for tap in there.values() if is_of(tap, name, uid)}
    wanted = fan_out(owned, by_region)
    new = tuple(tap["spec"]["region"] for tap in wanted if not _key_arn(by_region.get(tap["spec"]["region"], {})))
    hoped = fan_out(owned, {**by_region, **{region: _with_key(region, name, uid) for region in new}}) if new else []
    names = {tap["metadata"]["name"] for tap in wanted}
    return Regions(
        wanted=tuple(observed(tap, state) for tap in wanted),
        later={
            tap["metadata"]["name"]: observed(tap, state)
            for tap, now in zip(hoped, wanted, strict=False)
            if tap["metadata"]["name"] in there and tap["spec"] != now["spec"]
        },
        new=new,
        left=tuple(tap for key, tap in sorted(there.items()) if key not in names and is_of(tap, name, uid)),
        taken=frozenset(key for key in names & there.keys() if not is_of(there[key], name, uid)),
    )


def observed(tap: Mapping[str, Any], state: State) -> Json:
    """Returns a RegionalTap with the uid and the status of the one that is there."""
    stored = state.regional_taps().get(tap["metadata"]["name"], {})
    uid, status = stored.get("metadata", {}).get("uid"), stored.get("status")
    return {
        **tap,
        "metadata": {**tap["metadata"], **({"uid": uid} if uid else {})},
        **({"status": status} if status else {}),
    }


def is_of(tap: Mapping[str, Any], environment: str, uid: str) -> bool:
    """Returns whether a RegionalTap is one of the EnvironmentTap of that name and uid."""
    kind, name, owner = controller(tap)
    label = (tap["metadata"].get("labels") or {}).get(LABEL_ENVIRONMENT_TAP)
    return (kind, name, owner) == (ENVIRONMENT_TAP.kind, environment, uid) and label in (None, environment)


def _key_arn(tap: Mapping[str, Any]) -> str:
    return str(((tap.get("status") or {}).get("outputs") or {}).get("keyArn") or "")


def _with_key(region: str, environment: str, uid: str) -> Json:
    owner = {"kind": ENVIRONMENT_TAP.kind, "name": environment, "uid": uid, "controller": True}
    return {
        "metadata": {"ownerReferences": [owner]},
        "spec": {},
        "status": {"outputs": {"keyArn": _SOME_KEY.format(region=region)}},
    }
