"""The whole stack on a real apiserver with real Crossplane: what AWS would say is said by a double of the provider."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cluster.plans import Planner, come_to, otherwise, rest, specs, told
from cluster.world import World
from doubles.aws import ACCOUNT
from doubles.provider import ProviderDouble
from doubles.secrets import read
from tap_api import manifest
from tap_api.base import Json
from tap_api.kinds import XRS
from tap_cluster.services import NAMESPACE

CLAIMS = Path(__file__).parents[2] / "claims"
[CLAIM] = manifest.read(CLAIMS / "prod.yaml")
REGIONS = ["us-east-1", "us-east-2", "eu-west-1"]
#: The outputs of 01, and the readers' endpoint.
OUTPUTS = {
    "vpcId",
    "bucketName",
    "lambdaArn",
    "clusterEndpoint",
    "readerEndpoint",
    "tableName",
    "apiEndpoint",
    "keyArn",
}
INSTANCE = "prod-us-east-1-database-instance-a-1"


@contextmanager
def driven(world: World, **options: Any) -> Iterator[ProviderDouble]:
    """A provider for the world's namespace; at the end nothing is left of what it made."""
    with ProviderDouble(world.cluster.kubeconfig, world.namespace, **options) as provider:
        try:
            yield provider
        finally:
            provider.heal()
            remove(world, provider)


def remove(world: World, provider: ProviderDouble) -> None:
    """Deletes everything in the world; what a protected region leaves in AWS holds nothing up."""
    world.kubectl("delete", "etap,rtap", "--all", "--wait=false", *world.break_glass)

    def gone() -> bool:
        provider.check()
        return not world.names("regionaltaps") and not world.managed()

    world.until(gone, "every object is gone", 120)
    assert set(provider.account.made) == provider.account.retained


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    seeds = metafunc.config.getoption("seeds")
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, seeds + 1))
    if "edits" in metafunc.fixturenames:
        metafunc.parametrize("edits", [len(EDITS) if seeds > 1 else _SHORT])


def apply(world: World, name: str) -> None:
    [document] = manifest.read(CLAIMS / name)
    world.apply(document)


def ready(world: World, provider: ProviderDouble, name: str, seconds: float = 420) -> None:
    def holds() -> bool:
        provider.check()
        return world.condition(name, "Ready") == "True"

    try:
        world.until(holds, f"{name} is Ready", seconds)
    except AssertionError as error:
        status = world.get("environmenttaps", name).get("status", {})
        raise AssertionError(
            f"{error}\n{manifest.dump([status])}\n" + "\n".join(provider.journal.refusals())
        ) from error


def conditions(resource: Any) -> dict[str, Any]:
    return {condition["type"]: condition for condition in resource.get("status", {}).get("conditions", [])}


def is_ready(resource: Any) -> bool:
    return bool(conditions(resource).get("Ready", {}).get("status") == "True")


def asked(resource: Json) -> Json:
    """Returns the fields of `spec.forProvider` that Crossplane asks for, as `managedFields` has them."""
    [fields] = [
        entry["fieldsV1"]["f:spec"]["f:forProvider"]
        for entry in resource["metadata"]["managedFields"]
        if entry["manager"].startswith("apiextensions.crossplane.io/composed/")
    ]
    found: Json = fields
    return found


def changes(world: World) -> set[str]:
    """Returns what changes of `prod` within seven seconds."""
    before = world.versions("prod")
    time.sleep(7)
    return {name for name, version in world.versions("prod").items() if before.get(name) != version}


@pytest.fixture(scope="module")
def whole(shared_world: World) -> Iterator[tuple[World, ProviderDouble]]:
    """`claims/prod.yaml` whose AWS is made, for the tests that leave it as they find it."""
    with driven(shared_world) as provider:
        # The primary's writer takes its time, as it does in AWS.
        provider.slow("rds.ClusterInstance", 3)
        apply(shared_world, "prod.yaml")
        ready(shared_world, provider, "prod")
        yield shared_world, provider


