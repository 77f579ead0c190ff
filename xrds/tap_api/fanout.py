"""From one EnvironmentTap to its RegionalTaps: what the operator applies, and what `tap plan` shows.

A pure function of the EnvironmentTap and of the RegionalTaps that are observed. Whatever one region has to know of
another travels here and one way only: from an observed RegionalTap into the `spec.facts` of the others. A fact that was
once written is carried over from the spec that it stands in, so a status that was lost takes nothing back; it goes
when its region goes.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from tap_api.base import GROUP, ApiModel, Arn, Json, ObjectMeta
from tap_api.common import Facts, GlobalClusterFact, RegionState, ReplicaFact, Role, SessionsTableFact
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP, EnvironmentTapSpec, Region
from tap_api.naming import LABEL_ENVIRONMENT, LABEL_ENVIRONMENT_TAP, LABEL_REGION, regional_tap_name
from tap_api.presets import resolve

#: Region -> the RegionalTap of that region, as the apiserver has it.
Observed = Mapping[str, Mapping[str, Any]]

_ARN: TypeAdapter[str] = TypeAdapter(Arn)
FactT = TypeVar("FactT", bound=ApiModel)


def fan_out(environment_tap: Mapping[str, Any], observed: Observed) -> list[Json]:
    """Returns the RegionalTaps of `environment_tap`, one a region that is not Absent, in the order of its regions.

    Args:
        environment_tap: The object, as the apiserver has it. tap_api.policy found nothing to refuse in it.
        observed: The RegionalTaps that there are, by region. One that is not this environment's tells nothing.

    Raises:
        pydantic.ValidationError: the spec is not of the shape that the schema holds.
    """
    meta = ObjectMeta.model_validate(environment_tap["metadata"])
    spec = EnvironmentTapSpec.parse(environment_tap["spec"])
    ours = {region: tap for region, tap in observed.items() if is_controlled(tap, meta.uid)}
    sections = resolve(spec)
    return [
        _regional_tap(meta, spec, _held(spec, region, ours), sections, _facts(spec, region, ours))
        for region in wanted(spec)
    ]


def wanted(spec: EnvironmentTapSpec) -> list[Region]:
    """Returns the regions that there are to be."""
    return [region for region in spec.regions if region.state is not RegionState.ABSENT]


def role(spec: EnvironmentTapSpec, region: str) -> Role:
    """Returns what `region` is to its environment."""
    return Role.PRIMARY if region == spec.primary_region else Role.SECONDARY


def is_controlled(regional_tap: Mapping[str, Any], uid: str) -> bool:
    """Returns whether the EnvironmentTap of that `uid` is the controller of `regional_tap`."""
    owners = regional_tap.get("metadata", {}).get("ownerReferences") or []
    return any(owner.get("controller") and owner.get("uid") == uid for owner in owners)


def is_of_environment(regional_tap: Mapping[str, Any]) -> bool:
    """Returns whether an EnvironmentTap is the controller of `regional_tap`: else it stands alone, whoever made it."""
    owners = regional_tap["metadata"].get("ownerReferences") or []
    return any(owner.get("controller") and is_environment_tap(owner) for owner in owners)


def is_environment_tap(owner: Mapping[str, Any]) -> bool:
    """Returns whether an owner reference is one to an EnvironmentTap."""
    group = str(owner.get("apiVersion", "")).partition("/")[0]
    return (group, owner.get("kind")) == (GROUP, ENVIRONMENT_TAP.kind)


def has_controller(thing: Mapping[str, Any]) -> bool:
    """Returns whether an object has a controller, whoever that is."""
    return any(owner.get("controller") for owner in thing["metadata"].get("ownerReferences") or [])


def _held(spec: EnvironmentTapSpec, region: Region, ours: Observed) -> Region:
    """Returns a region; the primary is not paused before the last of its replicas has gone, for it lets them go."""
    replicas = ours.keys() - {spec.primary_region}
    if role(spec, region.name) is Role.PRIMARY and region.state is RegionState.PAUSED and replicas:
        return region.model_copy(update={"state": RegionState.PRESENT})
    return region


def _regional_tap(meta: ObjectMeta, spec: EnvironmentTapSpec, region: Region, sections: Json, facts: Json) -> Json:
    head = REGIONAL_TAP.reference(regional_tap_name(meta.name, region.name), meta.namespace)
    head["metadata"]["labels"] = {
        LABEL_ENVIRONMENT: spec.environment.value,
        LABEL_ENVIRONMENT_TAP: meta.name,
        LABEL_REGION: region.name,
    }
    head["metadata"]["ownerReferences"] = [
        {
            "apiVersion": head["apiVersion"],
            "kind": ENVIRONMENT_TAP.kind,
            "name": meta.name,
            "uid": meta.uid,
            "controller": True,
            # A foreground delete of the EnvironmentTap would otherwise start all regions at once (02, Teardown).
            "blockOwnerDeletion": False,
        }
    ]
    return {**head, "spec": _spec(meta, spec, region, sections, facts)}


def _spec(meta: ObjectMeta, spec: EnvironmentTapSpec, region: Region, sections: Json, facts: Json) -> Json:
    # What the claim leaves unset and a RegionalTap leaves unset too (peering group, credentials) means the same in
    # both, so it is not written.
    optional = {
        "peeringGroup": spec.peering_group,
        "providerConfigRef": spec.provider_config_ref.manifest() if spec.provider_config_ref else None,
        "permissionsBoundary": spec.permissions_boundary,
        "facts": facts or None,
    }
    return {
        "environment": spec.environment.value,
        "environmentRef": {"name": meta.name},
        "region": region.name,
        "role": role(spec, region.name).value,
        "cidr": region.cidr,
        "tags": dict(sorted(spec.tags.items())),
        "drift": spec.drift.value,
        "state": region.state.value,
        **{key: value for key, value in optional.items() if value is not None},
        **sections,
    }


def _facts(spec: EnvironmentTapSpec, region: Region, ours: Observed) -> Json:
    written = _written_facts(ours.get(region.name, {}))
    if role(spec, region.name) is Role.PRIMARY:
        keys = {replica.region: replica.key_arn for replica in written.replicas}
        replicas = [
            ReplicaFact(region=name, key_arn=_key_arn(ours.get(name, {})) or keys.get(name))
            for name in sorted(other.name for other in wanted(spec) if other.name != region.name)
        ]
        facts = Facts(replicas=replicas)
    else:
        primary = ours.get(spec.primary_region, {})
        facts = Facts(
            global_cluster=_fact(GlobalClusterFact, _told(primary, "globalCluster")) or written.global_cluster,
            sessions_table=_fact(SessionsTableFact, _replica(primary, region.name)) or written.sessions_table,
        )
    return {key: value for key, value in facts.manifest().items() if value}


def _written_facts(regional_tap: Mapping[str, Any]) -> Facts:
    return Facts.parse(regional_tap.get("spec", {}).get("facts") or {})


def _told(regional_tap: Mapping[str, Any], fact: str) -> Any:  # noqa: ANN401
    """Returns what `regional_tap` says that others need to know (tap_api.status.RegionFacts)."""
    return ((regional_tap.get("status") or {}).get("facts") or {}).get(fact)


def _replica(primary: Mapping[str, Any], region: str) -> Json | None:
    """Returns the replica of the sessions table in `region`, as the primary lists it."""
    replicas = _told(primary, "sessionsReplicas") or []
    return next(({"arn": replica.get("arn")} for replica in replicas if replica.get("region") == region), None)


def _fact(model: type[FactT], told: Mapping[str, Any] | None) -> FactT | None:
    """Returns a fact; None where it is not known yet, or is none that the others' schema takes."""
    try:
        return model.parse(told) if told else None
    except ValidationError:
        return None


def _key_arn(regional_tap: Mapping[str, Any]) -> str | None:
    arn = ((regional_tap.get("status") or {}).get("outputs") or {}).get("keyArn")
    try:
        return _ARN.validate_python(arn)
    except ValidationError:  # Not known yet; a fact has to be one that the others' schema takes.
        return None
