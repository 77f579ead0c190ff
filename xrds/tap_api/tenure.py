"""How long a claim stands: what becomes of it, by what live reads show of its owner, its region and its VPC.

Pure functions of those reads. A claim goes when nothing is left that its range could be used by; it is the last thing
of a region to go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from pydantic import ValidationError

from tap_api import cidrs
from tap_api.base import ApiModel, Json, own_spec
from tap_api.blocks import CidrClaim, ClaimOwner, RegionalTapRef, peering_group
from tap_api.claims import Wish
from tap_api.common import RegionState
from tap_api.kinds import REGIONAL_TAP, EnvironmentTapSpec, Kind, RegionalTapSpec
from tap_api.naming import regional_tap_name

Live = Mapping[str, Any] | None


class Action(StrEnum):
    """What becomes of a claim."""

    KEEP = "Keep"
    #: Nobody wants it any more, and something of its region is left; to be looked at again soon.
    WAIT = "Wait"
    #: As before, with no owner to say so: it is released if that stays so.
    ORPHANED = "Orphaned"
    RELEASE = "Release"


@dataclass(frozen=True)
class Sight:
    """What live reads show of a claim; None for what is not there.

    Attributes:
        owner: Its owner's object: whichever has that kind and name now.
        regional_tap: Its RegionalTap.
        network: The RegionalNetwork of that RegionalTap.
        vpc: The VPC's managed resource.
    """

    owner: Live
    regional_tap: Live
    network: Live
    vpc: Live


@dataclass(frozen=True)
class Verdict:
    """What becomes of a claim, and what it is to be marked with while it stands."""

    action: Action
    protected: bool
    retained: bool


def wish(regional_tap: Mapping[str, Any], environment_tap: Live = None) -> Wish:
    """Returns what a RegionalTap asks for: its own wish where no `environment_tap` is given."""
    kind: Literal["EnvironmentTap", "RegionalTap"] = "EnvironmentTap" if environment_tap else "RegionalTap"
    owner, meta, spec = (environment_tap or regional_tap)["metadata"], regional_tap["metadata"], regional_tap["spec"]
    return Wish(
        group=_group(spec),
        claim=CidrClaim(
            cidr=spec["cidr"],
            regional_tap=RegionalTapRef(namespace=meta["namespace"], name=meta["name"]),
            owner=ClaimOwner(kind=kind, namespace=owner["namespace"], name=owner["name"], uid=owner["uid"]),
            protected=_is_protected(regional_tap),
        ),
    )


def asked(kind: Kind, manifest: Mapping[str, Any]) -> list[tuple[str, Wish]]:
    """Returns what an EnvironmentTap or a RegionalTap asks for, each with its field path.

    A range with a fault is left out, and so is everything where the shape is wrong: tap_api.policy says so.
    """
    owner: Json = {"namespace": "", "name": "", **(manifest.get("metadata") or {})}
    # One that is not stored yet has no uid.
    owner["uid"] = owner.get("uid") or "new"
    written = manifest.get("spec") or {}
    try:
        spec = kind.spec.parse(own_spec(written))
        ranges = _ranges(spec, owner["name"])
        return [(path, wish(*_objects(owner, spec, name, cidr))) for path, name, cidr in ranges]
    except (ValidationError, AttributeError):
        return []


def _ranges(spec: ApiModel, name: str) -> list[tuple[str, str, str]]:
    """Returns path, RegionalTap and range of every VPC that is asked for."""
    found: list[tuple[str, str, str]] = []
    if isinstance(spec, EnvironmentTapSpec):
        for i, region in enumerate(spec.regions):
            if region.state is RegionState.ABSENT:
                continue
            found.append((f"spec.regions[{i}].cidr", regional_tap_name(name, region.name), region.cidr))
    if isinstance(spec, RegionalTapSpec):
        found.append(("spec.cidr", name, spec.cidr))
    return [(path, tap, cidr) for path, tap, cidr in found if not cidrs.fault(cidr)]


def _objects(owner: Json, spec: ApiModel, name: str, cidr: str) -> tuple[Json, Json | None]:
    """Returns a RegionalTap, as far as `wish` looks at it, and the EnvironmentTap above it, if there is one."""
    told = spec.manifest()
    shared = {key: told[key] for key in ("environment", "peeringGroup") if key in told}
    regional_tap: Json = {"metadata": {**owner, "name": name}, "spec": {**shared, "cidr": cidr}}
    environment_tap: Json = {"metadata": owner}
    return regional_tap, environment_tap if isinstance(spec, EnvironmentTapSpec) else None


def judge(group: str, claim: CidrClaim, sight: Sight) -> Verdict:
    """Returns what becomes of `claim`, which stands in a block of peering group `group`."""
    wanted, used = _is_wanted(group, claim, sight.owner), _is_used(group, claim, sight)
    protected = _protected(claim, sight)
    if claim.retained and not used:
        return Verdict(Action.KEEP, claim.protected, retained=True)
    if wanted:
        return Verdict(Action.KEEP, protected, retained=False)
    if used:
        return Verdict(Action.WAIT, protected, retained=False)
    if protected:
        return Verdict(Action.KEEP, protected, retained=True)
    return Verdict(Action.RELEASE if sight.owner else Action.ORPHANED, protected, retained=False)


def lags(claim: CidrClaim, sight: Sight) -> bool:
    """Returns whether protection was lifted and the VPC's own object is still to say so."""
    there = [thing for thing in (sight.regional_tap, sight.network) if thing]
    return claim.protected and bool(there) and not any(_is_protected(thing) for thing in there)


def _protected(claim: CidrClaim, sight: Sight) -> bool:
    """Returns whether the VPC outlives its region.

    On the word of its own object alone is that taken back: what a spec says may not have reached it yet.
    """
    if sight.vpc is None:
        return claim.protected
    policies = (sight.vpc.get("spec") or {}).get("managementPolicies") or ["*"]
    if not {"*", "Delete"} & set(policies):
        return True
    there = [thing for thing in (sight.regional_tap, sight.network) if thing]
    return claim.protected and any(_is_protected(thing) for thing in there)


def _is_wanted(group: str, claim: CidrClaim, owner: Live) -> bool:
    if owner is None:
        return False
    spec, name = owner.get("spec") or {}, owner["metadata"]["name"]
    if _group(spec) != group:
        return False
    if claim.owner.kind == REGIONAL_TAP.kind:
        return bool(spec.get("cidr") == claim.cidr)
    return any(
        (regional_tap_name(name, region["name"]), region["cidr"]) == (claim.regional_tap.name, claim.cidr)
        for region in spec.get("regions") or []
        if region.get("state") != RegionState.ABSENT
    )


def _is_used(group: str, claim: CidrClaim, sight: Sight) -> bool:
    """Returns whether anything is there that has the range, or may make something that has it."""
    for thing in (sight.regional_tap, sight.network):
        spec: Json = (thing or {}).get("spec") or {}
        if thing and spec.get("cidr") == claim.cidr and _group(spec) == group:
            return True
    asked = ((sight.vpc or {}).get("spec") or {}).get("forProvider") or {}
    return sight.vpc is not None and asked.get("cidrBlock", claim.cidr) == claim.cidr


def _group(spec: Mapping[str, Any]) -> str:
    return peering_group(spec.get("environment", ""), spec.get("peeringGroup"))


def _is_protected(thing: Mapping[str, Any]) -> bool:
    """Returns whether a RegionalTap or a part of one is protected, as the schema's default has it."""
    return bool((thing.get("spec") or {}).get("protection", True))
