"""Fields that are in the API and that nothing acts on yet."""

from collections.abc import Iterator

from tap_api.kinds import RegionalTapSpec
from tap_api.policy.rule import Finding, Subject


def not_acted_on(subject: Subject) -> Iterator[Finding]:
    """Fields that are in the API and that nothing acts on yet are refused, never ignored."""
    spec = subject.spec
    later = "is not acted on in this version; remove it"
    if not isinstance(spec, RegionalTapSpec) and spec.ttl is not None:
        yield "spec.ttl", later
