"""Every database and table that can be asked for, in every place: valid, and with names that AWS takes."""

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crds import Schema, faults
from golden.world import World
from tap_api.base import API_VERSION, Json
from tap_api.policy import judge
from tap_api.regions import ZONES
from tap_stack import parts

Schemas = dict[tuple[str, str], Schema]
_RDS = r"(?=.{1,63}\Z)[a-z](-?[a-z0-9])*"
#: Kind -> what AWS takes for its name (05, section 5).
NAMES = {
    "rds.Cluster": _RDS,
    "rds.ClusterInstance": _RDS,
    "rds.ClusterParameterGroup": _RDS,
    "rds.GlobalCluster": _RDS,
    "rds.SubnetGroup": r"[a-z0-9 ._-]{1,255}",
    "dynamodb.Table": r"[a-zA-Z0-9_.-]{3,255}",
    "iam.Role": r"[\w+=,.@-]{1,64}",
    "iam.RolePolicy": r"[\w+=,.@-]{1,128}",
    "cloudwatchlogs.Group": r"[.\-_/#A-Za-z0-9]{1,512}",
}
SNAPSHOT = r"[a-zA-Z](-?[0-9A-Za-z])*"
NAME = st.from_regex(r"\A[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z")
ARN = "arn:aws:kms:{}:123456789012:key/1"
LOGS = ["audit", "error", "general", "slowquery", "iam-db-auth-error"]
HALVES = st.integers(1, 512).map(lambda steps: steps / 2)


def windows() -> st.SearchStrategy[tuple[str, str]]:
    """A window for backups at night and one for maintenance at noon, which never meet."""
    night = st.integers(0, 29).map(lambda minute: f"0{minute // 10}:{minute:02}-04:{minute:02}")
    noon = st.sampled_from(["mon", "wed", "sun"]).map(lambda day: f"{day}:12:00-{day}:13:30")
    return st.tuples(night, noon)


def databases() -> st.SearchStrategy[Json]:
    """Every section `database` that policy admits."""
    return st.builds(
        lambda chosen, capacities, window: {
            **chosen,
            "minCapacity": min(capacities),
            "maxCapacity": max(*capacities, 1),
            "backupWindow": window[0],
            "maintenanceWindow": window[1],
        },
        st.fixed_dictionaries(
            {
                "global": st.booleans(),
                "instances": st.integers(2, 16),
                "backupRetentionDays": st.integers(1, 35),
                "monitoringSeconds": st.sampled_from([1, 5, 10, 15, 30, 60]),
                "logExports": st.lists(st.sampled_from(LOGS), unique=True),
                "databaseName": st.from_regex(r"\A[a-zA-Z][a-zA-Z0-9]{0,63}\Z").filter(lambda name: len(name) > 6),
                "masterUsername": st.from_regex(r"\Aa[a-zA-Z0-9]{0,15}\Z"),
            }
        ),
        st.tuples(HALVES, HALVES),
        windows(),
    )


def facts(region: str) -> st.SearchStrategy[Json]:
    """Every set of facts that the operator can have written."""
    others = sorted(set(ZONES) - {region})
    replica = st.fixed_dictionaries(
        {"region": st.sampled_from(others)}, optional={"keyArn": st.just(ARN.format("us-east-1"))}
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "replicas": st.lists(replica, max_size=9, unique_by=lambda fact: fact["region"]),
            "globalCluster": st.just(
                {"identifier": "g", "engineVersion": "8.0.mysql_aurora.3.10.0", "region": "us-east-1"}
            ),
            "sessionsTable": st.just({"arn": f"arn:aws:dynamodb:{region}:123456789012:table/t"}),
        },
    )


