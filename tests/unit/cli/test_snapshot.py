from typing import Any

import pytest

from tap_api.kinds import PARTS
from tap_cli.snapshot import Snapshot, uncreated


def obj(kind: str, name: str, *, owner: str = "", version: str = "1", **rest: Any) -> dict[str, Any]:
    owners = [{"uid": owner, "controller": True}] if owner else []
    return {
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "tap-prod",
            "uid": f"uid-{name}",
            "resourceVersion": version,
            "ownerReferences": owners,
        },
        **rest,
    }


def status(desired: int, created: int, withheld: int = 0) -> dict[str, Any]:
    return {"resources": {"desired": desired, "created": created, "withheld": withheld}}


ENVIRONMENT = obj(
    "EnvironmentTap",
    "prod",
    spec={"primaryRegion": "us-east-1", "regions": [{"name": "us-east-1", "cidr": "10.0.0.0/16"}]},
)
REGION = obj("RegionalTap", "prod-us-east-1", status=status(8, 8))


def whole(**replaced: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        obj(kind.kind, f"p-{kind.part}", owner="uid-prod-us-east-1", status=replaced.get(kind.part, status(3, 2, 1)))
        for kind in PARTS
    ]


@pytest.mark.parametrize(
    ("snapshot", "missing"),
    [
        (Snapshot(ENVIRONMENT), ["us-east-1: RegionalTap"]),
        (Snapshot(ENVIRONMENT, [REGION], whole()), []),
        (Snapshot(ENVIRONMENT, [REGION], whole()[1:]), ["us-east-1/network: RegionalNetwork"]),
        (Snapshot(ENVIRONMENT, [REGION], whole(network=status(60, 20, 4))), ["us-east-1/network: 36 resources"]),
        (Snapshot(ENVIRONMENT, [REGION], whole(network={})), ["us-east-1/network: 1 resources"]),
    ],
)
def test_what_could_be_composed_and_is_not_there_is_missing(snapshot: Snapshot, missing: list[str]) -> None:
    assert snapshot.missing() == missing


def of_generation(generation: int, made: dict[str, Any], **seen: int) -> dict[str, Any]:
    """Returns `made` with a spec of `generation`, and conditions that speak of the generations `seen`."""
    conditions = [{"type": kind, "status": "True", "observedGeneration": seen[kind]} for kind in seen]
    return {
        **made,
        "metadata": {**made["metadata"], "generation": generation},
        "status": {**made.get("status", {}), "conditions": conditions},
    }


@pytest.mark.parametrize(
    ("seen", "said"),
    [({"observedGeneration": 3}, []), ({"observedGeneration": 2}, ["seen 2"]), ({}, ["seen none"])],
)
def test_a_spec_that_the_operator_has_not_looked_at_is_not_settled(seen: dict[str, int], said: list[str]) -> None:
    environment = {**of_generation(3, ENVIRONMENT), "status": seen}
    assert Snapshot(environment, [REGION], whole()).missing() == [
        f"the operator has not looked at its latest spec (generation 3, {words})" for words in said
    ]


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ({"Synced": 4, "Ready": 4}, []),
        ({"Synced": 4, "Ready": 3}, ["seen 3"]),
        ({"Synced": 2}, ["seen 2"]),
        ({"Responsive": 1}, []),
        ({}, []),
    ],
)
def test_what_crossplane_has_not_looked_at_is_not_settled(seen: dict[str, int], said: list[str]) -> None:
    behind = [f"Crossplane has not looked at its latest spec (generation 4, {words})" for words in said]
    region = Snapshot(ENVIRONMENT, [of_generation(4, REGION, **seen)], whole())
    assert region.missing() == [f"us-east-1: {line}" for line in behind]
    network, *others = whole()
    part = Snapshot(ENVIRONMENT, [REGION], [of_generation(4, network, **seen), *others])
    assert part.missing() == [f"us-east-1/network: {line}" for line in behind]


def test_parts_of_a_region_that_is_gone_do_not_count() -> None:
    strangers = [obj(kind.kind, f"p-{kind.part}", owner="uid-old", status=status(0, 0)) for kind in PARTS]
    assert len(Snapshot(ENVIRONMENT, [REGION], strangers).missing()) == 6


def test_the_fingerprint_changes_with_what_comes_goes_or_says_something() -> None:
    def of(vpc: dict[str, Any] | None, version: str = "1") -> object:
        region = {**REGION, "metadata": {**REGION["metadata"], "resourceVersion": version}}
        return Snapshot(ENVIRONMENT, [region], [], [vpc] if vpc else []).fingerprint()

    vpc = obj("VPC", "vpc")
    ready = {**vpc, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    leaving = {**vpc, "metadata": {**vpc["metadata"], "deletionTimestamp": "now"}}
    changed = {**vpc, "metadata": {**vpc["metadata"], "generation": 7}}
    seen = {of(None), of(vpc), of(ready), of(leaving), of(changed), of(vpc, version="2")}
    assert len(seen) == 6


def test_a_resource_that_aws_refuses_again_and_again_lets_the_environment_settle() -> None:
    """A provider is at it anew every few seconds, and writes so into the status of the resource each time."""
    first, second = (
        {**obj("VPC", "vpc", version=version), "status": {"conditions": [{"type": "Synced", "status": synced}]}}
        for version, synced in (("2", "True"), ("3", "False"))
    )
    told = {Snapshot(ENVIRONMENT, [REGION], [], [vpc]).fingerprint() for vpc in (first, second)}
    assert len(told) == 1


def test_an_object_that_has_not_spoken_is_not_complete() -> None:
    assert uncreated({"metadata": {}}) == 1
    assert uncreated({"status": status(5, 3, 2)}) == 0
