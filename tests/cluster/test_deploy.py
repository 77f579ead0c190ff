"""`tap deploy` on real Crossplane: AWS is a double of the provider."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from cluster.terminal import CTRL_C, at_a_terminal
from cluster.test_whole_stack import driven
from cluster.world import World
from doubles.provider import ProviderDouble
from tap_api import manifest
from tap_api.base import Json
from tap_cli.intent import Intent, intent
from tap_cli.refusals import RefusedByClusterError
from tap_cli.writer import Writer

CLAIMS = Path(__file__).parents[2] / "claims"
[CLAIM] = manifest.read(CLAIMS / "dev.yaml")
ONE, TWO, _ = CLAIM["spec"]["regions"]


class Deployer:
    """Somebody who deploys claims of a namespace."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self._folder = world, folder

    @property
    def env(self) -> dict[str, str]:
        """The environment of a command whose cluster is this one."""
        return {**os.environ, "KUBECONFIG": str(self.world.cluster.kubeconfig)}

    def claim(self, name: str = "dev", **spec: Any) -> str:
        """Writes a claim of one region, and returns its file."""
        metadata = {"name": name, "namespace": self.world.namespace}
        own = {"peeringGroup": self.world.namespace, **CLAIM["spec"], "regions": [ONE], **spec}
        file = self._folder / f"{name}.yaml"
        file.write_text(manifest.dump([{**CLAIM, "metadata": metadata, "spec": own}]), encoding="utf-8")
        return str(file)

    def starts(self, file: str, *args: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tap_cli", "deploy", file, "--yes", "--timeout", "240", *args]
        pipes: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, text=True, env=self.env, **pipes)

    def deploys(self, file: str, *args: str) -> tuple[int, str, str]:
        """Returns exit code, output and errors."""
        process = self.starts(file, *args)
        out, err = process.communicate(timeout=280)
        return process.returncode, out, err

    def is_asked(self, answer: str, verb: str, *args: str, question: str) -> tuple[int, str]:
        """Returns exit code and output of a verb whose question at a terminal is answered."""
        return at_a_terminal([sys.executable, "-m", "tap_cli", verb, *args], self.env, question, answer)

    def spec(self) -> Json:
        found: Json = self.world.get("environmenttaps", "dev")["spec"]
        return found


@pytest.fixture(scope="module")
def somebody(
    shared_world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Deployer, ProviderDouble]]:
    with driven(shared_world) as provider:
        yield Deployer(shared_world, tmp_path_factory.mktemp("claims")), provider


def test_ctrl_c_stops_the_looking_and_what_was_applied_goes_on(somebody: tuple[Deployer, ProviderDouble]) -> None:
    deployer, _ = somebody
    # Whoever runs the tests in the background has SIGINT ignored, and a child inherits that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = deployer.starts(deployer.claim())
    deployer.world.until(lambda: deployer.world.names("regionaltaps") == ["dev-us-east-1"], "it is applied", 60)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Plan: " in out
    assert f"it goes on; look again with: tap status dev -n {deployer.world.namespace} --watch" in err
    assert "Traceback" not in err
    # Again: it is waited for, until all that was withheld at first is there.
    code, out, err = deployer.deploys(deployer.claim(), "-o", "json")
    assert (code, err) == (0, "")
    [claim] = json.loads(out)["claims"]
    assert [(r["name"], r["state"], r["ready"]) for r in claim["regions"]] == [("us-east-1", "Present", True)]


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [("n\n", 1, "nothing was applied, as you said"), ("\n", 1, "nothing was applied"), (CTRL_C, 130, "")],
    ids=["no", "enter", "ctrl-c"],
)
def test_whoever_does_not_say_yes_changes_nothing(
    somebody: tuple[Deployer, ProviderDouble], answer: str, code: int, said: str
) -> None:
    deployer, _ = somebody
    before = deployer.world.get("environmenttaps", "dev")["metadata"]["generation"]
    file = deployer.claim(tags={"CostCenter": "other"})
    found, text = deployer.is_asked(answer, "deploy", file, question="Apply this? [y/N]:")
    assert found == code, text
    assert said in text
    assert "Traceback" not in text
    assert deployer.world.get("environmenttaps", "dev")["metadata"]["generation"] == before


