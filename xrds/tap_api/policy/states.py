"""Rules on the states of regions."""

from collections.abc import Iterator

from tap_api.common import RegionState
from tap_api.kinds import EnvironmentTapSpec, RegionalTapSpec
from tap_api.policy.rule import Finding, Subject


def primary(subject: Subject) -> Iterator[Finding]:
    """A primary region that is paused or goes while others hold replicas of it."""
    spec = subject.environment_tap
    if spec is None:
        return
    old = subject.old.regions if isinstance(subject.old, EnvironmentTapSpec) else []
    replicas = sorted(
        {region.name for region in (*spec.regions, *old) if region.state is not RegionState.ABSENT}
        - {spec.primary_region}
    )
    for i, region in enumerate(spec.regions):
        if region.name == spec.primary_region and region.state is not RegionState.PRESENT and replicas:
            those = ", ".join(replicas)
            mend = (
                f"pause {those} and leave the primary region Present"
                if region.state is RegionState.PAUSED
                else f"set {those} to Absent first, and wait until they are gone"
            )
            yield f"spec.regions[{i}].state", f"{region.state.value} while there are replicas of it in {those}; {mend}"


def alone(subject: Subject) -> Iterator[Finding]:
    """A RegionalTap that is to be absent: that is what deleting it is for."""
    if isinstance(subject.spec, RegionalTapSpec) and subject.spec.state is RegionState.ABSENT:
        yield "spec.state", "Absent is a state of a region in an EnvironmentTap; delete this RegionalTap to remove it"
