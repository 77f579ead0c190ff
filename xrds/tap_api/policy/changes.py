"""What cannot change once it is there. The schema holds what one field can tell; a preset's value it cannot see."""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_api.kinds import CIDR_IS_FIXED, EnvironmentTapSpec
from tap_api.policy.rule import Finding, Subject
from tap_api.policy.violation import shown

_CARRIED = "names and tags of AWS resources carry it"
_ENVIRONMENT = (
    ("environment", _CARRIED),
    ("primaryRegion", "the database and the table belong to it; fail over in AWS"),
    ("peeringGroup", "the address ranges were claimed in it"),
)
_REGION = (
    ("environment", _CARRIED),
    ("environmentRef", "names of AWS resources end in its digest"),
    ("region", "its resources are there"),
    ("role", "the global database and the table belong to the primary"),
    ("cidr", CIDR_IS_FIXED),
    ("peeringGroup", "the address range was claimed in it"),
)
_DATABASE = (
    ("global", "AWS cannot move a cluster into or out of a global database"),
    ("databaseName", "AWS names it when the cluster is made"),
    ("masterUsername", "AWS names it when the cluster is made"),
)


def immutable(subject: Subject) -> Iterator[Finding]:
    """A field that AWS, or a name made of it, cannot follow."""
    if subject.old is None:
        return
    now, before = subject.spec.manifest(), subject.old.manifest()
    fields = _ENVIRONMENT if isinstance(subject.spec, EnvironmentTapSpec) else _REGION
    for field, why in fields:
        yield from _changed(f"spec.{field}", before.get(field), now.get(field), why)
    yield from _ranges(now, before)
    old, new = Subject(subject.kind, subject.name, subject.old).sections, subject.sections
    if old and new:
        for field, why in _DATABASE:
            yield from _changed(f"spec.database.{field}", old["database"][field], new["database"][field], why)


def _ranges(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Finding]:
    had = {region["name"]: region["cidr"] for region in before.get("regions", [])}
    for i, region in enumerate(now.get("regions", [])):
        old = had.get(region["name"], region["cidr"])
        yield from _changed(f"spec.regions[{i}].cidr", old, region["cidr"], CIDR_IS_FIXED)


def _changed(path: str, before: object, now: object, why: str) -> Iterator[Finding]:
    if before != now:
        yield path, f"cannot be changed from {shown(before)} to {shown(now)}: {why}; take it back, or make a new one"
