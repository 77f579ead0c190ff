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


def facts(database: Database) -> Json:
    """Returns the fact that lets secondaries join: AWS takes none before the primary has an instance that writes."""
    observation = database.subject.observed.get(GLOBAL_CLUSTER)
    if not database.is_primary or observation is None or not instances.writes(database):
        return {}
    version = observation.field("status", "atProvider", "engineVersionActual")
    if not version:
        return {}
    return {
        "globalCluster": {
            "identifier": names.global_cluster(database.subject),
            "engineVersion": str(version),
            "region": database.subject.region,
        }
    }
