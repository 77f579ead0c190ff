import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from golden.world import World, claims, regional_taps

ROOT = Path(__file__).resolve().parents[3]
PRINT = """
import json
from golden.world import World, regional_taps
for tap in regional_taps("prod"):
    world = World(tap)
    for _ in range(3):
        for xr, c in world.turn():
            print(json.dumps([[i.manifest for i in c.resources], c.status, [vars(x) for x in c.conditions], c.ttl]))
"""


@pytest.mark.parametrize("claim", claims())
def test_composing_comes_to_rest_and_stays(claim: str) -> None:
    for tap in regional_taps(claim):
        world = World(tap)
        settled = json.dumps([composed.status for _, composed in world.settle()])
        assert json.dumps([composed.status for _, composed in world.turn()]) == settled


def test_nothing_depends_on_the_order_of_hashes() -> None:
    rooms = [str(ROOT / room) for room in ("xrds", "compositions", "functions", "tests")]

    def printed(seed: str) -> str:
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(rooms)}
        command = [sys.executable, "-c", PRINT]
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout

    first = printed("1")
    assert len(first) > 100_000
    assert printed("2") == first
