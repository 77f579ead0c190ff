"""Processed objects, in the same table as sessions: their keys begin with a word and `#`, which no session's does.

Two items each. `version#…` for the version: written once, and never again. `object#…` for the key: the newest version,
whatever order the events come in. Both writes are conditional, so to do everything twice changes nothing. The words
differ, for an object may be called like another one, `#` and its version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from processor.clients import DynamoDb

#: Name of the table's key.
KEY = "sessionId"
#: Sequencers of one key are compared once the shorter is filled with zeros on its right
#: (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
_SEQUENCER = 64


@dataclass(frozen=True)
class Record:
    """A processed object.

    Attributes:
        key: Its key.
        version: Its version; empty in a bucket without versions.
        etag: Its ETag.
        sequencer: Orders the events of one key.
        created: When it was created.
        size: Its bytes.
        content_type: Its media type, as the one who wrote it says.
        sha256: Digest of its content; None where not all of it was read.
        lines: Lines of a text; None where it is none.
        complete: Whether all of it was read.
    """

    key: str
    version: str
    etag: str
    sequencer: str
    created: str
    size: int
    content_type: str
    sha256: str | None
    lines: int | None
    complete: bool

    def item(self) -> dict[str, Any]:
        """Returns its attributes, as DynamoDB has them."""
        texts = {
            "objectKey": self.key,
            "version": self.version,
            "etag": self.etag,
            "sequencer": self.sequencer.ljust(_SEQUENCER, "0"),
            "created": self.created,
            "contentType": self.content_type,
            "sha256": self.sha256,
        }
        numbers = {"size": self.size, "lines": self.lines}
        return {
            **{name: {"S": text} for name, text in texts.items() if text},
            **{name: {"N": str(number)} for name, number in numbers.items() if number is not None},
            "complete": {"BOOL": self.complete},
        }


class Objects:
    """The processed objects of a bucket."""

    def __init__(self, dynamodb: DynamoDb, table: str, bucket: str) -> None:
        """Args: dynamodb: the client; table and bucket: their names."""
        self._dynamodb = dynamodb
        self._table = table
        self.bucket = bucket

    def record(self, record: Record) -> bool:
        """Records an object; returns False where it was recorded before.

        The newest version is written down even then: the run before may have ended between the two.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        item = {**record.item(), "processed": {"S": now}}
        version = record.version or f"{record.etag}-{record.sequencer}"
        first = self._put(self._version(record.key, version), item, f"attribute_not_exists({KEY})", {})
        self._put(
            self._newest(record.key),
            item,
            f"attribute_not_exists({KEY}) OR sequencer < :sequencer",
            {":sequencer": item["sequencer"]},
        )
        return first

    def read(self, key: str, version: str = "") -> dict[str, Any] | None:
        """Returns what is recorded of a key's newest version, or of `version`; None where nothing is."""
        name = self._version(key, version) if version else self._newest(key)
        found = self._dynamodb.get_item(TableName=self._table, Key={KEY: {"S": name}}, ConsistentRead=True)
        item = found.get("Item")
        # No version of S3's holds a `#`; what is asked for may, and would be another object's.
        return _shown(item) if item and item["objectKey"]["S"] == key else None

    # The bucket too: the table is one in all regions, and each region has its own bucket. At most 2,048 bytes.
    def _newest(self, key: str) -> str:
        return f"object#{self.bucket}/{key}"

    def _version(self, key: str, version: str) -> str:
        return f"version#{self.bucket}/{key}#{version}"

    def _put(self, name: str, item: dict[str, Any], condition: str, values: dict[str, Any]) -> bool:
        request: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
        try:
            self._dynamodb.put_item(
                TableName=self._table, Item={KEY: {"S": name}, **item}, ConditionExpression=condition, **request
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _shown(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Returns an item as the API shows it: without the table's key and what only orders events."""
    readers = {"S": str, "N": int, "BOOL": bool}
    return {
        name: readers[kind](value)
        for name, typed in sorted(item.items())
        if name not in (KEY, "sequencer")
        for kind, value in typed.items()
    }
