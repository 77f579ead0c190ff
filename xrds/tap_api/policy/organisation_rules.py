"""The rules that go by what an organisation asks for; none of them bites where it asks for nothing."""

from collections.abc import Iterator

from tap_api import cidrs
from tap_api.policy.rule import Finding, Subject
from tap_api.policy.violation import field_path, shown
from tap_api.regions import ZONES


def missing(subject: Subject) -> Iterator[Finding]:
    """A tag that the organisation asks for."""
    for key in subject.organisation.required_tags if subject.organisation else ():
        if not subject.spec.tags.get(key, "").strip():
            yield _tag(key), "is required by your organisation; add it"


def value(subject: Subject) -> Iterator[Finding]:
    """A value of a tag that the organisation does not allow."""
    organisation = subject.organisation
    for key, text in subject.spec.tags.items() if organisation else ():
        if organisation and not organisation.allows(key, text):
            pattern = organisation.allowed_tag_values[key]
            yield _tag(key), f"{shown(text)} is not a value that your organisation allows; it has to match {pattern}"


def reserved(subject: Subject) -> Iterator[Finding]:
    """A range that the organisation keeps for something else."""
    ranges = subject.organisation.reserved_ranges if subject.organisation else ()
    for path, _, text in subject.ranges:
        for kept in () if cidrs.fault(text) else ranges:
            if cidrs.parse(text).overlaps(kept.network):
                yield path, f"{text} overlaps {kept.cidr}, which is kept for {kept.reason}; take another range"


def region(subject: Subject) -> Iterator[Finding]:
    """A region that the organisation does not use."""
    allowed = subject.organisation.allowed_regions if subject.organisation else ()
    for path, name in subject.regions:
        if allowed and name in ZONES and name not in allowed:
            yield path, f"{name!r} is not a region that your organisation uses; use one of {', '.join(allowed)}"


def _tag(key: str) -> str:
    return field_path("spec", ("tags", key))
