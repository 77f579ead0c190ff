"""A region: a KMS key with its alias, and six parts."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tap_api.base import Json
from tap_api.common import DriftMode, RegionState
from tap_api.kinds import PARTS, Kind, RegionalTapSpec
from tap_api.naming import part_name
from tap_api.pausing import is_behind
from tap_api.sections import Trail
from tap_api.status import CIDR_RESERVED, DriftStatus, PartStatusEntry, RegionalTapStatus, ResourceCounts, total
from tap_stack import compliance, drift, key, parts, sessions
from tap_stack import composed as result
from tap_stack.assembly import Assembly, assemble, keep
from tap_stack.composed import Composed, Condition
from tap_stack.health import healthy, is_paused, trouble
from tap_stack.key import KeyState
from tap_stack.monitoring import changes, trail
from tap_stack.observation import DictObservation, Observation
from tap_stack.processor import code
from tap_stack.resource import Resource, Resources, xr
from tap_stack.storage import logs
from tap_stack.subject import Subject
from tap_stack.values import Unknown
from tap_stack.verdict import policy_compliant

_MAX_MESSAGE = 1000
_API_HOST = re.compile(r"https://([a-z0-9]{1,32})\.execute-api\.")


def compose(subject: Subject[RegionalTapSpec]) -> Composed:
    """Returns what composing a region gives; of one that policy refuses, what is there, and which rules it breaks."""
    held = bool(subject.violations)
    before = drift.parse(subject.status)
    subject = _in_mode(subject, before)
    assembly = keep(subject.observed) if held else assemble(resources(subject), subject.observed, subject.spec.state)
    own = compliance.audit(compliance.inventory(assembly))
    findings, silent = compliance.of_region(own, subject.observed)
    own_drift = before if held else _own_drift(subject, assembly, before)
    reporting = subject.spec.drift is DriftMode.REPORT
    drifted, uncompared = drift.of_region(own_drift, subject.observed, reporting=reporting)
    entries = [_entry(subject, kind, assembly) for kind in PARTS]
    status = RegionalTapStatus(
        resources=_counts(subject, assembly, entries),
        parts=entries,
        **result.waiting(assembly),
        **compliance.reported(findings),
        **drifted.said(),
        **result.sticky(subject.status, _outputs(subject)),
        **result.sticky_facts(subject.status, _of_parts(subject, "facts")),
    )
    health = healthy((resource.key for resource in assembly.emitted), subject.observed)
    made = result.composed(
        assembly,
        status,
        _built(),
        health,
        _changes_reported(subject),
        policy_compliant(subject.violations),
        compliance.condition(findings, silent),
        drift.condition(drifted, uncompared),
        *_reserved(subject),
    )
    return replace(made, ready=False, ttl=result.TTL_WAITING) if held else made


def _in_mode(subject: Subject[RegionalTapSpec], before: DriftStatus) -> Subject[RegionalTapSpec]:
    """Returns the region with what happens to drift now, which its parts are told."""
    said = subject.status.get("conditions")
    ready = DictObservation({"status": {"conditions": said}}).condition("Ready")
    replicas = subject.spec.facts.replicas
    listed = {replica.get("region") for replica in (_of_parts(subject, "facts").get("sessionsReplicas") or ())}
    now = drift.mode(
        subject.spec.drift,
        before,
        # Of one that policy refuses nothing is composed, so no part is as it is wanted.
        () if subject.violations else resources(subject),
        subject.observed,
        ready=bool(ready and ready.status == "True")
        and all(replica.key_arn and replica.region in listed for replica in replicas),
    )
    return replace(subject, spec=subject.spec.model_copy(update={"drift": now}))


def _own_drift(subject: Subject[RegionalTapSpec], assembly: Assembly, before: DriftStatus) -> DriftStatus:
    """Returns what is known of the drift of the region's own resources: the key and its alias."""
    judged = drift.judge(assembly.emitted, subject.observed, before, subject.spec.drift)
    return drift.status(judged, before, subject.spec.drift)