def test_what_a_reference_was_resolved_to_is_asked_for_by_crossplane_too(whole: tuple[World, ProviderDouble]) -> None:
    """Or a patch of the provider that holds less than the one before would remove it (crossplane-runtime#655)."""
    world, _ = whole
    for region in REGIONS:
        name = f"prod-{region}-processor-function"
        function = json.loads(
            world.kubectl("get", "functions.lambda.aws.m.upbound.io", name, "-o", "json", "--show-managed-fields")
        )
        spec = function["spec"]["forProvider"]
        fields = asked(function)
        assert len(spec["vpcConfig"]["subnetIds"]) == len(spec["vpcConfig"]["subnetIdRefs"]) == 3
        assert {"f:role", "f:roleRef"} <= set(fields)
        assert {f"f:{group}Id{end}" for group in ("subnet", "securityGroup") for end in ("s", "Refs")} <= set(
            fields["f:vpcConfig"]
        )


def test_one_claim_becomes_ready_in_three_regions(whole: tuple[World, ProviderDouble]) -> None:
    world, _ = whole
    status = world.get("environmenttaps", "prod")["status"]
    assert status["readyRegions"] == "3/3"
    assert status["resources"]["ready"] == status["resources"]["desired"] == len(world.managed())
    assert {kind: condition["status"] for kind, condition in conditions({"status": status}).items()} == {
        "Ready": "True",
        "Synced": "True",
        "ResourcesHealthy": "True",
        "PolicyCompliant": "True",
        "Compliant": "True",
        # The claim names no trail.
        "ChangesReported": "False",
        "Drifted": "False",
        "CidrReserved": "True",
    }
    assert [region["name"] for region in status["regions"]] == REGIONS


def test_the_outputs_of_three_regions_are_in_the_status_and_in_a_config_map(
    whole: tuple[World, ProviderDouble],
) -> None:
    world, _ = whole
    told = {region["name"]: region["outputs"] for region in world.get("environmenttaps", "prod")["status"]["regions"]}
    for region, outputs in told.items():
        assert set(outputs) >= OUTPUTS
        assert outputs["keyArn"].startswith(f"arn:aws:kms:{region}:{ACCOUNT}:key/")
        assert outputs["apiEndpoint"].endswith(f".{region}.amazonaws.com")
        assert f".{region}." in outputs["clusterEndpoint"]
    published = json.loads(world.kubectl("get", "configmap", "prod-outputs", "-o", "json"))["data"]
    assert published == {
        f"{region}.{name}": value for region, outputs in told.items() for name, value in outputs.items()
    }


def test_the_administrators_password_is_in_the_primarys_secrets_and_nobody_of_ours_reads_them(
    whole: tuple[World, ProviderDouble],
) -> None:
    world, _ = whole
    told = {region["name"]: region["outputs"] for region in world.get("environmenttaps", "prod")["status"]["regions"]}
    connection, password = (f"prod-us-east-1-database-{name}" for name in ("connection", "password"))
    # AWS manages no member's password of a global database, and takes none for a secondary.
    assert {region: outputs.get("databaseSecretName") for region, outputs in told.items()} == {
        **dict.fromkeys(REGIONS),
        "us-east-1": connection,
    }
    secrets = json.loads(world.kubectl("get", "secrets", "-o", "json"))["items"]
    found = {item["metadata"]["name"]: read(item) for item in secrets}
    outputs = told["us-east-1"]
    assert found == {
        password: {"password": found[password]["password"]},
        connection: {
            "attribute.master_password": found[password]["password"],
            "endpoint": outputs["clusterEndpoint"],
            "master_username": "tapadmin",
            "port": "3306",
            "reader_endpoint": outputs["readerEndpoint"],
        },
    }
    for account in ("tap-operator", "tap-admission"):
        who = f"--as=system:serviceaccount:{NAMESPACE}:{account}"
        assert world.kubectl_fails("get", "secret", connection, who).startswith("Error from server (Forbidden)")


def test_the_settled_pass_changes_nothing(whole: tuple[World, ProviderDouble]) -> None:
    world, _ = whole
    world.wait_quiet(seconds=4)
    before = world.versions("prod")
    world.wait_quiet(seconds=15, limit=30)
    assert world.versions("prod") == before


def test_aws_is_asked_for_nothing_that_it_refuses(whole: tuple[World, ProviderDouble]) -> None:
    _, provider = whole
    assert provider.journal.refusals() == []


def test_a_secondary_does_not_join_before_the_writer(whole: tuple[World, ProviderDouble]) -> None:
    _, provider = whole
    for region in REGIONS[1:]:
        joined = ("seen", ("rds.Cluster", f"prod-{region}-database-cluster"))
        assert provider.journal.before(("made", ("rds.ClusterInstance", INSTANCE)), joined)


