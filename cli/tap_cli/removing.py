"""What destroying a claim, or one region of it, comes to: what goes, what is asked first, what is written. Pure."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tap_api.base import Json, own_spec
from tap_api.common import RegionState
from tap_api.errors import TapError
from tap_api.kinds import ENVIRONMENT_TAP, KINDS
from tap_api.pausing import is_removable
from tap_api.presets import PRESETS
from tap_cli.choose import no_region, regions_of
from tap_cli.claims import Claim
from tap_cli.intent import Intent, held, intent, stored
from tap_cli.remains import Target, retained
from tap_cli.snapshot import unseen
from tap_stack.plan import Plan, State, plan, removal


@dataclass(frozen=True)
class Removal:
    """What destroying comes to.

    Attributes:
        claim: The claim.
        target: What goes.
        live: The claim as it is stored, None where it is gone.
        plan: What goes, changes and stays.
        wanted: What is applied to take one region away; None where the claim itself is deleted.
        begun: Whether it is on its way already, so that there is nothing to ask or to write.
        protected: Whether it is to be confirmed by name.
        kept: What stays in AWS.
        listed: Whether the file still asks for the region that goes.
        absent: Whether nothing of the target is there.
    """

    claim: Claim
    target: Target
    live: Json | None
    plan: Plan
    wanted: Intent | None
    begun: bool
    protected: bool
    kept: list[Json]
    listed: bool = False
    absent: bool = False

    def json(self) -> Json:
        """Returns it as JSON."""
        return {
            **self.plan.json()["claim"],
            "region": self.target.region,
            "begunBefore": self.begun and not self.absent,
            "found": not self.absent,
            "summary": self.plan.json()["summary"],
            "losesData": [{"region": c.region, "what": loss} for c in self.plan.changes for loss in c.loses],
            "keptInAws": self.kept,
        }


def removing(claim: Claim, region: str | None, state: State) -> Removal:
    """Returns what destroying a claim, or one region of it, comes to where there is what `state` holds.

    Raises:
        TapError: it has no such region.
    """
    live = state.find(KINDS[claim.kind], claim.name)
    of_environment = claim.kind == ENVIRONMENT_TAP.kind
    spec = (live or claim.document)["spec"]
    if region and not of_environment and spec.get("region") != region:
        raise TapError(no_region(region, claim.name, [str(spec.get("region"))]))
    target = Target(claim.kind, claim.namespace, claim.name, region if of_environment else None)
    gone = live is None or "deletionTimestamp" in live["metadata"]
    wanted, begun, listed = None, gone, False
    made = removal(claim.kind, claim.namespace, claim.name, state)
    if target.region and live is not None and not gone:
        entries = regions_of(live)
        if target.region not in entries and not any(map(target.has, state.objects)):
            raise TapError(no_region(target.region, claim.name, sorted(entries)))
        begun = entries.get(target.region, {"state": RegionState.ABSENT}).get("state") == RegionState.ABSENT
        listed = _is_listed(claim.document, target.region)
        if not begun:
            wanted = _with_states(claim, live, {target.region: RegionState.ABSENT})
            made = plan(wanted.document, state).beyond(plan(stored(live), state))
    elif target.region:
        made = made.only([target.region])
    names = [(change.kind, change.name) for change in made.changes if change.kept]
    kept = retained(state.objects, names)
    absent = live is None and not any(map(target.has, state.objects))
    return Removal(claim, target, live, made, wanted, begun, not begun and _is_protected(live), kept, listed, absent)


def resuming(removal: Removal) -> Intent | None:
    """Returns what is applied to resume what is paused of a claim that goes whole; None where nothing is.

    What is paused never goes (tap_api.pausing).
    """
    live = removal.live
    if live is None or removal.target.region:
        return None
    if removal.claim.kind != ENVIRONMENT_TAP.kind:
        if live["spec"].get("state") != RegionState.PAUSED:
            return None
        document = {**removal.claim.document, "spec": {**own_spec(live["spec"]), "state": RegionState.PRESENT.value}}
        return intent(document, live)
    paused = [item["name"] for item in live["spec"]["regions"] if item.get("state") == RegionState.PAUSED]
    return _with_states(removal.claim, live, dict.fromkeys(paused, RegionState.PRESENT)) if paused else None


def is_resuming(removal: Removal) -> bool:
    """Returns whether something of a claim that goes whole is paused still, though it is asked for no more."""
    live = removal.live
    counted = ((live or {}).get("status") or {}).get("resources") or {}
    return removal.target.region is None and bool(counted.get("paused"))


def is_resumed(live: Mapping[str, Any]) -> bool:
    """Returns whether nothing of a claim is paused any more, and whoever says so has seen its latest spec."""
    if "regions" not in live["spec"]:
        return is_removable(live)
    status = live.get("status") or {}
    told = [region.get("state") for region in status.get("regions") or ()]
    return not unseen(live) and RegionState.PAUSED not in told and not (status.get("resources") or {}).get("paused")


def _with_states(claim: Claim, live: Json, states: Mapping[str, RegionState]) -> Intent:
    spec = deepcopy(live["spec"])
    spec["regions"] = [
        {**item, "state": states[item["name"]].value} if item["name"] in states else item for item in spec["regions"]
    ]
    return intent({**claim.document, "metadata": held(live), "spec": spec}, live)


def _is_listed(document: Mapping[str, Any], region: str) -> bool:
    regions = document["spec"].get("regions") or []
    found = [item for item in regions if isinstance(item, dict) and item.get("name") == region]
    return any(item.get("state") != RegionState.ABSENT for item in found)


def _is_protected(live: Mapping[str, Any] | None) -> bool:
    """Returns whether a claim is protected: where it does not say, its preset does; a region alone is."""
    spec = (live or {}).get("spec") or {}
    if spec.get("protection") is not None:
        return bool(spec["protection"])
    if "regions" not in spec:
        return True
    return bool(PRESETS[spec["environment"]]["protection"])
