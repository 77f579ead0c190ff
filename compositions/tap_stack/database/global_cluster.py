"""The global database: made empty and first, then the primary joins it, then the secondaries.

Promoting a cluster that exists is the other way, and it races (terraform-provider-aws#48769).
"""

from tap_api.base import Json
from tap_stack import aws, names
from tap_stack.database import instances
from tap_stack.database.scope import ENGINE, Database
from tap_stack.documents import Text
from tap_stack.managed import Handling
from tap_stack.resource import Resources
from tap_stack.values import Unknown

GLOBAL_CLUSTER = "global-cluster"
_REGION_OF_ARN = 3
NOT_YET = Unknown("the global database, until the operator's facts say that the primary region's writer is up")


def resources(database: Database) -> Resources:
    """Yields the global database, in the primary region."""
    if not database.is_primary:
        return
    yield database.make(
        GLOBAL_CLUSTER,
        aws.DB_GLOBAL_CLUSTER,
        {
            "engine": ENGINE,
            # The one owner of the version: it upgrades every member, each in its turn.
            "engineVersion": database.spec.engine_version,
            "databaseName": database.spec.database_name,
            "storageEncrypted": True,
            "deletionProtection": database.protected,
            # Members go first and leave by themselves; one that does not is let go of, or AWS refuses for ever.
            "forceDestroy": not database.protected,
        },
        external_name=names.global_cluster(database.subject),
        handling=Handling(retained=database.protected),
    )


def identifier(database: Database) -> Text:
    """Returns the global database that this one is a member of; unknown to a secondary until its facts tell it."""
    if database.is_primary:
        return names.global_cluster(database.subject)
    fact = database.subject.spec.facts.global_cluster
    return fact.identifier if fact else NOT_YET


def writer(database: Database) -> str:
    """Returns the region whose cluster writes, as AWS says it; empty where a secondary was told of none yet.

    A person moves the writer in AWS (a switchover or a failover of the global database). Which region is the primary of
    the environment, whose objects own the global database and the table, stays what the claim says.
    """
    if database.is_secondary:
        fact = database.subject.spec.facts.global_cluster
        return fact.region if fact else ""
    observation = database.subject.observed.get(GLOBAL_CLUSTER)
    members = observation.field("status", "atProvider", "globalClusterMembers") if observation else None
    for member in members if isinstance(members, list) else ():
        if member.get("isWriter") is True:
            return _region_of(member.get("dbClusterArn"))
    return database.subject.region


def _region_of(arn: object) -> str:
    """Returns the region in an ARN of RDS: `arn:aws:rds:us-east-1:111122223333:cluster:name`."""
    words = str(arn).split(":")
    return words[3] if len(words) > _REGION_OF_ARN else ""


def facts(database: Database) -> Json:
    """Returns the fact that lets secondaries join: AWS takes none before there is an instance that writes."""
    observation = database.subject.observed.get(GLOBAL_CLUSTER)
    if not database.is_primary or observation is None:
        return {}
    version = observation.field("status", "atProvider", "engineVersionActual")
    region = writer(database)
    if not version or (region == database.subject.region and not instances.writes(database)):
        return {}
    return {
        "globalCluster": {
            "identifier": names.global_cluster(database.subject),
            "engineVersion": str(version),
            "region": region,
        }
    }