def test_a_failure_is_told_where_it_is_looked_for_and_ends_without_a_hand(whole: tuple[World, ProviderDouble]) -> None:
    world, provider = whole
    words = "LimitExceededException: Rate exceeded for this account"
    provider.fail("prod-us-east-2-processor-dead-letters", words)

    def told() -> list[str]:
        resources = [
            world.get("regionalprocessors", "prod-us-east-2-processor"),
            world.get("regionaltaps", "prod-us-east-2"),
            world.get("environmenttaps", "prod"),
        ]
        healthy = [conditions(resource)["ResourcesHealthy"] for resource in resources]
        return [condition.get("message", "") for condition in healthy if condition["status"] == "False"]

    world.until(lambda: len(told()) == 3, "the failure is on the part, its region and the environment")
    for message in told():
        assert "dead-letters: " in message
        assert words in message
    # The provider tries again every three seconds, and each time AWS's answer has another RequestID.
    alone = {"Queue/prod-us-east-2-processor-dead-letters"}
    world.until(lambda: changes(world) == alone, "only the resource that fails changes", 30)
    provider.heal()
    world.until(lambda: not told(), "the failure is over")
    ready(world, provider, "prod", 30)


def test_who_moves_the_writer_in_aws_is_followed_and_nothing_is_undone(whole: tuple[World, ProviderDouble]) -> None:
    world, provider = whole
    before, refused = specs(world), provider.journal.refusals()

    def offered() -> dict[str, bool]:
        """Returns of each region whether its clusterEndpoint is the one that writes."""
        made = provider.account.made
        clusters = {r: made["rds.Cluster", f"prod-{r}-database-cluster"]["status"]["atProvider"] for r in REGIONS}
        told = {region: world.output(region, "clusterEndpoint") for region in REGIONS}
        assert all(told[region] in (shown["endpoint"], shown["readerEndpoint"]) for region, shown in clusters.items())
        return {region: told[region] == clusters[region]["endpoint"] for region in REGIONS}

    def asked_for() -> dict[str, bool]:
        """Returns of each region whether what its alias is of asks whether the endpoint that is offered answers."""
        made, found = provider.account.made, {}
        for region in REGIONS:
            function, alias = (
                made["lambda.Function", f"prod-{region}-processor-function"],
                made["lambda.Alias", f"prod-{region}-processor-alias"],
            )
            asks = function["spec"]["forProvider"]["environment"]["variables"]["CLUSTER_ENDPOINT"]
            version = alias["spec"]["forProvider"]["functionVersion"]
            found[region] = (asks, version) == (
                world.output(region, "clusterEndpoint"),
                function["status"]["atProvider"]["version"],
            )
        return found

    for writer in ("eu-west-1", "us-east-1"):
        provider.switch_over(writer)
        world.comes_to(offered, {region: region == writer for region in REGIONS}, f"{writer} writes")
        world.comes_to(asked_for, dict.fromkeys(REGIONS, True), f"the functions ask where {writer} writes")
        rest(world)
        # What asks whether the database answers asks the other endpoint; nothing else in AWS is set.
        changed = {kind for (kind, name), spec in specs(world).items() if spec != before[kind, name]}
        assert changed - {kind.kind for kind in XRS} <= {"Function", "Alias"}
        assert provider.journal.refusals() == refused
        ready(world, provider, "prod", 30)
    # Back where it was all is as it was, but that AWS numbers each change of a function.
    assert changed == {"Alias"}


