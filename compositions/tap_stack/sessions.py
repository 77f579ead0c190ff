"""The table of sessions: one global table. The primary's Table owns every replica; a secondary looks at its own.

One owner, because two fight: a TableReplica beside the Table is taken away by it (05, section 3, item 8). What the
owner cannot do from its region is tag: `propagateTags` would give every replica the tags of the primary, so each
secondary tags its replica itself.
"""

import re
from typing import Any

from tap_api.base import Json
from tap_api.common import Role
from tap_api.kinds import RegionalSessionsSpec
from tap_api.naming import digest
from tap_stack import aws, names
from tap_stack.composed import Condition
from tap_stack.managed import Handling, managed, tags
from tap_stack.resource import Resource, Resources
from tap_stack.subject import Subject
from tap_stack.values import Unknown

TABLE = "table"
#: The key, as functions/processor reads and writes it: the id of a session, `object#…` or `version#…`.
KEY = "sessionId"
REPLICAS_KEPT = "ReplicasKept"
NO_REPLICA = Unknown("the replica of the table in this region, which the primary region makes")


def resources(subject: Subject[RegionalSessionsSpec]) -> Resources:
    """Yields the table; in a secondary, the replica as it is looked at, and its tags."""
    if subject.spec.role is Role.SECONDARY:
        yield from _replica(subject)
    else:
        yield _table(subject)


def _table(subject: Subject[RegionalSessionsSpec]) -> Resource:
    sessions, protected, replicas = subject.spec.sessions, subject.spec.protection, _replicas(subject)
    # With the first secondary and not with the first key that is known: AWS wants the stream before a replica.
    streams = bool(subject.spec.facts.replicas or replicas)
    stream = {"streamEnabled": True, "streamViewType": "NEW_AND_OLD_IMAGES"} if streams else {}
    return managed(
        subject,
        TABLE,
        aws.TABLE,
        {
            "billingMode": "PAY_PER_REQUEST",
            "tableClass": "STANDARD",
            "hashKey": KEY,
            "attribute": [{"name": KEY, "type": "S"}],
            "ttl": {"attributeName": sessions.ttl_attribute, "enabled": True},
            "pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": sessions.recovery_days},
            # By ARN: there is no reference, and a key's id is not what AWS wants here (05, section 1.1).
            "serverSideEncryption": {"enabled": True, "kmsKeyArn": subject.key_arn},
            "deletionProtectionEnabled": protected,
            **stream,
            **({"replica": replicas} if replicas else {}),
        },
        external_name=names.table(subject),
        handling=Handling(retained=protected),
    )


def _replicas(subject: Subject[RegionalSessionsSpec]) -> list[Json]:
    """Returns the replicas, by region: those of the facts, and those that may not go yet."""
    # A replica is listed once its key is known: AWS encrypts all of them with keys of ours, or none.
    known = {fact.region: fact.key_arn for fact in subject.spec.facts.replicas if fact.key_arn}
    # The one that is there keeps its key: for another one the provider deletes it and makes it anew
    # (terraform-provider-aws, internal/service/dynamodb/table.go: updateReplica).
    keys = {**known, **_kept(subject)}
    return [_listed(region, key, protected=subject.spec.protection) for region, key in sorted(keys.items())]


def _kept(subject: Subject[RegionalSessionsSpec]) -> dict[str, str]:
    """Returns the keys of the replicas that may not go yet, by region, whether that has gone or not.

    What leaves the list AWS deletes, "the replica and all of its items" (ReplicationGroupUpdate in DynamoDB's API). So
    a replica stays while it is protected, and then until AWS shows that it is not: before, AWS deletes none. What a
    person has deleted in AWS since its region has gone is not made again; silence tells nothing.
    """
    asked = _by_region(subject, "spec", "forProvider", "replica")
    there = _by_region(subject, "status", "atProvider", "replica") if _is_known(subject) else asked
    return {
        region: (asked.get(region) or replica)["kmsKeyArn"]
        for region, replica in there.items()
        if replica.get("deletionProtectionEnabled") or (subject.spec.protection and region in asked)
    }


