"""What the schema of a RegionalTap holds beside its shape, for when no process of ours is up.

The schema of an EnvironmentTap leaves the same to the webhook, which tells of all that is wrong at once: the schema
would answer first, and alone. With the webhook gone, the operator applies nothing that policy refuses; a RegionalTap
goes to Crossplane, so here the schema speaks. Each check stands on the smallest field that it needs: the apiserver lets
a field that did not change pass (KEP-4008), so that Crossplane can go on writing to an object of older rules.
"""

import json
from collections.abc import Iterable

from tap_api.base import Check, Json, cel
from tap_api.limits import LONGEST_TAG_KEY, OWN_TAGS, REQUIRED_TAGS, RESERVED_TAG_PREFIXES, S3_PREFIXES
from tap_api.naming import MAX_NAME
from tap_api.regions import ZONES

#: A key has no bound of length that a schema could give: an expression over its letters would pass the budget of CEL.
#: The usual spellings are told apart here, and every other one by the webhook and the function.
_SPELLINGS = (str, str.lower, str.upper)


def _listed(words: Iterable[str]) -> str:
    """Returns `words`, sorted, as CEL writes a list."""
    return json.dumps(sorted(words))


def names() -> list[Json]:
    """Returns the checks on the name of an XR; they stand at the root, which alone sees it."""
    label = Check(
        "Name",
        "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        "goes into AWS names: use lower-case letters, digits and hyphens, a letter first",
        field=".metadata.name",
    )
    length = Check(
        "Name", f"size(self.metadata.name) <= {MAX_NAME}", f"use at most {MAX_NAME} characters", field=".metadata.name"
    )
    buckets = Check(
        "Name",
        " && ".join(f"!self.metadata.name.startsWith('{prefix}')" for prefix in S3_PREFIXES),
        "begins like S3's own names, which no bucket may have; rename it",
        field=".metadata.name",
    )
    return [check.json() for check in (label, length, buckets)]


REGION = cel(
    Check(
        "RegionUnknown",
        f"self in {_listed(ZONES)}",
        f"is not a region this system knows; use one of {', '.join(sorted(ZONES))}",
    )
)


def _required(key: str) -> str:
    return f"is required on every AWS resource; add it, such as `{key}: platform-4200`"


def _missing(key: str) -> Check:
    return Check(
        "TagMissing",
        f"'{key}' in self && self['{key}'].trim() != ''",
        _required(key),
        field=f".{key}",
        reason="FieldValueRequired",
    )


def _own() -> str:
    keys = {spell(key) for key in OWN_TAGS for spell in _SPELLINGS}
    return f"{_listed(keys)}.all(key, !(key in self))"


def _prefixes() -> str:
    prefixes = {spell(prefix) for prefix in RESERVED_TAG_PREFIXES for spell in _SPELLINGS}
    return f"self.all(key, !{_listed(prefixes)}.exists(prefix, key.startsWith(prefix)))"


#: Of the spec: a field that is not there holds no rule.
TAGS_THERE = tuple(
    Check("TagMissing", "has(self.tags)", _required(key), field=f".tags.{key}", reason="FieldValueRequired")
    for key in REQUIRED_TAGS
)
TAGS = cel(
    *map(_missing, REQUIRED_TAGS),
    Check("TagReserved", _own(), f"{', '.join(OWN_TAGS)} are set from the spec for every resource; remove them"),
    Check("TagReserved", _prefixes(), "begin like AWS's or Crossplane's own tags; rename them"),
    Check(
        "TagText",
        f"self.all(key, size(key) >= 1 && size(key) <= {LONGEST_TAG_KEY})",
        f"a tag's key has 1 to {LONGEST_TAG_KEY} characters",
    ),
    Check(
        "TagText",
        r"self.all(key, self[key].matches(r'^[\p{L}\p{N}_ .:/=+@-]*$'))",
        "tags hold letters, digits, spaces and _ . : / = + - @ only",
    ),
)


#: The way to take a region away that stands alone is to delete it, which the guards look at.
STATE = cel(
    Check("RegionState", "self != 'Absent'", "Absent is a state of a region in an EnvironmentTap; delete this one")
)