US_WEST_2 = {"name": "us-west-2", "cidr": "10.3.0.0/16"}
#: What a person edits, one after another; None takes a field out of the claim.
EDITS: dict[str, Json] = {
    "size, retention, a flow log's interval": {
        "database": {"maxCapacity": 32, "backupRetentionDays": 14},
        "processor": {"memoryMb": 1024, "logRetentionDays": 30},
        "network": {"flowLogs": {"aggregationSeconds": 60}},
    },
    "a tag, and the interval taken back": {
        "tags": {"CostCenter": "platform-4200", "Team": "payments"},
        "network": {"flowLogs": {"aggregationSeconds": 600}},
    },
    "another instance, tokens, and the preset's processor again": {
        "database": {"instances": 3},
        "processor": None,
        "api": {"authorization": "JWT", "jwt": {"issuer": "https://id.example.com", "audience": ["tap"]}},
    },
    "one NAT gateway, and the presets' database and API again": {
        "network": {"nat": "Single"},
        "database": None,
        "api": None,
    },
    "a region added": {"regions": [*CLAIM["spec"]["regions"], US_WEST_2]},
    "a region removed": {"regions": CLAIM["spec"]["regions"]},
}
#: The rest of them take their minutes: `--seeds 2` tries them all, and so does `make soak`.
_SHORT = 2
#: What a person cannot edit, and the field that says so.
REFUSED: dict[str, tuple[Json, str]] = {
    "the range of a VPC": (
        {"regions": [*CLAIM["spec"]["regions"][:2], {**CLAIM["spec"]["regions"][2], "cidr": "10.4.0.0/16"}]},
        "spec.regions[2].cidr",
    ),
    "the environment, and so its preset": ({"environment": "staging"}, "spec.environment"),
}


@pytest.fixture(scope="module")
def planner(whole: tuple[World, ProviderDouble], tmp_path_factory: pytest.TempPathFactory) -> Planner:
    return Planner(whole[0], tmp_path_factory.mktemp("planner"))


def claimed(world: World, edit: Json, claim: Json = CLAIM) -> Json:
    """Returns a claim of the world's namespace with an edit."""
    spec = {"peeringGroup": world.namespace, **claim["spec"], **edit}
    return {
        **claim,
        "metadata": {**claim["metadata"], "namespace": world.namespace},
        "spec": {name: value for name, value in spec.items() if value is not None},
    }


@pytest.mark.parametrize(("edit", "path"), REFUSED.values(), ids=REFUSED)
def test_what_a_plan_refuses_is_refused_and_changes_nothing(
    whole: tuple[World, ProviderDouble], planner: Planner, edit: Json, path: str
) -> None:
    world, _ = whole
    claim = claimed(world, edit)
    before = specs(world)
    code, plan = planner.plan(claim)
    assert (code, plan["changes"]) == (1, [])
    assert [(found["path"], found["code"]) for found in plan["violations"]] == [(path, "Immutable")]
    assert f"{path}: Invalid value" in world.refused(claim)
    rest(world)
    assert specs(world) == before


# Each edit is waited for at its place, with a limit of its own; together they take longer than any one test may.
@pytest.mark.timeout(0)
def test_what_a_plan_says_is_what_changes(whole: tuple[World, ProviderDouble], planner: Planner, edits: int) -> None:
    world, provider = whole
    claim = claimed(world, {})
    assert told(planner.plan(claim)) == (0, {}, set())
    for name, edit in list(EDITS.items())[:edits]:
        claim = claimed(world, edit, claim)
        before = specs(world)
        answer = planner.plan(claim)
        code, said, blocked = told(answer)
        assert code == 2, name
        world.apply(claim)
        come_to(world, before, said, name)
        after = specs(world)
        assert [line for change in answer[1]["changes"] for line in otherwise(change, before, after)] == [], name
        refused = {line.partition(":")[0].partition(" ")[2] for line in provider.journal.refusals()}
        assert blocked <= refused, name
        provider.check()
        if not blocked:
            ready(world, provider, "prod")
        assert told(planner.plan(claim)) == (0, {}, set()), name


def test_a_region_that_stands_alone_is_made_in_any_order_and_goes_without_a_trace(world: World, seed: int) -> None:
    with driven(world, seed=seed, spread=3) as provider:
        provider.slow("lambda.Permission", 2)
        world.apply(
            {
                "apiVersion": "tap.platform/v1alpha1",
                "kind": "RegionalTap",
                "metadata": {"name": "alone"},
                "spec": {
                    "environment": "dev",
                    "region": "eu-west-1",
                    "cidr": "10.9.0.0/16",
                    "tags": {"CostCenter": "platform-4200"},
                    "protection": False,
                    "monitoring": {"trail": "Create"},
                },
            }
        )
        world.until(lambda: is_ready(world.get("regionaltaps", "alone")), "the region is Ready", 420)
        outputs = world.get("regionaltaps", "alone")["status"]["outputs"]
        assert set(outputs) >= OUTPUTS
        assert provider.journal.refusals() == []
        world.kubectl("delete", "rtap", "alone", "--timeout=110s")
        world.until(lambda: not world.managed(), "every managed resource is gone", 60)
        assert provider.account.made == {}