def _by_region(subject: Subject[Any], *path: str) -> dict[str, Json]:
    """Returns the replicas at a path of the table, as it is observed, by region; those of a key of ours."""
    observation = subject.observed.get(TABLE)
    listed = observation.field(*path) if observation else None
    replicas = listed if isinstance(listed, list) else ()
    return {str(item["regionName"]): item for item in replicas if item.get("regionName") and item.get("kmsKeyArn")}


def _is_known(subject: Subject[Any]) -> bool:
    """Returns whether AWS has the table, as far as the provider says."""
    observation = subject.observed.get(TABLE)
    return bool(observation and observation.field("status", "atProvider", "arn"))


def _listed(region: str, key_arn: str, *, protected: bool) -> Json:
    """Returns a replica, with every field: one that is left out differs from what AWS shows, for ever (05, item 8)."""
    return {
        "regionName": region,
        "kmsKeyArn": key_arn,
        "consistencyMode": "EVENTUAL",
        "deletionProtectionEnabled": protected,
        "pointInTimeRecovery": True,
        "propagateTags": False,
    }


def _replica(subject: Subject[RegionalSessionsSpec]) -> Resources:
    fact = subject.spec.facts.sessions_table
    yield managed(
        subject,
        TABLE,
        aws.TABLE,
        {},
        external_name=names.table(subject),
        handling=Handling(observed=True, after=() if fact else (NO_REPLICA,)),
    )
    for key, value in tags(subject).items():
        yield managed(
            subject,
            _tag_key(key),
            aws.TABLE_TAG,
            {"resourceArn": fact.arn if fact else NO_REPLICA, "key": key, "value": value},
        )


def _tag_key(tag: str) -> str:
    """Returns the key of a tag's resource: tags tell capitals apart and hold what no object's name takes."""
    readable = re.sub(r"[^a-z0-9]+", "-", tag.lower()).strip("-")[:20].strip("-")
    return "-".join(word for word in ("tag", readable, digest(tag)) if word)


def conditions(subject: Subject[RegionalSessionsSpec]) -> tuple[Condition, ...]:
    """Returns, on the primary, whether replicas of regions that have gone are still there."""
    if subject.spec.role is Role.SECONDARY:
        return ()
    left = sorted(_kept(subject).keys() - {fact.region for fact in subject.spec.facts.replicas})
    if not left:
        return (Condition(REPLICAS_KEPT, "False", "NoneKept"),)
    those = f"the table's replica in {', '.join(left)} stays in AWS though its region has gone"
    if subject.spec.protection:
        return (Condition(REPLICAS_KEPT, "True", "Protected", f"{those}; it goes once `spec.protection` is false"),)
    return (Condition(REPLICAS_KEPT, "True", "Leaving", f"{those}; it goes once AWS shows that nothing protects it"),)


def outputs(subject: Subject[Any]) -> dict[str, str | None]:
    """Returns the name of the table, once AWS has it."""
    observation = subject.observed.get(TABLE)
    known = observation is not None and _is_known(subject)
    return {"tableName": observation.field("status", "atProvider", "id") if observation and known else None}


def facts(subject: Subject[Any]) -> Json:
    """Returns the replicas that AWS lists, on the primary: a secondary waits for its own."""
    observation = subject.observed.get(TABLE)
    if subject.spec.role is Role.SECONDARY or observation is None or not _is_known(subject):
        return {}
    listed = observation.field("status", "atProvider", "replica")
    found = {
        str(replica.get("regionName")): str(replica.get("arn"))
        for replica in (listed if isinstance(listed, list) else ())
        if replica.get("arn") and replica.get("regionName")
    }
    return {"sessionsReplicas": [{"region": region, "arn": arn} for region, arn in sorted(found.items())]}