def test_whoever_says_yes_has_it_applied(somebody: tuple[Deployer, ProviderDouble]) -> None:
    deployer, _ = somebody
    file = deployer.claim(processor={"memoryMb": 768})
    code, text = deployer.is_asked("y\n", "deploy", file, "--no-wait", question="Apply this? [y/N]:")
    assert code == 0, text
    assert deployer.spec()["processor"]["memoryMb"] == 768


def test_what_is_stuck_is_told_in_the_words_of_aws(somebody: tuple[Deployer, ProviderDouble]) -> None:
    deployer, provider = somebody
    provider.fail("dev-us-east-1-processor-dead-letters", "LimitExceededException: Rate exceeded")
    world = deployer.world
    world.until(lambda: world.condition("dev", "ResourcesHealthy") == "False", "the failure is told", 60)
    file = deployer.claim(processor={"memoryMb": 1024})
    code, out, _ = deployer.deploys(file, "--no-wait")
    assert (code, out.splitlines()[-1].partition(" dev ")[0]) == (0, "it goes on; look again with: tap status")
    command = [sys.executable, "-m", "tap_cli", "status", "dev", "-n", world.namespace]

    def told() -> bool:
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=deployer.env)
        return "LimitExceededException: Rate exceeded" in done.stdout

    # First it says that nobody has looked at the latest spec yet.
    world.until(told, "status tells it too", 60)
    provider.heal()
    assert deployer.deploys(file)[0] == 0


def test_what_was_edited_by_hand_is_what_the_file_says_again(somebody: tuple[Deployer, ProviderDouble]) -> None:
    deployer, _ = somebody
    change = {"spec": {"tags": {"Team": "mine", "CostCenter": "mine"}, "permissionsBoundary": None}}
    deployer.world.kubectl("patch", "etap", "dev", "--type=merge", f"--patch={json.dumps(change)}")
    assert deployer.spec()["tags"] == {"CostCenter": "mine", "Team": "mine"}
    code, out, err = deployer.deploys(deployer.claim(processor={"memoryMb": 1024}), "--no-wait")
    assert (code, err) == (0, "")
    assert "tags.Team: mine -> (none)" in out
    assert deployer.spec()["tags"] == CLAIM["spec"]["tags"]


def test_what_changed_since_the_plan_was_shown_is_applied_to_unless_it_is_the_spec(
    somebody: tuple[Deployer, ProviderDouble],
) -> None:
    deployer, _ = somebody
    world = deployer.world
    [document] = manifest.read(Path(deployer.claim(processor={"memoryMb": 1024})))
    writer = Writer(world.cluster.kubeconfig)

    def edited(team: str) -> Json:
        """Returns the object as `kubectl edit` leaves it: the tags are not ours."""
        world.kubectl("patch", "etap", "dev", "--type=merge", f'--patch={{"spec":{{"tags":{{"Team":"{team}"}}}}}}')
        found: Json = world.get("environmenttaps", "dev")
        return found

    live = edited("mine")
    world.kubectl("annotate", "etap", "dev", "a=b")
    writer.apply(Intent(document, live))
    assert deployer.spec()["tags"] == CLAIM["spec"]["tags"]
    live = edited("mine")
    edited("theirs")
    with pytest.raises(RefusedByClusterError, match="was changed since its plan was shown"):
        writer.apply(Intent(document, live))
    assert deployer.spec()["tags"]["Team"] == "theirs"
    writer.apply(Intent(document, live := world.get("environmenttaps", "dev")))
    assert deployer.spec()["tags"] == CLAIM["spec"]["tags"]
    # A colleague who applied a region with `tap` too: no manager stands against its going.
    added = deepcopy(document)
    added["spec"]["regions"].append({**TWO, "state": "Absent"})
    writer.apply(Intent(added, world.get("environmenttaps", "dev")))
    with pytest.raises(RefusedByClusterError, match="was changed since its plan was shown"):
        writer.apply(intent(document, live, "us-east-1"))
    assert [region["name"] for region in deployer.spec()["regions"]] == ["us-east-1", "us-east-2"]
    writer.apply(Intent(document, world.get("environmenttaps", "dev")))


