"""What the verbs print, as a person sees it: in terminals of 80 and 200 columns, without colour, and in a pipe."""

import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from doubles.restapi import RestApi, holding, serving
from golden.world import CLAIMS, Environment
from tap_api import manifest
from tap_api.base import API_VERSION, Json
from tap_api.locks import break_lock, take
from tap_cli.main import cli, run

Golden = Callable[[str, str], None]
REGIONS = [{"name": "us-east-1", "cidr": "10.0.0.0/16"}, {"name": "us-east-2", "cidr": "10.1.0.0/16"}]
#: An edit of each kind: a field, a tag, one that AWS replaces, a shorter time, a policy's text, a region that leaves.
EDIT = {
    "tags": {"CostCenter": "platform-4200", "Team": "payments"},
    "regions": REGIONS[:1],
    "network": {"flowLogs": {"aggregationSeconds": 60}},
    "database": {"backupRetentionDays": 1, "maxCapacity": 4, "logExports": ["error"]},
    "processor": {"memoryMb": 1024},
    "api": {"authorization": "None"},
}
PLAN = ("plan", "edited.yaml", "--against", "saved")
#: Verbs that ask a cluster, which a double is: name of the golden, without its width -> arguments.
ASKING = {
    "status": ("status", "dev"),
    "outputs": ("outputs", "dev"),
    "lock-status": ("lock", "status"),
    "doctor": ("doctor",),
    "state-export": ("state", "export", "dev", "--out", "exported"),
    "destroy": ("destroy", "small.yaml", "--yes"),
    "destroy-region": ("destroy", "small.yaml", "--region", "us-east-2", "--yes"),
    "plan-cluster": ("plan", "small.yaml", "--against", "cluster"),
}
#: What admission and a policy say while alice has the lock.
LOCKED = "EnvironmentTap dev is locked by alice@example.com. Ask them."
CREATING = {"type": "Ready", "status": "False", "message": "us-east-2: the database is being made"}
WIDTHS = {"80": 80, "200": 200, "piped": 0}
#: Name of the golden -> arguments, and how wide the terminal is; 0: a pipe.
CASES: dict[str, tuple[tuple[str, ...], int]] = {
    **{f"validate-{name}": (("validate", "refused.yaml", "dev.yaml", "open.yaml"), n) for name, n in WIDTHS.items()},
    "validate-yaml": (("validate", "refused.yaml", "-o", "yaml"), 0),
    **{f"{verb}-{name}": (args, n) for verb, args in ASKING.items() for name, n in WIDTHS.items()},
    **{f"{verb}-80-no-color": ((*args, "--no-color"), 80) for verb, args in ASKING.items() if verb != "state-export"},
    "help-80": (("--help",), 80),
    "plan-help-80": (("plan", "--help"), 80),
    "destroy-help-80": (("destroy", "--help"), 80),
    "init-prod": (("init", "-e", "prod"), 0),
    "plan-nothing-80": (("plan", "dev.yaml", "--region", "us-east-1"), 80),
    "plan-nothing-piped": (("plan", "dev.yaml", "--region", "us-east-1"), 0),
    "plan-edited-80": (PLAN, 80),
    "plan-edited-80-no-color": ((*PLAN, "--no-color"), 80),
    "plan-edited-200": (PLAN, 200),
    "plan-edited-piped": (PLAN, 0),
    "plan-edited-markdown": ((*PLAN, "-o", "markdown"), 0),
    "plan-small-json": (("plan", "small.yaml", "--against", "saved", "-o", "json", "--region", "us-east-1"), 0),
    "plan-small-yaml": (("plan", "small.yaml", "--against", "saved", "-o", "yaml", "--region", "us-east-1"), 0),
    "plan-nothing-to-do": (("plan", "applied.yaml", "--against", "saved"), 0),
    "plan-refused-80": (("plan", "refused.yaml"), 80),
    "plan-refused-markdown": (("plan", "refused.yaml", "-o", "markdown"), 0),
    "drift-80": (("drift", "dev", "--observed", "drifted"), 80),
    "drift-80-no-color": (("drift", "--no-color", "--observed", "drifted"), 80),
    "drift-200": (("drift", "dev", "-n", "tap-dev", "--observed", "drifted"), 200),
    "drift-piped": (("drift", "dev", "--observed", "drifted"), 0),
    "drift-json": (("drift", "dev", "--observed", "drifted", "-o", "json"), 0),
    "drift-yaml": (("drift", "dev", "--observed", "drifted", "-o", "yaml"), 0),
    "drift-none-80": (("drift", "--observed", "saved"), 80),
    "drift-help-80": (("drift", "--help"), 80),
    "render-sessions": (("render", "dev.yaml", "-r", "us-east-1", "-p", "sessions", "-p", "key"), 0),
    "render-observed-sessions": (
        ("render", "applied.yaml", "-r", "us-east-1", "-p", "sessions", "--observed", "saved", "-o", "json"),
        0,
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with claims, and what an apiserver holds of one of them."""
    folder = tmp_path_factory.mktemp("verbs")
    environment = Environment("dev", regions=REGIONS)
    environment.settle()
    saved = [environment.claim]
    for world in environment.worlds.values():
        saved += [world.tap, *(item for composed in world.objects.values() for item in composed.values())]
    (folder / "drifted").mkdir()
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": drifted(environment)})
    (folder / "drifted" / "dev.json").write_text(text, encoding="utf-8")
    (folder / "saved").mkdir()
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": saved})
    (folder / "saved" / "dev.json").write_text(text, encoding="utf-8")
    claim = manifest.read(CLAIMS / "dev.yaml")[0]
    applied, edited, small = (deepcopy(claim) for _ in range(3))
    applied["spec"]["regions"] = REGIONS
    edited["spec"].update(EDIT)
    small["spec"].update({"regions": REGIONS, "network": EDIT["network"], "processor": EDIT["processor"]})
    for name, document in (("applied", applied), ("edited", edited), ("small", small)):
        (folder / f"{name}.yaml").write_text(manifest.dump([document]), encoding="utf-8")
    shutil.copy(CLAIMS / "dev.yaml", folder)
    open_api = (CLAIMS / "dev.yaml").read_text(encoding="utf-8") + "  api: {authorization: None}\n"
    (folder / "open.yaml").write_text(open_api, encoding="utf-8")
    shutil.copy(CLAIMS / "refused" / "everything-at-once.yaml", folder / "refused.yaml")
    with serving(cluster(saved), folder):
        yield folder


def cluster(saved: list[Json]) -> RestApi:
    """Returns a double of a cluster that holds what was saved, and locks; much of an installation is missing."""
    api = holding(saved)
    taps = [item for item in saved if item["kind"] == "RegionalTap"]
    known = [{"name": tap["spec"]["region"], "outputs": tap["status"].get("outputs", {})} for tap in taps]
    for name, user, renewed in (("dev", "alice@example.com", "2099-01-01"), ("old", "bob@example.com", "2020-01-01")):
        uid = saved[0]["metadata"]["uid"] if name == "dev" else name
        environment = {**saved[0], "metadata": {**saved[0]["metadata"], "name": name, "uid": uid, "generation": 1}}
        environment["status"] = {"observedGeneration": 1, "conditions": [CREATING], "regions": known}
        api.put(f"/apis/{API_VERSION}/namespaces/tap-dev/environmenttaps", environment)
        when = datetime.fromisoformat(f"{renewed}T00:00:00+00:00")
        lease = take(None, environment, user=user, why="moving the database to another VPC", seconds=3600, now=when)
        api.put("/apis/coordination.k8s.io/v1/namespaces/tap-dev/leases", lease)
    broken = break_lock(lease, environment, user="carol@example.com", why="bob left", now=when)
    api.put("/apis/coordination.k8s.io/v1/namespaces/tap-dev/leases", broken)
    api.refused["GET", "/apis/admissionregistration.k8s.io"] = (403, "forbidden")
    api.refused["DELETE", "/apis/tap.platform"] = (
        403,
        f"ValidatingAdmissionPolicy 'tap-locked-deletion' with binding 'tap-locked-deletion' denied request: {LOCKED}",
    )
    api.refused["PATCH", "/apis/tap.platform"] = (
        403,
        f'admission webhook "claims.tap.platform" denied the request: {LOCKED}',
    )
    return api


def drifted(environment: Environment) -> list[Json]:
    """Returns what an apiserver holds of an environment in which somebody changed fields in AWS."""
    world, quiet = deepcopy(environment.worlds["us-east-1"]), environment.worlds["us-east-2"]
    real = {
        key: resource["status"].get("atProvider", {})
        for made in world.objects.values()
        for key, resource in made.items()
    }
    real["vpc"]["enableDnsSupport"] = False
    real["vpc"]["tags"]["CostCenter"] = "somebody-else"
    real["table"]["pointInTimeRecovery"]["enabled"] = False
    real["key"]["policy"] = real["key"]["policy"].replace("kms:*", "kms:Decrypt")
    real["function"]["environment"]["variables"]["PASSWORD"] = "hunter2"  # noqa: S105 (none is to be shown)
    # Of a manifest that AWS was not seen to have, nobody says that it drifted.
    network = world.objects["dev-us-east-1"]["network"]["status"]["drift"]["settled"]
    del network["flow-log"]
    real["flow-log"]["maxAggregationInterval"] = 60
    made = [item for one in (world, quiet) for composed in one.objects.values() for item in composed.values()]
    return [environment.claim, world.tap, quiet.tap, *made]


@pytest.mark.parametrize("name", CASES)
def test_a_verb_prints_what_its_file_says(
    name: str, folder: Path, golden: Golden, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    args, columns = CASES[name]
    monkeypatch.chdir(folder)
    for variable in ("NO_COLOR", "COLUMNS", "TAP_PLAN_AGAINST"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    args = (*args, "--kubeconfig", "kubeconfig") if any(args[: len(a)] == a for a in ASKING.values()) else args
    text = shown(args, columns) if columns else piped(args, capsys)
    golden(f"verbs/{name}.txt", text)
    lines = re.sub(r"‹[\d;]+›", "", text).splitlines()
    # A word that no line takes, such as a quoted value, stays whole: it is copied whole.
    # What validate says is read by editors too, a line each.
    wraps = columns and args[0] != "validate"
    assert [line for line in lines if wraps and len(line) > columns and len(line.split()) > 2] == []


def piped(args: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    """Returns what `tap` prints to a pipe, and its exit code."""
    code = run(partial(cli, list(args), prog_name="tap"))
    said = capsys.readouterr()
    return f"{said.out}{said.err}exit code {code}\n"


def shown(args: tuple[str, ...], columns: int) -> str:
    """Returns what `tap` shows in a terminal, and its exit code."""
    reader, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    command = [sys.executable, "-m", "tap_cli", *args]
    environment = {**os.environ, "TERM": "xterm-256color"}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, env=environment
    ) as process:
        os.close(terminal)
        text = b"".join(iter(lambda: _read(reader), b"")).decode()
        code = process.wait()
    os.close(reader)
    # Colours as words, so that a reviewer reads them.
    readable = re.sub(r"\x1b\[([\d;]+)m", r"‹\1›", text.replace("\r\n", "\n"))
    return f"{readable}exit code {code}\n"


def _read(reader: int) -> bytes:
    try:
        return os.read(reader, 65536)
    except OSError:  # The other end is closed: so a terminal says it.
        return b""
