"""Rules on tags."""

import re
from collections.abc import Iterator

from tap_api.limits import LONGEST_TAG_KEY, OWN_TAGS, REQUIRED_TAGS, RESERVED_TAG_PREFIXES
from tap_api.policy.rule import Finding, Subject
from tap_api.policy.violation import field_path

#: Letters, digits, spaces and `_ . : / = + - @` (https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html).
_TAG_TEXT = re.compile(r"[\w .:/=+\-@]*")
_OWN_TAGS = {key.casefold() for key in OWN_TAGS}


def missing(subject: Subject) -> Iterator[Finding]:
    """A required tag that is not there, or empty."""
    for key in REQUIRED_TAGS:
        if not subject.spec.tags.get(key, "").strip():
            yield _tag_path(key), f"is required on every AWS resource; add it, such as `{key}: platform-4200`"


def reserved(subject: Subject) -> Iterator[Finding]:
    """Tags that others set."""
    for key in subject.spec.tags:
        # Whatever its case: IAM takes `environment` and `Environment` for one key, and refuses the role.
        if key.casefold() in _OWN_TAGS:
            yield _tag_path(key), "is set from the spec for every resource; remove it"
        elif key.lower().startswith(RESERVED_TAG_PREFIXES):
            yield _tag_path(key), "begins like AWS's or Crossplane's own tags; rename it"


def case(subject: Subject) -> Iterator[Finding]:
    """IAM compares keys without their case (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html)."""
    first: dict[str, str] = {}
    for key in subject.spec.tags:
        other = first.setdefault(key.casefold(), key)
        if other != key and not key.lower().startswith(RESERVED_TAG_PREFIXES):
            yield _tag_path(key), f"differs from {other!r} in case alone, and IAM takes one of the two; remove one"


def text(subject: Subject) -> Iterator[Finding]:
    """Keys and values of a length or of characters that AWS refuses."""
    for key, value in subject.spec.tags.items():
        if not 1 <= len(key) <= LONGEST_TAG_KEY:
            yield _tag_path(key), f"a tag's key has 1 to {LONGEST_TAG_KEY} characters, this one {len(key)}"
        if not _TAG_TEXT.fullmatch(key) or not _TAG_TEXT.fullmatch(value):
            yield _tag_path(key), "tags hold letters, digits, spaces and _ . : / = + - @ only"


def _tag_path(key: str) -> str:
    return field_path("spec", ("tags", key))
