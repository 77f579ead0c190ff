"""What `tap plan` says, held against what changes on a real control plane."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cluster.world import World
from kubeconfigs import of_account
from tap_api import manifest
from tap_api.base import Json
from tap_api.kinds import ENVIRONMENT_TAP, XRS
from tap_stack.plan.difference import differences

Place = tuple[str, str]


class Planner:
    """Somebody who may look at the world's namespace and no more, and asks `tap plan`."""

    def __init__(self, world: World, folder: Path) -> None:
        self._file, self._kubeconfig = folder / "claim.yaml", viewer(world, folder)

    def plan(self, claim: Json) -> tuple[int, Json]:
        """Returns the exit code, and the plan."""
        self._file.write_text(manifest.dump([claim]), encoding="utf-8")
        command = [sys.executable, "-m", "tap_cli", "plan", str(self._file), "--against", "cluster", "-o", "json"]
        command += ["--kubeconfig", str(self._kubeconfig)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        [made] = json.loads(done.stdout)["plans"]
        return done.returncode, made


def told(answer: tuple[int, Json]) -> tuple[int, dict[Place, str], set[str]]:
    """Returns the exit code of a plan, what it says of each object, and which objects it calls blocked."""
    code, plan = answer
    # What is blocked is stored all the same; AWS alone refuses it.
    actions = {(c["kind"], c["name"]): c["action"].replace("blocked", "update") for c in plan["changes"]}
    return code, actions, {change["name"] for change in plan["changes"] if change["action"] == "blocked"}


def come_to(world: World, before: dict[Place, Json], said: dict[Place, str], name: str) -> None:
    """Waits until what has changed is what was said, and stays so."""

    def seen() -> bool:
        return happened(before, specs(world)) == said

    # A region is made by and by: its database waits for the others', its function for the database's network.
    with suppress(AssertionError):
        world.until(seen, f"{name}: what was said is what changed", 420)
    rest(world)
    found = happened(before, specs(world))
    assert {key: found.get(key) for key in found.keys() | said.keys() if found.get(key) != said.get(key)} == {}, name


def otherwise(change: Json, before: dict[Place, Json], after: dict[Place, Json]) -> Iterator[str]:
    """Yields each field of an updated object that has become other than was said, or that was not spoken of."""
    place = (change["kind"], change["name"])
    said = {field["path"]: field for field in change["fields"] if field["path"].startswith("spec.")}
    both = place in before and place in after
    # What was there and is not any more has gone, whosever it was.
    found = {f.path: f for f in differences(before[place], after[place], before[place], "spec")} if both else {}
    for path in said.keys() | found.keys():
        old, new = (found[path].old, found[path].new) if path in found else (None, None)
        field = said.get(path)
        if field is None or path not in found:
            yield f"{place} {path}: {'said' if field else 'not said'}, {old!r} -> {new!r}"
        elif field["old"] != old or (field["new"] != new and not field["knownAfter"]):
            yield f"{place} {path}: said {field['old']!r} -> {field['new']!r}, {old!r} -> {new!r}"


def viewer(world: World, folder: Path) -> Path:
    """Returns the kubeconfig of somebody who may look at the world's namespace, and nothing else."""
    world.kubectl("create", "serviceaccount", "viewer")
    who = f"--serviceaccount={world.namespace}:viewer"
    world.kubectl("create", "rolebinding", "viewer", "--clusterrole=view", who)
    return of_account(world.kubectl, world.namespace, "viewer", folder / "kubeconfig")


def rest(world: World) -> None:
    """Waits until no spec has changed for three seconds; of what AWS refuses, the status changes with every try."""
    world.wait_still(lambda: specs(world), "the specs", seconds=3, limit=240)


def specs(world: World) -> dict[Place, Json]:
    """Returns the spec of everything in the world, without what is Crossplane's own.

    And without the blocks of address ranges: who has which is admission's to tell, and no plan speaks of it (docs/plan.md).
    """
    taps = (item for kind in (ENVIRONMENT_TAP, *XRS) for item in world.objects(kind.plural))
    own = {
        (o["kind"], o["metadata"]["name"]): dict(o["spec"])
        for o in (*taps, *world.managed())
        if "deletionTimestamp" not in o["metadata"]
    }
    for spec in own.values():
        spec.pop("crossplane", None)
    return own


def happened(before: dict[Place, Json], after: dict[Place, Json]) -> dict[Place, str]:
    changes = dict.fromkeys(after.keys() - before.keys(), "create")
    changes |= dict.fromkeys(before.keys() - after.keys(), "delete")
    return changes | {place: "update" for place in before.keys() & after.keys() if before[place] != after[place]}
