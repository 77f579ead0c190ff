"""How long `tap plan claims/prod.yaml` takes from a cold start, beside a peer that says as much, in one run.

    python bench/plan.py --peer-python PATH     against `synth` of the Terraform CDK's Python successor (cdktn_peer.py)

Whole processes, in turn (A B A B …), after one of each that is not counted; medians, and the ratio pair by pair, so
that a machine whose speed drifts misleads nobody. `make bench` runs it with an environment of the peer's own.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLAN = [sys.executable, "-m", "tap_cli", "plan", str(ROOT / "claims" / "prod.yaml")]


@dataclass(frozen=True)
class Took:
    """What a process took, in seconds: on the wall, and of the processors."""

    wall: float
    cpu: float


def main() -> int:
    """Prints the figures; returns 1 where the plan takes longer than the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path, help="interpreter of an environment with requirements/bench.txt")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--limit", type=float, default=0.5, help="seconds of the processors that the plan may take")
    options = parser.parse_args()
    count = _count()
    with tempfile.TemporaryDirectory() as folder:
        script = str(ROOT / "bench" / "cdktn_peer.py")
        peer = [str(options.peer_python), script, str(count), folder] if options.peer_python else []
        pairs = [(_took(PLAN, 2), _took(peer, 0) if peer else None) for _ in range(options.runs + 1)][1:]
    ours = [plan for plan, _ in pairs]
    _say(f"tap plan, {count} resources", ours)
    theirs = [took for _, took in pairs if took]
    if theirs:
        _say(f"cdktn synth, {count} resources", theirs)
        for name in ("wall", "cpu"):
            ratios = [getattr(a, name) / getattr(b, name) for a, b in zip(ours, theirs, strict=True)]
            sys.stdout.write(f"ratio of {name}: median {statistics.median(ratios):.1%}, at most {max(ratios):.1%}\n")
    return int(statistics.median(took.cpu for took in ours) > options.limit)


def _count() -> int:
    done = subprocess.run([*PLAN, "-o", "json"], capture_output=True, text=True, check=False)
    return int(json.loads(done.stdout)["plans"][0]["summary"]["create"])


def _took(command: list[str], code: int) -> Took:
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != code:
        message = f"{' '.join(command)} ended with {process.returncode}"
        raise SystemExit(message)
    return Took(wall, usage.ru_utime + usage.ru_stime)


def _say(what: str, took: list[Took]) -> None:
    walls, cpus = [item.wall for item in took], [item.cpu for item in took]
    sys.stdout.write(
        f"{what}: wall median {statistics.median(walls):.2f} s ({min(walls):.2f} to {max(walls):.2f}),"
        f" cpu median {statistics.median(cpus):.2f} s, {len(took)} runs\n"
    )


if __name__ == "__main__":
    sys.exit(main())
