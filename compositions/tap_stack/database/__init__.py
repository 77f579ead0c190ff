"""The database of a region: an Aurora MySQL Serverless v2 cluster, alone or as a member of one global database.

One file a concern. The primary of a global database owns it and writes; a secondary joins once the operator's facts say
that the writer is up, and has no name, no administrator and no password of its own.
"""

from typing import Any

from tap_api.base import Json
from tap_api.kinds import RegionalDatabaseSpec
from tap_stack.database import cluster, global_cluster, groups, instances, logs, monitoring
from tap_stack.database.scope import Database
from tap_stack.resource import Resources
from tap_stack.subject import Subject


def resources(subject: Subject[RegionalDatabaseSpec]) -> Resources:
    """Yields the resources of the database, in the order in which AWS has to make them."""
    database = Database(subject)
    yield from groups.resources(database)
    yield from logs.resources(database)
    yield from monitoring.resources(database)
    yield from global_cluster.resources(database)
    yield from cluster.resources(database)
    yield from instances.resources(database)


def outputs(subject: Subject[Any]) -> dict[str, str | None]:
    """Returns the endpoints and where the administrator's password is."""
    return cluster.outputs(Database(subject))


def facts(subject: Subject[Any]) -> Json:
    """Returns what a secondary has to know before it can join: the global database, once its writer is up."""
    return global_cluster.facts(Database(subject))
