"""The rules that go by what an organisation asks for; none of them bites where it asks for nothing."""

from collections.abc import Iterator

from tap_api import cidrs
from tap_api.limits import FIRST_TAGS, MOST_OBJECT_TAGS, by_rank
from tap_api.policy.rule import Finding, Subject
from tap_api.policy.violation import field_path, shown
from tap_api.regions import ZONES


def missing(subject: Subject) -> Iterator[Finding]:
    """A tag that the organisation asks for."""
    for key in subject.organisation.required_tags if subject.organisation else ():
        if not subject.spec.tags.get(key, "").strip():
            yield _tag(key), "is required by your organisation; add it"


def cut(subject: Subject) -> Iterator[Finding]:
    """A tag that the organisation asks for and that the object with the processor's code has no room for."""
    if subject.organisation is None or subject.sections.get("processor", {}).get("code"):
        return
    required = (*FIRST_TAGS, *subject.organisation.required_tags)
    ranked = by_rank({*required, *subject.spec.tags})
    for i, key in enumerate(ranked[MOST_OBJECT_TAGS:]):
        if key in required:
            before = [other for other in ranked[: MOST_OBJECT_TAGS + i] if other not in required]
            yield (
                _tag(key),
                f"is required by your organisation, and the object in S3 with the processor's code takes"
                f" {MOST_OBJECT_TAGS} tags, by name; remove {i + 1} of {', '.join(before)}",
            )


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
