import json
from collections.abc import Callable

import pytest

from golden.world import ACCOUNT, Environment, World
from tap_api.base import Json
from tap_stack import parts
from tap_stack.composed import Composed

MakeTap = Callable[..., Json]
GLOBAL = {"identifier": "prod-global-234a2353", "engineVersion": "8.0.mysql_aurora.3.10.0", "region": "us-east-1"}
WAITS = "the global database, until the operator's facts say that the primary region's writer is up"


@pytest.fixture(autouse=True)
def only_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that builds the database and its network alone, for speed."""
    monkeypatch.setattr(parts, "BUILT", {part: parts.BUILT[part] for part in ("network", "database")})


def composed(tap: Json) -> Composed:
    """Returns what the database of a RegionalTap composes once all is known."""
    return next(composed for xr, composed in World(tap).settle() if xr["kind"] == "RegionalDatabase")


def specs(tap: Json) -> dict[str, Json]:
    return {item.key: item.manifest["spec"] for item in composed(tap).resources}


def cluster(tap: Json) -> Json:
    spec = specs(tap)["cluster"]
    return {**spec, **spec["forProvider"]}


def test_the_subnet_group_takes_the_database_subnets_of_the_network_by_name(make_tap: MakeTap) -> None:
    group = specs(make_tap(region="ca-central-1"))["subnet-group"]["forProvider"]
    assert [reference["name"] for reference in group["subnetIdRefs"]] == [
        "prod-us-east-1-network-database-a",
        "prod-us-east-1-network-database-b",
        "prod-us-east-1-network-database-d",
    ]


def test_every_reference_to_the_network_is_one_that_the_network_composes(primary: Json) -> None:
    turned = World(primary).settle()
    there = {item.manifest["metadata"]["name"] for _, result in turned for item in result.resources}
    wanted = specs(primary)
    references = [
        *wanted["subnet-group"]["forProvider"]["subnetIdRefs"],
        *wanted["cluster"]["forProvider"]["vpcSecurityGroupIdRefs"],
    ]
    assert len(references) == 4
    assert {reference["name"] for reference in references} <= there


def test_a_zone_that_is_added_gets_into_the_subnet_group_for_references_are_kept_1242(primary: Json) -> None:
    references = specs(primary)["subnet-group"]["forProvider"]["subnetIdRefs"]
    assert {reference["policy"]["resolve"] for reference in references} == {"Always"}


@pytest.mark.parametrize(
    ("exports", "parameters"),
    [
        ([], {}),
        (["error", "iam-db-auth-error"], {}),
        (["audit"], {"server_audit_events": "CONNECT,QUERY_DCL,QUERY_DDL", "server_audit_logging": "1"}),
        (["slowquery"], {"long_query_time": "2", "slow_query_log": "1"}),
        (["general"], {"general_log": "1"}),
        (
            ["slowquery", "audit"],
            {
                "long_query_time": "2",
                "server_audit_events": "CONNECT,QUERY_DCL,QUERY_DDL",
                "server_audit_logging": "1",
                "slow_query_log": "1",
            },
        ),
    ],
)
def test_tls_is_required_and_what_is_exported_is_written(
    make_tap: MakeTap, exports: list[str], parameters: dict[str, str]
) -> None:
    group = specs(make_tap(database={"logExports": exports}))["parameter-group"]["forProvider"]
    found = {parameter["name"]: parameter["value"] for parameter in group["parameter"]}
    assert found == {"require_secure_transport": "ON", **parameters}
    assert list(found) == sorted(found)
    assert {parameter["applyMethod"] for parameter in group["parameter"]} == {"immediate"}


def test_no_parameter_has_the_value_of_aws_for_that_is_sent_for_ever_1286_1444(make_tap: MakeTap) -> None:
    everything = ["audit", "error", "general", "slowquery"]
    group = specs(make_tap(database={"logExports": everything}))["parameter-group"]["forProvider"]
    defaults = {
        "general_log": "0",
        "log_output": "FILE",
        "long_query_time": "10",
        "require_secure_transport": "OFF",
        "server_audit_events": "",
        "server_audit_logging": "0",
        "slow_query_log": "0",
        "tls_version": "TLSv1.2,TLSv1.3",
    }
    assert [p["name"] for p in group["parameter"] if defaults[p["name"]] == p["value"]] == []


def test_each_export_has_a_log_group_where_rds_looks_for_it_encrypted_and_kept_for_so_long(make_tap: MakeTap) -> None:
    tap = make_tap(database={"logExports": ["slowquery", "audit"], "logRetentionDays": 30})
    groups = {
        item.manifest["metadata"]["annotations"]["crossplane.io/external-name"]: item.manifest["spec"]["forProvider"]
        for item in composed(tap).resources
        if item.manifest["kind"] == "Group"
    }
    assert list(groups) == [
        "/aws/rds/cluster/prod-us-east-1-database-234a2353/audit",
        "/aws/rds/cluster/prod-us-east-1-database-234a2353/slowquery",
    ]
    for group in groups.values():
        assert (group["retentionInDays"], group["kmsKeyId"].startswith("arn:aws:kms:us-east-1:")) == (30, True)
    assert cluster(tap)["enabledCloudwatchLogsExports"] == ["audit", "slowquery"]


def test_log_groups_come_before_the_cluster_or_rds_would_make_them_without_a_key(regional: Json) -> None:
    world = World(regional)
    waves = [{xr["kind"]: result for xr, result in world.turn()}["RegionalDatabase"] for _ in range(6)]
    groups = {"log-group-audit", "log-group-error", "log-group-slowquery"}
    first = [
        next(i for i, w in enumerate(waves) if key in {r.key for r in w.resources}) for key in (*groups, "cluster")
    ]
    assert max(first[:-1]) < first[-1]
    asked = next(w for w in waves if groups <= {resource.key for resource in w.resources})
    assert {item.key: item.source for item in asked.withheld}["cluster"] == "log-group-audit, which AWS makes first"


def test_the_monitoring_role_is_for_these_instances_and_writes_to_one_log_group(primary: Json) -> None:
    wanted = specs(primary)
    (trust,) = json.loads(wanted["monitoring-role"]["forProvider"]["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "monitoring.rds.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:rds:us-east-1:{ACCOUNT}:db:prod-us-east-1-database-234a2353-*"},
    }
    names = [
        item.manifest["metadata"]["annotations"]["crossplane.io/external-name"]
        for item in composed(primary).resources
        if item.manifest["kind"] == "ClusterInstance"
    ]
    assert names == ["prod-us-east-1-database-234a2353-a-1", "prod-us-east-1-database-234a2353-b-1"]
    statements = json.loads(wanted["monitoring-role-policy"]["forProvider"]["policy"])["Statement"]
    group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:RDSOSMetrics"
    assert [statement["Resource"] for statement in statements] == [group, f"{group}:log-stream:*"]


def test_the_monitoring_role_has_the_permissions_boundary_that_is_asked_for(make_tap: MakeTap) -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    assert specs(make_tap(permissionsBoundary=boundary))["monitoring-role"]["forProvider"]["permissionsBoundary"] == (
        boundary
    )


PASSWORD_FIELDS = (
    "autoGeneratePassword",
    "manageMasterUserPassword",
    "masterPasswordSecretRef",
    "masterUserSecretKmsKeyId",
    "masterUsername",
    "databaseName",
)


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        (
            "primary",
            {
                "autoGeneratePassword": True,
                "masterPasswordSecretRef": {"name": "prod-us-east-1-database-password", "key": "password"},
                "masterUsername": "tapadmin",
                "databaseName": "tap",
            },
        ),
        ("secondary", {}),
        (
            "regional",
            {
                "manageMasterUserPassword": True,
                "masterUserSecretKmsKeyId": "the key",
                "masterUsername": "tapadmin",
                "databaseName": "tap",
            },
        ),
    ],
)
def test_a_password_is_only_where_aws_takes_one_05_traps_1_and_2(
    request: pytest.FixtureRequest, place: str, fields: Json
) -> None:
    found = cluster(request.getfixturevalue(place))
    shown = {field: found[field] for field in PASSWORD_FIELDS if field in found}
    if shown.get("masterUserSecretKmsKeyId") == found["kmsKeyId"]:
        shown["masterUserSecretKmsKeyId"] = "the key"
    assert shown == fields


@pytest.mark.parametrize(
    ("place", "secret"),
    [("primary", {"name": "prod-us-east-1-database-connection"}), ("secondary", None), ("regional", None)],
)
def test_a_secret_with_a_name_that_is_known_is_written_where_there_are_credentials(
    request: pytest.FixtureRequest, place: str, secret: Json | None
) -> None:
    assert cluster(request.getfixturevalue(place)).get("writeConnectionSecretToRef") == secret


def test_a_secondary_is_encrypted_with_the_key_of_its_own_region_05_trap_2() -> None:
    turned = Environment("prod").settle()
    found = {
        region: next(item.manifest for xr, c in results for item in c.resources if item.key == "cluster")
        for region, results in turned.items()
    }
    assert {r: m["spec"]["forProvider"]["kmsKeyId"].split(":")[3] for r, m in found.items()} == {r: r for r in turned}
    assert all(manifest["spec"]["forProvider"]["storageEncrypted"] for manifest in found.values())
    names = {manifest["metadata"]["annotations"]["crossplane.io/external-name"] for manifest in found.values()}
    assert len(names) == 3


def test_a_member_always_names_its_global_database_or_the_provider_takes_it_out_05_trap_3(
    primary: Json, secondary: Json, regional: Json
) -> None:
    assert cluster(primary)["globalClusterIdentifier"] == GLOBAL["identifier"]
    assert cluster(secondary)["globalClusterIdentifier"] == GLOBAL["identifier"]
    assert "globalClusterIdentifier" not in cluster(regional)
    name = next(item for item in composed(primary).resources if item.key == "global-cluster").manifest["metadata"]
    assert name["annotations"]["crossplane.io/external-name"] == GLOBAL["identifier"]


def test_a_secondary_that_lost_its_facts_stays_a_member_05_trap_3(secondary: Json) -> None:
    world = World(secondary)
    before = {xr["kind"]: result for xr, result in world.settle()}["RegionalDatabase"]
    del world.tap["spec"]["facts"]
    after = {xr["kind"]: result for xr, result in world.turn()}["RegionalDatabase"]
    assert [item.manifest for item in after.resources] == [item.manifest for item in before.resources]
    assert after.withheld == ()


def test_the_global_database_is_made_empty_and_first_and_then_joined_05_trap_3(primary: Json) -> None:
    world = World(primary)
    waves = [{xr["kind"]: result for xr, result in world.turn()}["RegionalDatabase"] for _ in range(6)]
    keys = [[resource.key for resource in wave.resources] for wave in waves]
    assert "global-cluster" in keys[0]
    assert "sourceDbClusterIdentifier" not in specs(primary)["global-cluster"]["forProvider"]
    assert "cluster" not in keys[0]
    assert "cluster" in keys[-1]


@pytest.mark.parametrize("place", ["primary", "secondary"])
def test_the_replication_source_of_a_member_is_left_to_aws_or_it_is_promoted_05_trap_4(
    request: pytest.FixtureRequest, place: str
) -> None:
    found = cluster(request.getfixturevalue(place))
    assert "replicationSourceIdentifier" not in found["forProvider"]
    assert found["initProvider"]["replicationSourceIdentifier"] == ""


def test_a_source_that_aws_shows_is_not_written_back_for_a_switchover_moves_it_05_trap_4(secondary: Json) -> None:
    world = World(secondary)
    world.settle()
    shown = world.objects["prod-us-east-1-database"]["cluster"]["status"]["atProvider"]
    assert shown["replicationSourceIdentifier"]
    after = {xr["kind"]: result for xr, result in world.turn()}["RegionalDatabase"]
    (manifest,) = (item.manifest for item in after.resources if item.key == "cluster")
    assert shown["replicationSourceIdentifier"] not in json.dumps(manifest)


@pytest.mark.parametrize("place", ["primary", "secondary", "regional"])
def test_members_that_aws_lists_are_never_frozen_into_the_spec_2052_05_trap_5(
    request: pytest.FixtureRequest, place: str
) -> None:
    found = cluster(request.getfixturevalue(place))
    assert not {"*", "LateInitialize"} & set(found["managementPolicies"])
    assert "clusterMembers" not in found["forProvider"]


@pytest.mark.parametrize("protection", [True, False])
def test_what_is_protected_refuses_to_go_and_keeps_a_snapshot_05_trap_6(
    make_tap: MakeTap,
    protection: bool,  # noqa: FBT001
) -> None:
    wanted = specs(make_tap(protection=protection))
    of_cluster, of_global = wanted["cluster"]["forProvider"], wanted["global-cluster"]["forProvider"]
    fields = ("deletionProtection", "skipFinalSnapshot", "deleteAutomatedBackups")
    assert [of_cluster[field] for field in fields] == [protection, not protection, not protection]
    assert of_cluster["finalSnapshotIdentifier"] == "prod-us-east-1-database-234a2353-final"
    assert [of_global["deletionProtection"], of_global["forceDestroy"]] == [protection, not protection]
    assert ["Delete" in wanted[key]["managementPolicies"] for key in ("cluster", "global-cluster", "instance-a-1")] == [
        not protection,
        not protection,
        True,
    ]


def test_an_encrypted_secondary_names_its_source_region_for_aws_wants_a_signed_url_13715(secondary: Json) -> None:
    found = cluster(secondary)
    # AWS does not show it, and it cannot be changed: said once, then left alone.
    assert (found["initProvider"]["sourceRegion"], "sourceRegion" in found["forProvider"]) == ("us-east-1", False)


def test_the_version_of_a_member_is_the_global_databases_and_of_a_regional_cluster_its_own(
    make_tap: MakeTap,
) -> None:
    newer = "8.0.mysql_aurora.3.11.0"
    primary = specs(make_tap(database={"engineVersion": newer}))
    assert primary["global-cluster"]["forProvider"]["engineVersion"] == newer
    assert primary["cluster"]["initProvider"]["engineVersion"] == newer
    assert "engineVersion" not in primary["cluster"]["forProvider"]
    # Whatever its own spec says: it joins with the version that runs.
    facts = {"globalCluster": GLOBAL}
    joined = specs(make_tap(role="Secondary", facts=facts, database={"engineVersion": newer}))["cluster"]
    assert joined["initProvider"]["engineVersion"] == GLOBAL["engineVersion"]
    alone = specs(make_tap(database={"global": False, "engineVersion": newer}))["cluster"]
    assert (alone["forProvider"]["engineVersion"], alone.get("initProvider")) == (newer, None)


def test_the_cluster_is_private_to_database_clients_and_takes_tokens_of_iam(primary: Json) -> None:
    found = cluster(primary)
    names = ("iamDatabaseAuthenticationEnabled", "copyTagsToSnapshot", "backupRetentionPeriod", "port", "engineMode")
    assert {name: found[name] for name in names} == {
        "iamDatabaseAuthenticationEnabled": True,
        "copyTagsToSnapshot": True,
        "backupRetentionPeriod": 35,
        "port": 3306,
        "engineMode": "provisioned",
    }
    assert found["vpcSecurityGroupIdRefs"] == [{"name": "prod-us-east-1-network-security-group-database"}]
    assert found["serverlessv2ScalingConfiguration"] == {"minCapacity": 8, "maxCapacity": 64}


def test_a_secondary_withholds_its_cluster_until_the_facts_say_that_the_writer_is_up(make_tap: MakeTap) -> None:
    found = composed(make_tap(role="Secondary"))
    assert {item.key: item.source for item in found.withheld} == {
        "cluster": WAITS,
        "instance-a-1": WAITS,
        "instance-b-1": WAITS,
    }
    assert "global-cluster" not in {item.key for item in found.resources}


@pytest.mark.parametrize("name", ["a--b", "a--b---c", "prod-us-east-1"])
def test_rds_takes_no_two_hyphens_in_a_row(make_tap: MakeTap, name: str) -> None:
    tap = make_tap(environmentRef=None)
    tap["metadata"]["name"] = name
    names = [
        item.manifest["metadata"]["annotations"]["crossplane.io/external-name"]
        for item in composed(tap).resources
        if item.manifest["apiVersion"].startswith("rds.")
    ]
    assert len(names) == 6
    assert [found for found in names if "--" in found] == []