def resources(subject: Subject[RegionalTapSpec]) -> Resources:
    """Yields the key, its alias and the parts."""
    yield from key.resources(subject)
    for kind in PARTS:
        yield _part(subject, kind)


def _part(subject: Subject[RegionalTapSpec], kind: Kind) -> Resource:
    """Returns a part: of the region's spec, whatever fields its own kind has."""
    whole = subject.spec
    shared = {name: getattr(whole, name) for name in kind.spec.model_fields if name in type(whole).model_fields}
    zones = {"zones": whole.network.zones} if "zones" in kind.spec.model_fields else {}
    spec = kind.spec(**shared, **zones)
    facts = {
        **KeyState.of(subject).facts_for_parts(),
        **_api_fact(subject, kind),
        **_cluster_fact(subject, kind),
        **_bucket_fact(subject, kind),
        **_trail_fact(subject, kind),
    }
    return xr(subject, kind, part_name(subject.name, kind.part), spec, facts)


def _api_fact(subject: Subject[RegionalTapSpec], kind: Kind) -> Json:
    """Returns the id of the HTTP API, for the part that measures it. AWS names metrics of an API by its id alone."""
    if "api_id" not in kind.spec.model_fields:
        return {}
    processor = subject.observed.get("processor")
    endpoint = processor.field("status", "outputs", "apiEndpoint") if processor else None
    found = _API_HOST.match(str(endpoint or ""))
    return {"apiId": found[1] if found else Unknown("the region's HTTP API, which AWS gives an id", required=False)}


def _cluster_fact(subject: Subject[RegionalTapSpec], kind: Kind) -> Json:
    """Returns the endpoint of the database, for the part that asks whether it answers."""
    if "cluster_endpoint" not in kind.spec.model_fields:
        return {}
    database = subject.observed.get("database")
    endpoint = database.field("status", "outputs", "clusterEndpoint") if database else None
    return {
        "clusterEndpoint": endpoint or Unknown("the region's database, which AWS gives an endpoint", required=False)
    }


def _bucket_fact(subject: Subject[RegionalTapSpec], kind: Kind) -> Json:
    """Returns whether the code can be put into the data bucket, for the part that does it."""
    if "bucket_settled" not in kind.spec.model_fields:
        return {}
    storage = subject.observed.get("storage")
    name = storage.field("status", "outputs", "bucketName") if storage else None
    return {"bucketSettled": True if name else Unknown(code.NOT_SETTLED.source, required=False)}


def _trail_fact(subject: Subject[RegionalTapSpec], kind: Kind) -> Json:
    """Returns whether the trail can be made, for the part that makes it: AWS looks at both policies when it is."""
    if "trail_admitted" not in kind.spec.model_fields or subject.spec.monitoring.trail is not Trail.CREATE:
        return {}
    storage = subject.observed.get("storage")
    bucket = storage.condition(logs.TRAIL_ADMITTED) if storage else None
    if KeyState.of(subject).admits and bucket and bucket.status == "True":
        return {"trailAdmitted": True}
    return {"trailAdmitted": Unknown(trail.NOT_ADMITTED.source, required=False)}


def _changes_reported(subject: Subject[RegionalTapSpec]) -> Condition:
    """Returns what monitoring says of its trail, or what the spec alone tells."""
    monitoring = subject.observed.get("monitoring")
    said = monitoring.condition(changes.CHANGES_REPORTED) if monitoring else None
    recording = bool(said and said.status == "True")
    return changes.condition(subject.spec.monitoring, recording=recording)


def _entry(subject: Subject[RegionalTapSpec], kind: Kind, assembly: Assembly) -> PartStatusEntry:
    observation = subject.observed.get(kind.part)
    ready = any(resource.key == kind.part and resource.ready for resource in assembly.emitted)
    message = _kept(observation) if ready else _message(observation)
    return PartStatusEntry(
        name=kind.part,
        ready=ready,
        resources=_part_counts(subject, kind.part, observation),
        **({"message": message[:_MAX_MESSAGE]} if message else {}),
    )


def _kept(observation: Observation | None) -> str:
    """Returns what a part that is ready keeps of regions that have gone; empty where it keeps nothing."""
    kept = observation.condition(sessions.REPLICAS_KEPT) if observation else None
    return kept.message if kept and kept.status == "True" else ""


