"""The code that Lambda runs, against moto: AWS's own client, and a double of AWS behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws

from processor.api import Api
from processor.clients import Clients
from processor.health import Health
from processor.incoming import Incoming
from processor.objects import Objects
from processor.sessions import Sessions
from processor.settings import Settings

BUCKET, TABLE = "data", "sessions"


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Aws:
    """A region of moto's with a data bucket, its key and the table, and the processor that uses them."""

    clients: Clients
    s3: Any
    dynamodb: Any
    clock: Clock

    @property
    def settings(self) -> Settings:
        return Settings(table=TABLE, bucket=BUCKET)

    @property
    def objects(self) -> Objects:
        return Objects(self.clients.dynamodb, TABLE, BUCKET)

    @property
    def incoming(self) -> Incoming:
        return Incoming(self.clients.s3, self.objects)

    def api(self, settings: Settings | None = None) -> Api:
        sessions = Sessions(self.clients.dynamodb, TABLE, "expiresAt", self.clock)
        return Api(sessions, self.objects, Health(self.clients, settings or self.settings, self.clock))

    def put(self, key: str, content: bytes, content_type: str = "text/plain") -> str:
        """Puts an object and returns its version."""
        answer = self.s3.put_object(Bucket=BUCKET, Key=key, Body=content, ContentType=content_type)
        return str(answer["VersionId"])

    def items(self) -> dict[str, dict[str, Any]]:
        """Returns every item of the table, by its key."""
        return {item["sessionId"]["S"]: item for item in self.dynamodb.scan(TableName=TABLE)["Items"]}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        made, kms = _clients()
        s3: Any = made.s3
        dynamodb: Any = made.dynamodb
        key = kms.create_key()["KeyMetadata"]["Arn"]
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        s3.put_bucket_encryption(
            Bucket=BUCKET,
            ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
        )
        dynamodb.create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": "sessionId", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "sessionId", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Aws(made, s3, dynamodb, Clock())


@cache
def _clients() -> tuple[Clients, Any]:
    """Returns the clients, and one of KMS: to make them takes longer than a test. What they reach is new each time."""
    return Clients.here(), boto3.client("kms")
