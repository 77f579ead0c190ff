"""An environment in one AWS account that takes its time: in any order, slowly, and not without failures.

A double, and named as one. It is `golden.world` with the refusals of `doubles.account`: what `doubles.provider` is on a
control plane, without one, and so for all regions of an environment in seconds.
"""

import random
from typing import Any

from doubles.account import Account, Key, key_of
from doubles.aws import true
from doubles.managed import Kinds
from doubles.references import UnresolvedError
from golden.world import Composing, Environment, conditions
from tap_api.base import Json
from tap_api.rollup import roll_up
from tap_stack.composed import Composed

NOW = "2026-11-24T09:00:00Z"


class SlowEnvironment:
    """An environment whose AWS is slow."""

    def __init__(self, claim: str, kinds: Kinds, *, seed: int, chance: float = 0.5, **spec: Any) -> None:
        """Makes nothing yet.

        Args:
            claim: Name of the claim.
            kinds: What the provider's CRDs say.
            seed: Of the order in which AWS makes what it is asked for.
            chance: How probable it is that AWS makes, in a turn, a resource that it could make.
            spec: Fields that are put in place of the claim's.
        """
        self.environment = Environment(claim, self._provide, **spec)
        self.account = Account()
        self.refusals: list[str] = []
        #: Name of a resource or `service.Kind` -> the chance of those in place of the others'.
        self.slow: dict[str, float] = {}
        #: Name of a resource or `service.Kind` -> what AWS says whatever is asked of it.
        self.failing: dict[str, str] = {}
        #: The resources in the order in which they were made.
        self.order: list[Key] = []
        self._kinds, self._chance = kinds, chance
        self._random = random.Random(seed)  # noqa: S311
        self._there: dict[Key, Json] = {}

    def turn(self) -> dict[str, list[Composing]]:
        """Returns what composing gives now in each region, and lets AWS do some of it."""
        return self.environment.turn()

    def until_ready(self, turns: int = 120) -> dict[str, list[Composing]]:
        """Returns what composing gives once every region is ready.

        Raises:
            AssertionError: that is not so within so many turns; it says what waits.
        """
        for _ in range(turns):
            turned = self.turn()
            if all(is_ready(of_region[0][1]) for of_region in turned.values()):
                return turned
        raise AssertionError(self.status(turned))

    def status(self, turned: dict[str, list[Composing]]) -> Json:
        """Returns the status of the EnvironmentTap, as the operator rolls it up."""
        observed = {
            name: {
                "metadata": self.environment.worlds[name].tap["metadata"],
                "status": {**of_region[0][1].status, "conditions": conditions(of_region[0][1])},
            }
            for name, of_region in turned.items()
        }
        return roll_up(self.environment.claim, observed, now=NOW)

    def _provide(self, resource: Json, before: Json | None) -> Json:
        there = self._handled(resource, before)
        self._there[key_of(resource)] = there
        return there

    def _handled(self, resource: Json, before: Json | None) -> Json:
        key = key_of(resource)
        try:
            asked = self._kinds.prepared(resource, self._there.get)
        except UnresolvedError as error:
            return _troubled(resource, before, str(error))
        failing = self.failing.get(key[0]) or self.failing.get(key[1])
        if failing:
            return _troubled(asked, before, failing)
        made = key in self.account.made
        why = self.account.changed(asked) if made else self.account.refusal(asked)
        if why:
            self.refusals.append(f"{key[0]} {key[1]}: {why}")
            return _troubled(asked, before, why)
        if not made:
            if self._random.random() > self.slow.get(key[0], self.slow.get(key[1], self._chance)):
                return {**asked, "status": {"conditions": [true("Synced"), {**true("Ready"), "status": "False"}]}}
            self.order.append(key)
        self.account.made[key] = self._kinds.answer(asked, self.account)
        return self.account.made[key]


def _troubled(resource: Json, before: Json | None, message: str) -> Json:
    """Returns a resource that AWS, or another resource, holds up; what was known of it stays known."""
    synced = {"type": "Synced", "status": "False", "reason": "ReconcileError", "message": message}
    known = (before or {}).get("status") or {}
    others = [condition for condition in known.get("conditions", []) if condition["type"] != "Synced"]
    return {**resource, "status": {**known, "conditions": [*others, synced]}}


def is_ready(composed: Composed) -> bool:
    """Returns whether Crossplane calls an XR ready."""
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions(composed))