def _message(observation: Observation | None) -> str:
    """Returns why a part is not ready, the cause before the symptom."""
    if observation is None:
        return "not created yet"
    built = observation.condition(result.BUILT)
    if built and built.status == "False":
        return built.message
    cause = trouble(observation)
    if cause:
        return cause
    if is_paused(observation):
        return "is paused: nothing of it is changed in AWS"
    waiting = observation.field("status", "waiting")
    if isinstance(waiting, list) and waiting:
        first, more = waiting[0], len(waiting) - 1
        return f"{first.get('key')} waits for {first.get('source')}" + (f" (and {more} more)" if more else "")
    ready = observation.condition("Ready")
    return (ready.message or ready.reason) if ready else "not composed yet"


def _part_counts(subject: Subject[RegionalTapSpec], part: str, observation: Observation | None) -> ResourceCounts:
    """Returns what a part says of its resources."""
    fields = ResourceCounts.model_fields
    found = {field: observation.field("status", "resources", field) if observation else 0 for field in fields}
    counts = {field: count if isinstance(count, int) else 0 for field, count in found.items()}
    paused = _part_paused(subject, part, observation, counts["paused"])
    return ResourceCounts.parse({**counts, "paused": paused or None})


def _part_paused(subject: Subject[RegionalTapSpec], part: str, observation: Observation | None, told: int) -> int:
    """Returns how many resources of a part are paused, at least.

    A region is removed once that is none (tap_api.pausing), so what a part has not taken in yet counts: that it is to
    be paused, and until it has said something of its latest spec, that it was.
    """
    if observation is None:
        return 0
    if RegionState.PAUSED in (subject.spec.state, observation.field("spec", "state")):
        return max(told, 1)
    before = subject.status.get("parts") or ()
    was = next((entry.get("resources", {}).get("paused") or 0 for entry in before if entry.get("name") == part), 0)
    generation, conditions = observation.field("metadata", "generation"), observation.field("status", "conditions")
    behind = is_behind({"metadata": {"generation": generation}, "status": {"conditions": conditions}})
    return max(told, was) if was and behind else told


def _counts(subject: Subject[RegionalTapSpec], assembly: Assembly, entries: list[PartStatusEntry]) -> ResourceCounts:
    """Returns the AWS resources of the region: the key's, and what the parts say of theirs."""
    parts_of_it = {kind.part for kind in PARTS}
    own = Assembly(
        tuple(item for item in assembly.emitted if item.key not in parts_of_it),
        tuple(item for item in assembly.withheld if item.key not in parts_of_it),
    )
    return total([result.counts(own, subject.observed), *(entry.resources for entry in entries)])


def _outputs(subject: Subject[RegionalTapSpec]) -> dict[str, str | None]:
    state = KeyState.of(subject)
    return {**_of_parts(subject, "outputs"), "keyId": state.key_id, "keyArn": state.arn}


def _of_parts(subject: Subject[RegionalTapSpec], field: str) -> dict[str, Any]:
    """Returns what the parts say in a field of their status, one over another."""
    found: dict[str, Any] = {}
    for kind in PARTS:
        observation = subject.observed.get(kind.part)
        said: Any = observation.field("status", field) if observation else None
        found.update(said if isinstance(said, Mapping) else {})
    return found


def _reserved(subject: Subject[RegionalTapSpec]) -> tuple[Condition, ...]:
    """Returns what the network says of the region's address range, once it does."""
    network = subject.observed.get("network")
    said = network.condition(CIDR_RESERVED) if network else None
    if said is None or said.status not in ("True", "False"):
        return ()
    return (Condition(CIDR_RESERVED, "True" if said.status == "True" else "False", said.reason, said.message),)


def _built() -> Condition:
    missing = [kind.part for kind in PARTS if kind.part not in parts.BUILT]
    if not missing:
        return parts.IS_BUILT
    return Condition(result.BUILT, "False", "PartsNotBuilt", f"This version does not build yet: {', '.join(missing)}.")
