"""The buckets of a region: one for data, and one for the log of who reached it.

What a bucket tells of itself when objects come in (its BucketNotification) is the processor's: AWS takes it only after
the function admits S3, and the processor alone knows when that is. A bucket has one notification, so it has one owner.
"""

from typing import Any

from tap_api.kinds import RegionalStorageSpec
from tap_stack.composed import Condition
from tap_stack.resource import Resources
from tap_stack.storage import data, logs
from tap_stack.subject import Subject


def resources(subject: Subject[RegionalStorageSpec]) -> Resources:
    """Yields the buckets and everything that is set on them; the log bucket first, for the other one writes to it."""
    yield from logs.resources(subject)
    yield from data.resources(subject)


def outputs(subject: Subject[Any]) -> dict[str, str | None]:
    """Returns the name of the data bucket, once what is put into it is kept as it is to be."""
    observation = subject.observed.get(data.BUCKET)
    settled = observation and data.is_settled(subject.observed)
    return {"bucketName": observation.field("status", "atProvider", "id") if observation and settled else None}


def conditions(subject: Subject[RegionalStorageSpec]) -> tuple[Condition, ...]:
    """Returns whether the log bucket admits the region's trail, where one is made."""
    return logs.admits_trail(subject)
