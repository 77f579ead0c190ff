"""The AWS clients, typed as far as they are used."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from botocore.config import Config

#: Seconds. A health check and an API call must not wait for a network that is not there.
_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})


class Body(Protocol):
    """The content of an object, read as it comes."""

    def iter_chunks(self, chunk_size: int) -> Iterator[bytes]:
        """Yields it piece by piece."""

    def close(self) -> None:
        """Ends reading it."""


class S3(Protocol):
    """S3, as far as it is used."""

    def get_object(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 (AWS's shapes)
        """Returns an object."""

    def head_bucket(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401
        """Returns whether the bucket is there."""


class DynamoDb(Protocol):
    """DynamoDB, as far as it is used."""

    def get_item(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401
        """Returns an item."""

    def put_item(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401
        """Writes an item."""

    def delete_item(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401
        """Deletes an item."""


@dataclass(frozen=True)
class Clients:
    """The clients."""

    s3: S3
    dynamodb: DynamoDb

    @classmethod
    def here(cls) -> "Clients":
        """Returns clients of the region that the function runs in."""
        return cls(s3=boto3.client("s3", config=_CONFIG), dynamodb=boto3.client("dynamodb", config=_CONFIG))
