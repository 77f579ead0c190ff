from collections.abc import Callable

import pytest

from golden.world import Environment, regional_tap
from tap_api.base import Json
from tap_stack import parts
from tap_stack.plan import State
from unit.stack.planned import PAIR, objects

MakeTap = Callable[..., Json]
#: What the operator writes for secondaries once the writer of prod is up.
GLOBAL_CLUSTER = {
    "identifier": "prod-global-234a2353",
    "engineVersion": "8.0.mysql_aurora.3.10.0",
    "region": "us-east-1",
}


@pytest.fixture
def make_tap() -> MakeTap:
    """Makes the RegionalTap of prod in us-east-1, with fields of its spec (by section too) put in its place."""

    def make(**changes: object) -> Json:
        tap = regional_tap("prod", "us-east-1")
        for field, value in changes.items():
            old = tap["spec"].get(field)
            tap["spec"][field] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
            if value is None:
                del tap["spec"][field]
        return tap

    return make


@pytest.fixture
def only_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that builds the network alone."""
    monkeypatch.setattr(parts, "BUILT", {"network": parts.BUILT["network"]})


@pytest.fixture
def primary(make_tap: MakeTap) -> Json:
    return make_tap()


@pytest.fixture
def secondary(make_tap: MakeTap) -> Json:
    return make_tap(role="Secondary", facts={"globalCluster": GLOBAL_CLUSTER})


@pytest.fixture
def regional(make_tap: MakeTap) -> Json:
    return make_tap(database={"global": False})


@pytest.fixture(scope="module")
def settled() -> Environment:
    environment = Environment("prod", regions=PAIR)
    environment.settle()
    return environment


@pytest.fixture(scope="module")
def state(settled: Environment) -> State:
    return State.of(objects(settled), "tap-prod")
