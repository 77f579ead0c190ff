"""Fields that are in the API and that nothing acts on yet."""

from collections.abc import Iterator

from tap_api.common import RegionState
from tap_api.kinds import RegionalTapSpec
from tap_api.policy.rule import Finding, Subject


def not_acted_on(subject: Subject) -> Iterator[Finding]:
    """Fields that are in the API and that nothing acts on yet are refused, never ignored."""
    spec = subject.spec
    later = "is not acted on in this version; remove it"
    if isinstance(spec, RegionalTapSpec):
        if spec.state is not RegionState.PRESENT:
            yield "spec.state", f"{spec.state.value} {later}"
        return
    for i, region in enumerate(spec.regions):
        if region.state is not RegionState.PRESENT:
            yield f"spec.regions[{i}].state", f"{region.state.value} {later}"
    if spec.ttl is not None:
        yield "spec.ttl", later
