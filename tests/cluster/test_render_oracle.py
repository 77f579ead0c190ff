"""Crossplane's own engine as the oracle: what it renders through our function is what composing in-process says.

`crossplane composition render` runs the true reconciler without a cluster, against the function as it is served.
"""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from golden.world import World, claims, regional_taps
from tap_api import manifest
from tap_api.base import Json
from tap_api.kinds import KINDS
from tap_cluster import api
from tap_stack.composed import Composed
from tap_stack.packages import FUNCTION
from tap_stack.tree import stored

COMPOSITIONS = Path(__file__).resolve().parents[2] / "compositions"
Render = Callable[[Json, dict[str, Json], dict[str, Json]], list[Json]]


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of our function, served on loopback."""
    port = _free_port()
    address = f"127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("function") / "log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "tap_function.main", "--insecure", "--address", address]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        with grpc.insecure_channel(address) as channel:
            grpc.channel_ready_future(channel).result(timeout=60)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def render(function: str, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Renders an XR, what is observed of it and what it requires with the true engine."""
    folder = tmp_path_factory.mktemp("render")
    engine = [str(api.tool("crossplane-cli")), "composition", "render"]
    core = ["--crossplane-binary", str(api.tool("crossplane"))]
    functions = _write(folder / "functions.yaml", [_development(function)])

    def run(xr: Json, observed: dict[str, Json], blocks: dict[str, Json]) -> list[Json]:
        xr_file = _write(folder / "xr.yaml", [xr])
        composition = COMPOSITIONS / f"{KINDS[xr['kind']].plural}.yaml"
        command = [*engine, str(xr_file), str(composition), str(functions), *core]
        if observed:
            command += ["--observed-resources", str(_write(folder / "observed.yaml", list(observed.values())))]
        if blocks:
            command += ["--required-resources", str(_write(folder / "required.yaml", list(blocks.values())))]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return list(manifest.load(done.stdout, xr_file))

    return run


@pytest.mark.parametrize("turns", [0, 6], ids=["first pass", "settled"])
@pytest.mark.parametrize("claim", claims())
def test_crossplane_asks_for_just_what_composing_in_process_says(render: Render, claim: str, turns: int) -> None:
    for tap in regional_taps(claim):
        world = World(tap)
        for _ in range(turns):
            world.turn()
        for xr, composed in world.look():
            # A part that was never stored has no uid yet, and the engine would make one up.
            xr["metadata"].setdefault("uid", "33333333-3333-4333-8333-333333333333")
            observed = world.objects.get(xr["metadata"]["name"], {})
            rendered, *resources = render(xr, observed, world.blocks)
            assert _by_name(resources) == _by_name([stored(xr, item) for item in composed.resources])
            assert _status(rendered) == _asked_status(composed)


def test_crossplane_makes_no_vpc_whose_range_is_not_claimed(render: Render) -> None:
    [tap] = [tap for tap in regional_taps("dev") if tap["spec"]["region"] == "us-east-1"]
    world = World(tap)
    world.blocks = {}
    for _ in range(2):  # In the first turn the network has no uid yet, by which the engine knows its resources.
        world.turn()
    [(xr, composed)] = [(xr, composed) for xr, composed in world.look() if xr["kind"] == "RegionalNetwork"]
    xr["metadata"].setdefault("uid", "33333333-3333-4333-8333-333333333333")
    rendered, *resources = render(xr, world.objects.get(xr["metadata"]["name"], {}), {})
    assert {resource["kind"] for resource in resources} == {"EIP", "Group", "Role", "RolePolicy"}
    assert _status(rendered) == _asked_status(composed)
    assert _status(rendered)["conditions"]["CidrReserved"] == ("False", "NotClaimed")


def _by_name(resources: list[Json]) -> dict[tuple[str, str], Json]:
    return {(resource["kind"], resource["metadata"]["name"]): resource for resource in resources}


def _status(xr: Json) -> Json:
    theirs = {"Synced", "Responsive"}
    conditions = {
        condition["type"]: (condition["status"], condition["reason"])
        for condition in xr["status"]["conditions"]
        if condition["type"] not in theirs
    }
    return {**xr["status"], "conditions": conditions}


def _asked_status(composed: Composed) -> Json:
    ready = composed.ready is None and all(item.ready for item in composed.resources)
    conditions = {condition.type: (condition.status, condition.reason) for condition in composed.conditions}
    conditions["Ready"] = ("True", "Available") if ready else ("False", "Creating")
    return {**composed.status, "conditions": conditions}


def _development(address: str) -> Json:
    annotations = {
        "render.crossplane.io/runtime": "Development",
        "render.crossplane.io/runtime-development-target": address,
    }
    return {
        "apiVersion": "pkg.crossplane.io/v1",
        "kind": "Function",
        "metadata": {"name": FUNCTION, "annotations": annotations},
        "spec": {"package": "registry.invalid/function-tap:v0.0.0"},
    }


def _write(path: Path, documents: list[Json]) -> Path:
    path.write_text(manifest.dump(documents), encoding="utf-8")
    return path


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
