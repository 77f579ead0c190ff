"""Rules on names, regions and address ranges."""

import re
from collections.abc import Iterator

from tap_api import cidrs
from tap_api.kinds import ENVIRONMENT_TAP
from tap_api.limits import S3_PREFIXES
from tap_api.naming import MAX_ENVIRONMENT_NAME, MAX_NAME
from tap_api.policy.rule import Finding, Subject
from tap_api.policy.violation import shown
from tap_api.regions import ZONES

_DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def name(subject: Subject) -> Iterator[Finding]:
    """A name that AWS resources cannot have."""
    limit = MAX_ENVIRONMENT_NAME if subject.kind == ENVIRONMENT_TAP.kind else MAX_NAME
    if not _DNS_LABEL.fullmatch(subject.name):
        yield (
            "metadata.name",
            f"{shown(subject.name)} goes into AWS names: use lower-case letters, digits and hyphens, a letter first",
        )
    if subject.name.startswith(S3_PREFIXES):
        yield "metadata.name", f"{shown(subject.name)} begins like S3's own names, which no bucket may have; rename it"
    if len(subject.name) > limit:
        yield "metadata.name", f"{len(subject.name)} characters; use at most {limit}"


def unknown_region(subject: Subject) -> Iterator[Finding]:
    """A region that is not in the table."""
    for path, region in subject.regions:
        if region not in ZONES:
            from difflib import get_close_matches

            close = get_close_matches(region, ZONES, n=1)
            mend = f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(sorted(ZONES))}"
            yield path, f"{region!r} is not a region this system knows; {mend}"


def duplicate_region(subject: Subject) -> Iterator[Finding]:
    """A region that is listed twice."""
    seen: set[str] = set()
    for path, region in subject.regions:
        if region in seen:
            yield path, f"{region!r} is listed twice; list each region once"
        seen.add(region)


def primary_region(subject: Subject) -> Iterator[Finding]:
    """A primary region that is not built."""
    spec = subject.environment_tap
    if spec and spec.primary_region not in {region.name for region in spec.regions}:
        names = ", ".join(region.name for region in spec.regions)
        yield "spec.primaryRegion", f"{spec.primary_region!r} is not one of spec.regions; use one of {names}"


def cidr(subject: Subject) -> Iterator[Finding]:
    """A range that no VPC of ours can have."""
    for path, _, text in subject.ranges:
        fault = cidrs.fault(text)
        if fault:
            yield path, fault


def cidr_overlap(subject: Subject) -> Iterator[Finding]:
    """Ranges of one environment that overlap."""
    networks = [(path, region, cidrs.parse(text)) for path, region, text in subject.ranges if not cidrs.fault(text)]
    for i, (path, region, network) in enumerate(networks):
        for _, other_region, other in networks[:i]:
            if network.overlaps(other):
                yield (
                    path,
                    f"{network} ({region}) overlaps {other} ({other_region}); give each region a range of its own",
                )