def specs() -> st.SearchStrategy[Json]:
    """Every RegionalTap spec, as far as the database and the table look at it."""
    return st.sampled_from(sorted(ZONES)).flatmap(
        lambda region: st.fixed_dictionaries(
            {
                "region": st.just(region),
                "role": st.sampled_from(["Primary", "Secondary"]),
                "environment": st.sampled_from(["dev", "staging", "prod"]),
                "cidr": st.just("10.0.0.0/16"),
                "protection": st.booleans(),
                "network": st.fixed_dictionaries({"zones": st.integers(2, 3)}),
                "database": databases(),
                "sessions": st.fixed_dictionaries(
                    {
                        "ttlAttribute": st.from_regex(r"\A[a-zA-Z0-9_.-]{1,255}\Z"),
                        "recoveryDays": st.integers(1, 35),
                    }
                ),
                "tags": st.dictionaries(st.from_regex(r"\A[A-Z][\w .:/=+@-]{0,127}\Z"), st.just("x"), max_size=6),
                "facts": facts(region),
            },
            optional={"environmentRef": NAME.map(lambda name: {"name": name})},
        )
    )


def region(name: str, spec: Json) -> Json:
    tags = {**{key: value for key, value in spec["tags"].items() if key not in ("Environment", "Region", "Name")}}
    return {
        "apiVersion": API_VERSION,
        "kind": "RegionalTap",
        "metadata": {"name": name, "namespace": "tap-x"},
        "spec": {**spec, "tags": {**tags, "CostCenter": "1"}},
    }


ALONE: Json = {
    "region": "us-east-1",
    "role": "Primary",
    "environment": "prod",
    "cidr": "10.0.0.0/16",
    "protection": True,
    "database": {"global": True, "instances": 16, "minCapacity": 8, "maxCapacity": 8},
    "tags": {},
    "facts": {},
}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(specs(), NAME)
@example({**ALONE, "environmentRef": {"name": "e" * 63}}, "r" * 63)
@example(ALONE, "a" + "--b" * 20)
def test_every_data_store_that_can_be_asked_for_is_valid_and_has_names_that_aws_takes(
    schemas: Schemas, ours: Schemas, monkeypatch: pytest.MonkeyPatch, spec: Json, name: str
) -> None:
    monkeypatch.setattr(parts, "BUILT", {part: parts.BUILT[part] for part in ("database", "sessions")})
    tap = region(name, spec)
    assert judge("RegionalTap", tap) == []
    world = World(tap)
    for _ in range(6):
        turned = world.turn()
        assert list(faults(turned, {**schemas, **ours})) == []
    names: list[tuple[str, str]] = []
    for _, composed in turned:
        for item in composed.resources:
            kind = f"{item.manifest['apiVersion'].partition('.')[0]}.{item.manifest['kind']}"
            external = item.manifest["metadata"].get("annotations", {}).get("crossplane.io/external-name")
            if kind in NAMES:
                assert re.fullmatch(NAMES[kind], external), (kind, external)
                names.append((kind, external))
            if kind == "rds.Cluster":
                assert re.fullmatch(SNAPSHOT, item.manifest["spec"]["forProvider"]["finalSnapshotIdentifier"])
    assert len(set(names)) == len(names)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.tuples(NAME, st.sampled_from(["a", "b"]), st.none() | NAME), min_size=2, max_size=4))
def test_no_two_regions_share_a_cluster_in_aws(
    monkeypatch: pytest.MonkeyPatch, taps: set[tuple[str, str, str | None]]
) -> None:
    monkeypatch.setattr(parts, "BUILT", {"database": parts.BUILT["database"]})
    found = []
    for name, namespace, environment in sorted(taps, key=repr):
        reference = {"environmentRef": {"name": environment}} if environment else {}
        tap = region(name, {**ALONE, "database": {**ALONE["database"], "instances": 2}, **reference})
        tap["metadata"]["namespace"] = namespace
        world = World(tap)
        for _ in range(5):
            turned = world.turn()
        manifests = [item.manifest for _, composed in turned for item in composed.resources]
        found.append(
            {
                manifest["metadata"]["annotations"]["crossplane.io/external-name"]
                for manifest in manifests
                if manifest["kind"] in ("Cluster", "ClusterInstance")
            }
        )
    # One RegionalTap cannot be in two environments at once: equal names in a namespace are one object.
    distinct = {(name, namespace) for name, namespace, _ in taps}
    if len(distinct) == len(taps):
        assert len(set().union(*found)) == sum(len(names) for names in found)
