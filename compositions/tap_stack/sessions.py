"""The table of sessions: one global table. The primary's Table owns every replica; a secondary looks at its own.

One owner, because two fight: a TableReplica beside the Table is taken away by it (05, section 3, item 8). What the
owner cannot do from its region is tag: `propagateTags` would give every replica the tags of the primary, so each
secondary tags its replica itself.
"""

import re
from typing import Any

from tap_api.base import Json
from tap_api.common import ReplicaFact, Role
from tap_api.kinds import RegionalSessionsSpec
from tap_api.naming import digest
from tap_stack import aws, names
from tap_stack.managed import Handling, managed, tags
from tap_stack.resource import Resource, Resources
from tap_stack.subject import Subject
from tap_stack.values import Unknown

TABLE = "table"
#: The key, as functions/processor reads and writes it: the id of a session, or `object#…`.
KEY = "sessionId"
NO_REPLICA = Unknown("the replica of the table in this region, which the primary region makes")


def resources(subject: Subject[RegionalSessionsSpec]) -> Resources:
    """Yields the table; in a secondary, the replica as it is looked at, and its tags."""
    if subject.spec.role is Role.SECONDARY:
        yield from _replica(subject)
    else:
        yield _table(subject)


def _table(subject: Subject[RegionalSessionsSpec]) -> Resource:
    sessions, facts, protected = subject.spec.sessions, subject.spec.facts, subject.spec.protection
    # With the first secondary and not with the first key that is known: AWS wants the stream before a replica.
    stream = {"streamEnabled": True, "streamViewType": "NEW_AND_OLD_IMAGES"} if facts.replicas else {}
    # A replica is listed once its key is known: AWS encrypts all of them with keys of ours, or none.
    known = sorted((fact for fact in facts.replicas if fact.key_arn), key=lambda fact: fact.region)
    replicas = {"replica": [_listed(fact, protected=protected) for fact in known]} if known else {}
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
            **replicas,
        },
        external_name=names.table(subject),
        handling=Handling(retained=protected),
    )


def _listed(fact: ReplicaFact, *, protected: bool) -> Json:
    """Returns a replica, with every field: one that is left out differs from what AWS shows, for ever (05, item 8)."""
    return {
        "regionName": fact.region,
        "kmsKeyArn": fact.key_arn,
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


def outputs(subject: Subject[Any]) -> dict[str, str | None]:
    """Returns the name of the table, once AWS has it."""
    observation = subject.observed.get(TABLE)
    known = observation is not None and observation.field("status", "atProvider", "arn")
    return {"tableName": observation.field("status", "atProvider", "id") if observation and known else None}


def facts(subject: Subject[Any]) -> Json:
    """Returns the replicas that AWS lists, on the primary: a secondary waits for its own."""
    observation = subject.observed.get(TABLE)
    if subject.spec.role is Role.SECONDARY or observation is None:
        return {}
    if not observation.field("status", "atProvider", "arn"):
        return {}
    listed = observation.field("status", "atProvider", "replica")
    found = {
        str(replica.get("regionName")): str(replica.get("arn"))
        for replica in (listed if isinstance(listed, list) else ())
        if replica.get("arn") and replica.get("regionName")
    }
    return {"sessionsReplicas": [{"region": region, "arn": arn} for region, arn in sorted(found.items())]}