def test_one_region_is_deployed_with_its_state_and_nothing_else(somebody: tuple[Deployer, ProviderDouble]) -> None:
    deployer, _ = somebody
    before = deployer.spec()
    file = deployer.claim(regions=[ONE, {**TWO, "state": "Paused"}], tags={"CostCenter": "other"})
    code, out, err = deployer.deploys(file, "--region", "us-east-2")
    assert (code, err) == (0, "")
    assert "Left out, for --region applies one region alone: " in out
    assert deployer.spec() == {**before, "regions": [*before["regions"], {**TWO, "state": "Paused"}]}
    states = {r["name"]: r["state"] for r in deployer.world.get("environmenttaps", "dev")["status"]["regions"]}
    assert states == {"us-east-1": "Present", "us-east-2": "Paused"}
    # What is paused never goes: the end of these tests deletes all of it.
    absent = deployer.claim(regions=[ONE, {**TWO, "state": "Absent"}])
    assert deployer.deploys(absent, "--region", "us-east-2")[0] == 0
    assert deployer.world.names("regionaltaps") == ["dev-us-east-1"]


def test_a_region_that_stands_alone_is_deployed_to_its_end_and_again(
    somebody: tuple[Deployer, ProviderDouble], tmp_path: Path
) -> None:
    deployer, _ = somebody
    world, file = deployer.world, tmp_path / "alone.yaml"
    spec = {"environment": "dev", "region": "eu-west-1", "cidr": "10.9.0.0/16", "protection": False}
    for tags, wait in (({"CostCenter": "one"}, "--wait"), ({"CostCenter": "two"}, "--no-wait")):
        alone = {**CLAIM, "kind": "RegionalTap", "metadata": {"name": "alone", "namespace": world.namespace}}
        own = {**spec, "peeringGroup": world.namespace, "tags": tags}
        file.write_text(manifest.dump([{**alone, "spec": own}]), encoding="utf-8")
        code, out, err = deployer.deploys(str(file), wait, "-o", "json")
        assert (code, err) == (0, "")
        assert [claim["applied"] for claim in json.loads(out)["claims"]] == [True]
        assert world.get("regionaltaps", "alone")["spec"]["tags"] == tags
    world.delete("rtap", "alone")


def test_what_admission_alone_knows_is_told_whole(somebody: tuple[Deployer, ProviderDouble]) -> None:
    deployer, _ = somebody
    code, _, err = deployer.deploys(deployer.claim("second"))
    assert code == 1
    assert "the cluster refuses EnvironmentTap second; nothing of it was changed:" in err
    assert "(CidrTaken)" in err
    code, _, err = deployer.deploys(deployer.claim("third", tags={}, ttl="72h", protection=True))
    assert code == 1
    assert all(f"({rule})" in err for rule in ("TagMissing", "TtlProtected"))
    assert deployer.world.names("environmenttaps") == ["dev"]


def test_who_may_only_look_is_told_so(somebody: tuple[Deployer, ProviderDouble], tmp_path: Path) -> None:
    from cluster.plans import viewer

    deployer, _ = somebody
    kubeconfig = str(viewer(deployer.world, tmp_path))
    code, _, err = deployer.deploys(deployer.claim(drift="Repair", protection=True), "--kubeconfig", kubeconfig)
    assert (code, err.splitlines()[-1]) == (
        1,
        f"error: you may not change EnvironmentTap dev in {deployer.world.namespace}; ask for the ClusterRole `tap-edit`",
    )
