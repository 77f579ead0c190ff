"""`tap destroy` on real Crossplane: AWS is a double of the provider."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from cluster.terminal import CTRL_C
from cluster.test_deploy import ONE, TWO, Deployer
from cluster.test_whole_stack import driven
from cluster.world import World
from doubles.provider import ProviderDouble
from kubeconfigs import of_account


@pytest.fixture(scope="module")
def somebody(
    shared_world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Deployer, ProviderDouble]]:
    """Somebody whose environment `dev` is there in two regions, protected."""
    with driven(shared_world) as provider:
        deployer = Deployer(shared_world, tmp_path_factory.mktemp("claims"))
        code, _, err = deployer.deploys(claim(deployer))
        assert (code, err) == (0, "")
        yield deployer, provider


def claim(deployer: Deployer) -> str:
    return deployer.claim(regions=[ONE, TWO], protection=True)


def destroys(deployer: Deployer, *args: str) -> tuple[int, str, str]:
    """Returns exit code, output and errors."""
    command = [sys.executable, "-m", "tap_cli", "destroy", claim(deployer), *args]
    pipes: Any = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    done = subprocess.run(command, env=deployer.env, check=False, timeout=280, **pipes)
    return done.returncode, done.stdout, done.stderr


def test_what_is_protected_is_refused_without_its_name(somebody: tuple[Deployer, ProviderDouble]) -> None:
    deployer, _ = somebody
    for args in ((), ("--region", "us-east-2")):
        code, out, err = destroys(deployer, "--yes", *args)
        assert code == 2
        assert "dev is protected, and there is nobody to ask: say --confirm dev" in err
        assert "stays in AWS: Cluster dev-us-east-2-database-cluster" in out
    meta = deployer.world.get("environmenttaps", "dev")["metadata"]
    assert "tap.platform/confirm-removal" not in meta.get("annotations", {})
    assert "deletionTimestamp" not in meta


@pytest.mark.parametrize(
    ("answer", "code"), [("y\n", 1), ("dev-us-east-1\n", 1), (CTRL_C, 130)], ids=["yes", "another-name", "ctrl-c"]
)
def test_whoever_does_not_type_its_name_destroys_nothing(
    somebody: tuple[Deployer, ProviderDouble], answer: str, code: int
) -> None:
    deployer, _ = somebody
    found, text = deployer.is_asked(answer, "destroy", claim(deployer), question="Type dev to destroy")
    assert found == code, text
    assert "Traceback" not in text
    assert "stays in AWS: Cluster dev-us-east-1-database-cluster" in text
    meta = deployer.world.get("environmenttaps", "dev")["metadata"]
    assert "tap.platform/confirm-removal" not in meta.get("annotations", {})
    assert "deletionTimestamp" not in meta


def test_one_region_goes_and_what_blocks_it_is_told_in_the_words_of_aws(
    somebody: tuple[Deployer, ProviderDouble],
) -> None:
    deployer, provider = somebody
    world, queue = deployer.world, "dev-us-east-2-processor-dead-letters"
    before = deployer.spec()
    provider.fail(queue, "AccessDenied: you may not sqs:DeleteQueue")
    code, out, err = destroys(deployer, "--region", "us-east-2", "--confirm", "dev", "--timeout", "20")
    assert code == 1
    assert "not done within " in err
    assert f"us-east-2/processor: Queue {queue}: " in err
    assert "AccessDenied: you may not sqs:DeleteQueue" in err
    assert "us-east-1" not in err
    provider.heal()
    # It is on its way: nothing is asked, and it is waited for.
    code, out, err = destroys(deployer, "--region", "us-east-2", "--yes")
    assert (code, err) == (0, "")
    assert f"{world.namespace}/dev us-east-2 is gone." in out
    assert "give it `state: Absent` there" in out
    assert deployer.spec() == {**before, "regions": [before["regions"][0], {**before["regions"][1], "state": "Absent"}]}
    assert [one for one in world.managed() if "us-east-2" in one["metadata"]["name"]] == []
    assert world.names("regionaltaps") == ["dev-us-east-1"]


def test_a_lock_refuses_it_and_the_confirmation_is_taken_back(somebody: tuple[Deployer, ProviderDouble]) -> None:
    deployer, _ = somebody
    world = deployer.world
    lock = [sys.executable, "-m", "tap_cli", "lock", "dev", "-n", world.namespace, "--why", "a migration"]
    subprocess.run(lock, env=deployer.env, check=True, capture_output=True)
    world.kubectl("create", "serviceaccount", "other")
    world.kubectl("create", "rolebinding", "other", "--clusterrole=edit", f"--serviceaccount={world.namespace}:other")
    kubeconfig = world.cluster.kubeconfig.with_name("other.json")
    of_account(world.kubectl, world.namespace, "other", kubeconfig)
    try:
        code, _, err = destroys(deployer, "--confirm", "dev", "--kubeconfig", str(kubeconfig))
    finally:
        kubeconfig.unlink()
    assert code == 1
    assert "the cluster refuses EnvironmentTap dev; nothing of it was changed:" in err
    assert "EnvironmentTap dev is locked by " in err
    meta = world.get("environmenttaps", "dev")["metadata"]
    assert "tap.platform/confirm-removal" not in meta.get("annotations", {})
    subprocess.run(
        [*lock[:3], "unlock", "dev", "-n", world.namespace], env=deployer.env, check=True, capture_output=True
    )


def test_the_rest_goes_and_what_stays_in_aws_is_named(somebody: tuple[Deployer, ProviderDouble]) -> None:
    deployer, provider = somebody
    code, out, err = destroys(deployer, "--confirm", "dev", "-o", "json")
    assert (code, err) == (0, "")
    [told] = json.loads(out)["claims"]
    assert deployer.world.managed() == []
    assert deployer.world.names("environmenttaps") == []
    kept = {item["name"] for item in told["keptInAws"]}
    assert kept == {name for _, name in provider.account.retained if "us-east-1" in name}
    assert all(item["externalName"] for item in told["keptInAws"])
    # Again: there is nothing of it.
    code, out, err = destroys(deployer, "--yes")
    assert (code, err) == (0, "")
    assert f"There is no EnvironmentTap dev in namespace {deployer.world.namespace}, nor what one has made." in out
