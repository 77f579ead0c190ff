"""Every name that AWS is given, for the longest legal inputs: inside AWS's limit, and nobody else's."""

import re
from collections import defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from golden.world import World, regional_tap
from tap_api.base import Json
from tap_api.naming import MAX_ENVIRONMENT_NAME
from tap_api.policy import judge
from tap_api.regions import ZONES
from tap_stack import aws
from tap_stack.catalogue import AwsKind

#: Kind -> what AWS takes as a name (05, section 5): the most characters, and which.
LIMITS: dict[AwsKind, tuple[int, str]] = {
    aws.KEY_ALIAS: (250, r"[a-zA-Z0-9/_-]+"),  # 256 with `alias/`
    aws.LOG_GROUP: (512, r"[.\-_/#A-Za-z0-9]+"),
    aws.BUCKET: (63, r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"),
    aws.FUNCTION: (64, r"[a-zA-Z0-9-_]+"),
    aws.FUNCTION_ALIAS: (128, r"(?!\d+$)[a-zA-Z0-9-_]+"),
    aws.ROLE: (64, r"[\w+=,.@-]+"),
    aws.ROLE_POLICY: (128, r"[\w+=,.@-]+"),
    aws.DB_CLUSTER: (63, r"[a-z](-?[a-z0-9])*"),
    aws.DB_INSTANCE: (63, r"[a-z](-?[a-z0-9])*"),
    aws.DB_GLOBAL_CLUSTER: (63, r"[a-z](-?[a-z0-9])*"),
    aws.DB_SUBNET_GROUP: (255, r"(?!default$)[a-z](-?[a-z0-9])*"),
    aws.DB_PARAMETER_GROUP: (255, r"[a-z](-?[a-z0-9])*"),
    aws.TABLE: (255, r"[a-zA-Z0-9_.-]{3,}"),
    aws.STAGE: (128, r"\$default"),
    aws.METRIC_FILTER: (512, r"[^:*]+"),
    aws.METRIC_ALARM: (255, r"[a-zA-Z0-9_-]+"),
    aws.DASHBOARD: (255, r"[a-zA-Z0-9_-]+"),
    aws.TOPIC: (256, r"[A-Za-z0-9_-]+"),
    aws.EVENT_RULE: (64, r"[.\-_A-Za-z0-9]+"),
    # No two hyphens in a row: CreateTrail in the API reference of CloudTrail.
    aws.TRAIL: (128, r"[a-zA-Z0-9](-?[a-zA-Z0-9]){2,}"),
}
#: Kind -> the field that names it, where that is not the external name.
FIELDS = {aws.QUEUE: ("name", 80, r"[A-Za-z0-9_-]+"), aws.API: ("name", 128, r".+")}
FIELDS[aws.SECURITY_GROUP] = ("name", 255, r"(?!sg-)[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]+")
#: What is named inside something else, whose name is unique.
INSIDE = {aws.ROLE_POLICY, aws.FUNCTION_ALIAS, aws.STAGE, aws.METRIC_FILTER, aws.SECURITY_GROUP, aws.API}
KINDS = {(kind.group, kind.kind): kind for kind in aws.KINDS}

NAMES = st.from_regex(rf"\A[a-z][a-z0-9-]{{{MAX_ENVIRONMENT_NAME - 2}}}[a-z0-9]\Z")
LONGEST = st.from_regex(r"\A[a-z][a-z0-9-]{61}[a-z0-9]\Z")


def named(tap: Json) -> Iterator[tuple[AwsKind, str]]:
    """Yields what the resources of a region are called in AWS."""
    world = World(tap)
    for _ in range(5):
        turned = world.turn()
    for _, composed in turned:
        emitted = [item.manifest for item in composed.resources]
        for manifest in (*emitted, *(item.manifest for item in composed.withheld)):
            group = manifest["apiVersion"].partition("/")[0]
            kind = KINDS.get((group, manifest["kind"]))
            name = manifest["metadata"].get("annotations", {}).get("crossplane.io/external-name")
            if kind in FIELDS:
                name = manifest["spec"]["forProvider"][FIELDS[kind][0]]
            if kind and name:
                yield kind, name


def region(environment: str, namespace: str, name: str, *, alone: str = "") -> Json:
    """Returns the RegionalTap of an environment; one that stands alone where `alone` names it."""
    tap = regional_tap("prod", "us-east-1")
    tap["metadata"] = {"name": alone or f"{environment}-{name}", "namespace": namespace, "labels": {}}
    tap["spec"].update(region=name, environmentRef={"name": environment})
    tap["spec"]["monitoring"]["trail"] = "Create"
    if alone:
        del tap["spec"]["environmentRef"]
    assert judge("RegionalTap", tap) == []
    return tap


def faults(kind: AwsKind, name: str) -> list[str]:
    _, limit, pattern = FIELDS[kind] if kind in FIELDS else ("", *LIMITS[kind])
    fits = len(name) <= limit and re.fullmatch(pattern, name)
    return [] if fits else [f"{kind}: {name} ({len(name)} of {limit})"]


# A whole region is composed for each example, and shrinking one composes hundreds: it is left out.
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(NAMES, LONGEST, st.sampled_from(sorted(ZONES)))
def test_every_name_is_one_that_aws_takes(environment: str, alone: str, where: str) -> None:
    for tap in (region(environment, "n" * 63, where), region(environment, "n" * 63, where, alone=alone)):
        assert [fault for kind, name in named(tap) for fault in faults(kind, name)] == []


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(NAMES, LONGEST)
def test_no_two_regions_environments_or_namespaces_share_a_name(environment: str, alone: str) -> None:
    other = environment[:-1] + ("a" if environment[-1] != "a" else "b")
    longest = sorted(ZONES, key=len)[-2:]
    taps = [region(e, n, where) for e in (environment, other) for n in ("a", "b") for where in longest]
    taps += [region(environment, n, longest[0], alone=name) for n in ("a", "b") for name in (alone, alone[:-1] + "z")]
    holders = defaultdict(list)
    for tap in taps:
        for kind, name in set(named(tap)):
            # What the regions of an environment share is what is global.
            shared = tap["spec"].get("environmentRef", {}).get("name", tap["metadata"]["name"])
            who = (
                tap["metadata"]["namespace"],
                shared if kind in (aws.TABLE, aws.DB_GLOBAL_CLUSTER) else tap["metadata"]["name"],
            )
            if kind not in INSIDE:
                holders[kind, name].append(who)
    assert {key: who for key, who in holders.items() if len(set(who)) > 1} == {}


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(NAMES, st.sampled_from(sorted(ZONES)))
def test_no_name_of_an_environment_is_one_of_a_region_alone_that_is_called_the_same(name: str, where: str) -> None:
    shared = set(named(region(name, "a", where))) & set(named(region(name, "a", where, alone=name)))
    assert {(kind, word) for kind, word in shared if kind not in INSIDE} == set()


def test_every_kind_that_we_name_has_its_limit_here() -> None:
    ours = {kind for kind, _ in named(region("prod", "tap-prod", "us-east-1"))}
    assert ours - set(LIMITS) - set(FIELDS) == set()


@pytest.mark.parametrize("kind", [aws.DB_CLUSTER, aws.DB_INSTANCE])
def test_a_name_that_rds_would_refuse_is_seen(kind: AwsKind) -> None:
    assert faults(kind, "a--b") == [f"{kind}: a--b (4 of 63)"]
