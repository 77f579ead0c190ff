import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from golden.world import Environment, claims
from tap_stack.composed import Composed

ROOT = Path(__file__).resolve().parents[3]
PRINT = """
import json
from golden.world import Environment
environment = Environment("prod")
for _ in range(10):
    for turned in environment.turn().values():
        for xr, c in turned:
            print(json.dumps([[i.manifest for i in c.resources], c.status, [vars(x) for x in c.conditions], c.ttl]))
"""


@pytest.mark.parametrize("claim", claims())
def test_composing_comes_to_rest_and_stays(claim: str) -> None:
    environment = Environment(claim)
    settled = [printed(composed) for turned in environment.settle().values() for _, composed in turned]
    assert [printed(composed) for turned in environment.turn().values() for _, composed in turned] == settled


def printed(composed: Composed) -> str:
    return json.dumps([composed.status, [item.manifest for item in composed.resources]])


def test_nothing_depends_on_the_order_of_hashes() -> None:
    rooms = [str(ROOT / room) for room in ("xrds", "compositions", "functions", "tests")]

    def under(seed: str) -> str:
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(rooms)}
        command = [sys.executable, "-c", PRINT]
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout

    first = under("1")
    assert len(first) > 100_000
    assert under("2") == first
