"""What the tests of plans share: a claim for two regions, edited, and what an apiserver would hold of it."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from golden.world import Environment, environment_tap
from tap_api.base import Json
from tap_stack.plan import Change, Plan

PAIR = [{"name": "us-east-1", "cidr": "10.0.0.0/16"}, {"name": "us-east-2", "cidr": "10.1.0.0/16"}]


def objects(environment: Environment) -> Iterator[Json]:
    """Yields what an apiserver would hold of an environment."""
    yield deepcopy(environment.claim)
    for world in environment.worlds.values():
        yield deepcopy(world.tap)
        for composed in world.objects.values():
            yield from deepcopy(list(composed.values()))


def edited(**spec: Any) -> Json:
    claim = environment_tap("prod")
    claim["spec"].update({"regions": PAIR, **spec})
    return claim


def in_aws(made: Plan) -> list[Change]:
    return [change for change in made.changes if change.in_aws]
