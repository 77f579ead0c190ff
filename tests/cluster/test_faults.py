"""What dies is started again and ends in the same objects. Seeded: a failure names the seed that made it.

`make test` runs one seed, `make soak` runs many (`--seeds N`).
"""

import json
import random
import time
from pathlib import Path

import pytest

from cluster.world import World
from tap_api import manifest
from tap_cluster.services import ADMISSION

CLAIMS = Path(__file__).parents[2] / "claims"


def shape(world: World) -> dict[str, object]:
    """Returns the RegionalTaps without what differs from one making to another."""
    return {tap["metadata"]["name"]: {**tap["spec"], "crossplane": None} for tap in world.objects("regionaltaps")}


def dry(world: World, claim: dict[str, object], name: str) -> str:
    return json.dumps({**claim, "metadata": {"name": name, "namespace": world.namespace}})


@pytest.fixture
def world(shared_world: World) -> World:
    """One namespace for all: each test begins, and ends, with the claim applied."""
    return shared_world


@pytest.fixture
def claim(world: World) -> dict[str, object]:
    [document] = manifest.read(CLAIMS / "dev.yaml")
    world.apply(document)
    world.settle("dev")
    return document


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(metafunc.config.getoption("seeds")))


def test_an_operator_killed_between_two_writes_ends_in_the_same_objects(
    world: World, claim: dict[str, object], seed: int
) -> None:
    wanted = shape(world)
    world.delete("etap", "dev")
    world.until(lambda: not world.versions("dev"), "the first making is gone", seconds=120)
    chance = random.Random(seed)  # noqa: S311
    world.apply(claim)
    for _ in range(3):
        # A whole fan-out takes well under a second.
        time.sleep(chance.uniform(0, 0.4))
        world.process("operator").kill()
        world.process("operator").start()
    world.settle("dev")
    assert shape(world) == wanted


def test_while_admission_is_down_nothing_new_is_let_in_and_nothing_that_goes_is_held(
    world: World, claim: dict[str, object]
) -> None:
    replicas = [world.process(name) for name in ADMISSION]
    first, second = replicas
    # One is enough.
    first.kill()
    for i in range(20):
        world.kubectl("apply", "--dry-run=server", "-f", "-", stdin=dry(world, claim, f"one-{i}"))
    second.kill()
    try:
        answer = world.refused({**claim, "metadata": {"name": "other"}})
        assert "failed calling webhook" in answer
        world.delete("etap", "dev")
        world.until(lambda: not world.versions("dev"), "nothing is left", seconds=120)
    finally:
        for replica in replicas:
            replica.start()
    world.apply(claim)


def test_a_function_that_was_down_goes_on_where_it_stopped(world: World, claim: dict[str, object]) -> None:
    wanted = shape(world)
    function = world.process("function")
    function.kill()
    try:
        world.delete("etap", "dev")
        world.until(lambda: not world.versions("dev"), "nothing is left", seconds=120)
        world.apply(claim)
        world.until(lambda: len(world.names("regionaltaps")) == 3, "the operator goes on without it")
    finally:
        function.start()
    world.settle("dev")
    assert shape(world) == wanted
