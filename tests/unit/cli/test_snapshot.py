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


def test_parts_of_a_region_that_is_gone_do_not_count() -> None:
    strangers = [obj(kind.kind, f"p-{kind.part}", owner="uid-old", status=status(0, 0)) for kind in PARTS]
    assert len(Snapshot(ENVIRONMENT, [REGION], strangers).missing()) == 6


def test_the_fingerprint_changes_with_any_object() -> None:
    quiet = Snapshot(ENVIRONMENT, [REGION], [], [obj("VPC", "vpc")])
    assert quiet.fingerprint() == Snapshot(ENVIRONMENT, [REGION], [], [obj("VPC", "vpc")]).fingerprint()
    assert quiet.fingerprint() != Snapshot(ENVIRONMENT, [REGION], [], [obj("VPC", "vpc", version="2")]).fingerprint()
    assert quiet.fingerprint() != Snapshot(ENVIRONMENT, [REGION]).fingerprint()


def test_an_object_that_has_not_spoken_is_not_complete() -> None:
    assert uncreated({"metadata": {}}) == 1
    assert uncreated({"status": status(5, 3, 2)}) == 0
