"""Rules on how long an environment lives."""

from collections.abc import Iterator

from tap_api.kinds import EnvironmentTapSpec
from tap_api.policy.rule import Finding, Subject


def protected(subject: Subject) -> Iterator[Finding]:
    """A life that ends by itself, where nothing is deleted by accident."""
    spec = subject.spec
    if isinstance(spec, EnvironmentTapSpec) and spec.ttl is not None and subject.sections.get("protection"):
        yield "spec.ttl", "a protected environment has no end of its own; remove it, or set `protection: false`"
