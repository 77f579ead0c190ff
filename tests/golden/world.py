"""What a control plane and AWS make of what is composed, as far as the stack's tests need it: no loop, no time.

A double, and named as one: `World.turn` composes a RegionalTap and everything below it once, and then is Crossplane (it
stores what was asked for) and the provider (it fills status.atProvider).
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from doubles.aws import ACCOUNT, AWS_DEFAULT_POLICY, provided, true
from doubles.managed import is_paused
from tap_api import manifest
from tap_api.base import GROUP, Json
from tap_api.claims import Claimed, claim
from tap_api.fanout import fan_out
from tap_api.tenure import wish
from tap_stack.composed import Composed
from tap_stack.observation import Observation, of
from tap_stack.tree import stored, walk

__all__ = [
    "ACCOUNT",
    "AWS_DEFAULT_POLICY",
    "Composing",
    "Environment",
    "World",
    "blocks",
    "claims",
    "environment_tap",
    "provided",
    "regional_tap",
    "regional_taps",
]

CLAIMS = Path(__file__).resolve().parents[2] / "claims"
Composing = tuple[Json, Composed]
#: Makes what became of a managed resource: from what Crossplane stored, and from what became of it before.
Provide = Callable[[Json, Json | None], Json]


def at_once(resource: Json, _before: Json | None) -> Json:
    """Returns a resource that AWS makes at once, whatever it is."""
    return provided(resource)


def left_alone(resource: Json, before: Json | None) -> Json:
    """Returns a resource that is paused: what was said of it stays, but that it is in step."""
    status = (before or {}).get("status", {})
    others = [one for one in status.get("conditions", []) if one["type"] != "Synced"]
    synced = {**true("Synced"), "status": "False", "reason": "ReconcilePaused"}
    return {**resource, "status": {**status, "conditions": [*others, synced]}}


def claims() -> list[str]:
    """Returns the names of the claims, in the order of their files."""
    return sorted(path.stem for path in CLAIMS.glob("*.yaml"))


def environment_tap(claim: str) -> Json:
    """Returns a claim as the apiserver has it."""
    environment = manifest.read(CLAIMS / f"{claim}.yaml")[0]
    environment["metadata"]["uid"] = "11111111-1111-4111-8111-111111111111"
    environment["metadata"].setdefault("namespace", f"tap-{claim}")
    return environment


def regional_taps(claim: str) -> list[Json]:
    """Returns the RegionalTaps that fan out from a claim."""
    return fan_out(environment_tap(claim), {})


def regional_tap(claim: str, region: str) -> Json:
    """Returns the RegionalTap of one region of a claim."""
    return next(tap for tap in regional_taps(claim) if tap["spec"]["region"] == region)


def blocks(tap: Json) -> dict[str, Json]:
    """Returns the CidrBlock in which a RegionalTap has its range, by name, as the operator makes it."""
    owners = tap["metadata"].get("ownerReferences")
    namespace = tap["metadata"]["namespace"]
    above = {"metadata": {**owners[0], "namespace": namespace}} if owners else None
    answer = claim(None, wish(tap, above))
    assert isinstance(answer, Claimed)
    return {answer.block["metadata"]["name"]: answer.block}


class World:
    """A RegionalTap, what it and its parts composed, and what became of it."""

    def __init__(self, tap: Json, provide: Provide = at_once) -> None:
        """Args: tap: the RegionalTap; provide: the provider."""
        self.tap, self._provide = deepcopy(tap), provide
        self.tap["metadata"].setdefault("uid", str(uuid5(NAMESPACE_DNS, tap["metadata"]["name"])))
        self.objects: dict[str, dict[str, Json]] = {}
        self.blocks = blocks(self.tap)

    def turn(self) -> list[Composing]:
        """Returns what composing gives now, parents first, and lets the world follow."""
        turned = list(self.look())
        results = {xr["metadata"]["name"]: composed for xr, composed in turned}
        for xr, composed in turned:
            before = self.objects.get(xr["metadata"]["name"], {})
            dropped = before.keys() - {resource.key for resource in composed.resources}
            assert not [key for key in dropped if is_paused(before[key])], "deleted while it is paused, it never goes"
            self.objects[xr["metadata"]["name"]] = {
                resource.key: self._followed(stored(xr, resource), results, before.get(resource.key))
                for resource in composed.resources
            }
        self.tap["status"] = turned[0][1].status
        return turned

    def settle(self) -> list[Composing]:
        """Returns what composing gives once it gives the same twice."""
        before = self.turn()
        for _ in range(20):
            turned = self.turn()
            if [composed for _, composed in turned] == [composed for _, composed in before]:
                return turned
            before = turned
        message = "composing never comes to rest"
        raise AssertionError(message)

    def look(self) -> Iterator[Composing]:
        """Yields what composing gives now."""
        observed = {name: of(objects) for name, objects in self.objects.items()}
        for xr, composed in walk(self.tap, observed, self.blocks):
            yield dict(xr), composed

    def observed(self, name: str) -> dict[str, Observation]:
        """Returns what the XR of that name composed so far."""
        return of(self.objects.get(name, {}))

    def _followed(self, resource: Json, results: dict[str, Composed], before: Json | None) -> Json:
        resource["metadata"]["uid"] = str(uuid5(NAMESPACE_DNS, f"{resource['kind']}/{resource['metadata']['name']}"))
        if resource["apiVersion"].partition("/")[0] != GROUP:
            return left_alone(resource, before) if is_paused(resource) else self._provide(resource, before)
        composed = results[resource["metadata"]["name"]]
        return {**resource, "status": {**composed.status, "conditions": conditions(composed)}}


class Environment:
    """A claim, and the world of each of its regions: facts go from one to another as the operator carries them."""

    def __init__(self, claim: str, provide: Provide = at_once, /, **spec: Any) -> None:
        """Args: claim: name of the claim; provide: the provider; spec: fields that are put in place of the claim's."""
        self.claim = environment_tap(claim)
        self.claim["spec"].update(spec)
        self.worlds = {tap["spec"]["region"]: World(tap, provide) for tap in fan_out(self.claim, {})}

    def turn(self) -> dict[str, list[Composing]]:
        """Returns what composing gives now in each region, and lets the operator follow."""
        turned = {region: world.turn() for region, world in self.worlds.items()}
        observed = {region: world.tap for region, world in self.worlds.items()}
        for tap in fan_out(self.claim, observed):
            self.worlds[tap["spec"]["region"]].tap["spec"] = tap["spec"]
        return turned

    def settle(self) -> dict[str, list[Composing]]:
        """Returns what composing gives in each region once it gives the same twice."""
        before = self.turn()
        for _ in range(20):
            turned = self.turn()
            if all([c for _, c in turned[region]] == [c for _, c in before[region]] for region in turned):
                return turned
            before = turned
        message = "the environment never comes to rest"
        raise AssertionError(message)


def conditions(composed: Composed) -> list[Json]:
    """Returns the conditions of an XR, the ones that Crossplane sets included."""
    ready = composed.ready is None and all(item.ready for item in composed.resources)
    said = [{"type": c.type, "status": c.status, "reason": c.reason, "message": c.message} for c in composed.conditions]
    return [
        *said,
        true("Synced"),
        true("Ready") if ready else {**true("Ready"), "status": "False", "reason": "Creating"},
    ]
