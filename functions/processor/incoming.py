"""New objects: each is read once and recorded once, however often and in whatever order S3 tells of it."""

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from processor.clients import S3
from processor.objects import Objects, Record
from processor.summary import PIECE, summarise

logger = logging.getLogger(__name__)

#: Milliseconds that are kept for writing the record down.
_RESERVE = 3000
_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404"})


@dataclass(frozen=True)
class Created:
    """What an event says of a new object.

    Attributes:
        bucket: Its bucket.
        key: Its key.
        version: Its version; empty in a bucket without versions.
        etag: Its ETag.
        sequencer: Orders the events of one key.
        time: When it was created.
    """

    bucket: str
    key: str
    version: str
    etag: str
    sequencer: str
    time: str

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Created | None":
        """Returns what a record of an event says; None where it is of something else than a new object.

        Raises:
            ValueError: it is of no shape that S3 sends.
        """
        try:
            if not str(record["eventName"]).startswith("ObjectCreated:"):
                return None
            found = record["s3"]["object"]
            return cls(
                bucket=record["s3"]["bucket"]["name"],
                # Encoded like a form (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
                key=unquote_plus(found["key"]),
                version=found.get("versionId", ""),
                etag=found.get("eTag", ""),
                sequencer=found["sequencer"],
                time=record["eventTime"],
            )
        except (KeyError, TypeError, AttributeError) as error:
            message = f"a record that S3 would not send: {error!r}"
            raise ValueError(message) from error


class Incoming:
    """Processes events of S3."""

    def __init__(self, s3: S3, objects: Objects) -> None:
        """Args: s3: where objects are read; objects: where they are recorded."""
        self._s3 = s3
        self._objects = objects

    def process(self, event: Mapping[str, Any], remaining: Callable[[], int]) -> dict[str, int]:
        """Processes every object that `event` tells of, and returns how many came to what.

        Args:
            event: The event.
            remaining: Returns the milliseconds that are left.

        Raises:
            ValueError: a record is of no shape that S3 sends.
            botocore.exceptions.ClientError: AWS refused something. Either way Lambda tries the whole event again, and
                what was recorded is not recorded twice.
        """
        outcomes: dict[str, int] = {}
        for record in event["Records"]:
            created = Created.of(record)
            outcome = self._one(created, remaining) if created else "ignored"
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        return outcomes

    def _one(self, created: Created, remaining: Callable[[], int]) -> str:
        fields = {"bucket": created.bucket, "key": created.key, "version": created.version}
        if created.bucket != self._objects.bucket:
            logger.warning("an event of another bucket", extra=fields)
            return "ignored"
        request = {"Bucket": created.bucket, "Key": created.key}
        if created.version:
            request["VersionId"] = created.version
        try:
            found = self._s3.get_object(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            # Deleted since: nothing is left to record.
            logger.info("gone", extra=fields)
            return "gone"
        size = int(found["ContentLength"])
        with closing(found["Body"]) as body:
            summary = summarise(body.iter_chunks(PIECE), size, lambda: remaining() > _RESERVE)
        record = Record(
            key=created.key,
            version=created.version,
            etag=created.etag,
            sequencer=created.sequencer,
            created=created.time,
            size=size,
            content_type=str(found.get("ContentType", "")),
            sha256=summary.sha256,
            lines=summary.lines,
            complete=summary.complete,
        )
        outcome = "recorded" if self._objects.record(record) else "duplicate"
        logger.info(outcome, extra={**fields, "size": size, "complete": summary.complete})
        return outcome
