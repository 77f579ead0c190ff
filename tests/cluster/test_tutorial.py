"""docs/tutorial.md, typed line by line by somebody who has nothing else to go by."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from cluster.world import World

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
TYPED = re.findall(r"^\$ (.+)$", TEXT, re.MULTILINE)


def typed(world: World, folder: Path, line: str) -> tuple[int, str]:
    """Returns the exit code of a line, and all that it said; its namespace is the world's."""
    tools = {Path(str(world.cluster.tool("kubectl"))).parent, ROOT / ".venv" / "bin"}
    path = os.pathsep.join([*map(str, tools), os.environ["PATH"]])
    env = {**os.environ, "PATH": path, "KUBECONFIG": str(world.cluster.kubeconfig)}
    line = line.replace("tap-dev", world.namespace)
    if line.startswith("tap init"):
        line = f"{line} --namespace {world.namespace}"
    done = subprocess.run(["bash", "-c", line], cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_tutorial_does_what_it_says_word_by_word(world: World, tmp_path: Path) -> None:
    # A run that failed, and a cluster that was ended with it, may hold the ranges still.
    blocks = ("dev-10-77", "dev-10-78")
    world.cluster.kubectl("delete", "cidrblocks", *blocks, "--ignore-not-found", *world.break_glass)
    said: dict[str, str] = {}
    plans: list[int] = []
    for line in TYPED:
        command, _, comment = line.partition("   # ")
        code, said[command] = typed(world, tmp_path, command)
        if command.startswith("tap plan"):
            plans.append(code)
        wanted = {1} if comment == "refused" else {0, 2} if command.startswith("tap plan") else {0}
        assert code in wanted, f"{line}\n{said[command]}"
    assert plans == [2, 2], "it becomes something, and then a field changes"
    [changed] = [text for command, text in said.items() if "--against cluster" in command]
    assert changed.count("tags.Team: (none) -> shop") >= 5, f"the tag, of what is there\n{changed}"
    for refused in ("tap validate overlap.yaml", "kubectl apply -f overlap.yaml"):
        [answer] = [text for command, text in said.items() if command.strip() == refused]
        assert "10.77.128.0/17 (eu-west-1) overlaps 10.77.0.0/16 (us-east-1)" in answer
    assert not world.objects("regionaltaps")


@pytest.mark.parametrize("file", ["node.md", "packages.md", "states.md", "locks.md", "credentials.md"])
def test_what_it_points_to_is_there(file: str) -> None:
    assert f"]({file})" in TEXT
    assert (ROOT / "docs" / file).is_file()
