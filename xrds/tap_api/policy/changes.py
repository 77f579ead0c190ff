"""What cannot change once it is there. The schema holds what one field can tell; a preset's value it cannot see."""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_api.common import DriftMode, RegionState
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


def only_reported(subject: Subject) -> Iterator[Finding]:
    """A region that comes or goes, or protection that is lifted, where nothing is changed in AWS, or from then on."""
    if subject.old is None or DriftMode.REPORT not in (subject.old.drift, subject.spec.drift):
        return
    first = (
        "set `drift: Repair` first, and wait until Drifted is False"
        if subject.old.drift is DriftMode.REPORT
        else "leave `drift: Repair`, and set `drift: Report` once this is made and Drifted is False"
    )
    if subject.old.protection is not False and subject.spec.protection is False:
        yield "spec.protection", f"cannot be lifted where drift is only reported: AWS would not be told; {first}"
    now, before = subject.environment_tap, subject.old
    if now is None or not isinstance(before, EnvironmentTapSpec):
        return
    had, has = (
        {region.name for region in spec.regions if region.state is not RegionState.ABSENT} for spec in (before, now)
    )
    come, gone = sorted(has - had), sorted(had - has)
    if come or gone:
        words = " and ".join(
            f"{', '.join(names)} cannot be {verb}" for verb, names in (("added", come), ("removed", gone)) if names
        )
        yield "spec.regions", f"{words} where drift is only reported: the other regions would not follow; {first}"


def _ranges(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Finding]:
    had = {region["name"]: region["cidr"] for region in before.get("regions", [])}
    for i, region in enumerate(now.get("regions", [])):
        old = had.get(region["name"], region["cidr"])
        yield from _changed(f"spec.regions[{i}].cidr", old, region["cidr"], CIDR_IS_FIXED)


def _changed(path: str, before: object, now: object, why: str) -> Iterator[Finding]:
    if before != now:
        yield path, f"cannot be changed from {shown(before)} to {shown(now)}: {why}; take it back, or make a new one"
