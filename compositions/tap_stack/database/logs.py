"""The log groups of the exports: made before the cluster, or RDS makes them, without a key and kept for ever."""

from tap_stack import aws, names
from tap_stack.database.scope import Database
from tap_stack.resource import Resources


def keys(database: Database) -> tuple[str, ...]:
    """Returns the keys of the log groups."""
    return tuple(f"log-group-{export}" for export in database.exports)


def resources(database: Database) -> Resources:
    """Yields a log group for each export."""
    for key, export in zip(keys(database), database.exports, strict=True):
        yield database.make(
            key,
            aws.LOG_GROUP,
            {"retentionInDays": database.spec.log_retention_days, "kmsKeyId": database.subject.key_arn},
            external_name=names.cluster_log_group(database.subject, export),
        )
