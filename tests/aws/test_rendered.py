"""What `tap render` prints, made by the real provider-aws in moto: a slice of test_real_provider, in two minutes.

On a busy machine it takes thrice as long.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws.account import Account
from aws.conftest import HOME, standing_alone
from aws.test_real_provider import holding, unready
from cluster.world import World
from tap_api import manifest
from tap_api.base import API_VERSION, Json
from tap_api.kinds import REGIONAL_TAP

PARTS = ("key", "network")


def printed(folder: Path, namespace: str) -> list[Json]:
    """Returns the AWS resources that `tap render` prints of two parts of a region, as whoever has no cluster gets them."""
    file, tap = folder / "alone.yaml", standing_alone()
    file.write_text(manifest.dump([{**tap, "metadata": {**tap["metadata"], "namespace": namespace}}]))
    command = [
        sys.executable,
        "-m",
        "tap_cli",
        "render",
        str(file),
        *(word for part in PARTS for word in ("--part", part)),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = manifest.load(done.stdout, file)
    return [one for one in found if one["apiVersion"] != API_VERSION]


@pytest.fixture(scope="module")
def made(world: World, account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Json]]:
    """The resources, made; at the end moto is as it was."""
    before = account.holds(HOME)
    resources = printed(tmp_path_factory.mktemp("rendered"), world.namespace)
    world.kubectl("apply", "-f", "-", stdin=manifest.dump(resources))
    world.comes_to(lambda: unready(world.managed()), [], "everything is made", 600)
    yield resources
    world.kubectl("delete", "managed", "--all", "--wait=false")
    world.until(lambda: not world.managed(), "everything is gone", 600)
    assert account.holds(HOME) == before


def test_all_of_it_is_made_as_it_was_printed(made: list[Json], world: World) -> None:
    assert len(made) > 30
    assert REGIONAL_TAP.kind not in {one["kind"] for one in made}
    there = {(one["kind"], one["metadata"]["name"]): one for one in world.managed()}
    assert there.keys() == {(one["kind"], one["metadata"]["name"]) for one in made}
    assert all({"Ready", "Synced"} <= holding(one) for one in there.values())
    for one in made:
        wanted = dict(one["spec"]["forProvider"])
        asked = there[one["kind"], one["metadata"]["name"]]["spec"]["forProvider"]
        # The provider adds tags of its own.
        assert wanted.pop("tags", {}).items() <= asked.get("tags", {}).items()
        assert {name: asked.get(name) for name in wanted} == wanted


def test_the_network_is_in_aws(made: list[Json], account: Account) -> None:
    client = account.client("ec2", HOME)
    [vpc] = [one for one in client.describe_vpcs()["Vpcs"] if one["CidrBlock"] == "10.9.0.0/16"]
    subnets = client.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
    assert {one["CidrBlock"] for one in subnets} == {
        one["spec"]["forProvider"]["cidrBlock"] for one in made if one["kind"] == "Subnet"
    }
    [group] = client.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    assert (group["IpPermissions"], group["IpPermissionsEgress"]) == ([], [])
