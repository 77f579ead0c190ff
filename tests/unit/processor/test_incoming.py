import hashlib
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from processor.incoming import Created, Incoming
from processor.objects import Record
from processor.sessions import is_id
from tap_api.base import Json
from unit.processor.conftest import BUCKET, Aws

TEXT = b"one\ntwo\nthree"
Fake = Callable[..., Any]


def plenty() -> int:
    return 30_000


def event(*records: Json) -> Json:
    return {"Records": list(records)}


def created(key: str, version: str, sequencer: str = "0055AED6DCD90281E5", **changes: Any) -> Json:
    """A record as S3 sends it."""
    found = {"key": key, "size": 13, "eTag": "d41d8cd9", "versionId": version, "sequencer": sequencer}
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-24T10:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": BUCKET, "arn": f"arn:aws:s3:::{BUCKET}"}, "object": found},
        **changes,
    }


def without_time(item: Json) -> Json:
    return {name: value for name, value in item.items() if name != "processed"}


def test_a_new_object_is_summarised_and_recorded(aws: Aws) -> None:
    version = aws.put("incoming/a b.txt", TEXT)
    assert aws.incoming.process(event(created("incoming/a+b.txt", version)), plenty) == {"recorded": 1}
    found = aws.objects.read("incoming/a b.txt")
    assert found and without_time(found) == {
        "objectKey": "incoming/a b.txt",
        "version": version,
        "etag": "d41d8cd9",
        "created": "2026-11-24T10:00:00.000Z",
        "contentType": "text/plain",
        "size": 13,
        "sha256": hashlib.sha256(TEXT).hexdigest(),
        "lines": 3,
        "complete": True,
    }
    assert set(aws.items()) == {"object#data/incoming/a b.txt", f"version#data/incoming/a b.txt#{version}"}


def test_what_is_delivered_twice_is_recorded_once(aws: Aws) -> None:
    record = created("incoming/a", aws.put("incoming/a", TEXT))
    assert aws.incoming.process(event(record), plenty) == {"recorded": 1}
    before = aws.items()
    assert aws.incoming.process(event(record), plenty) == {"duplicate": 1}
    assert aws.incoming.process(event(record, record), plenty) == {"duplicate": 2}
    assert aws.items() == before


def test_two_deliveries_in_one_event_are_recorded_once(aws: Aws) -> None:
    record = created("incoming/a", aws.put("incoming/a", TEXT))
    assert aws.incoming.process(event(record, record), plenty) == {"recorded": 1, "duplicate": 1}


def test_the_newest_version_is_shown_whatever_order_events_come_in(aws: Aws) -> None:
    old, new = aws.put("incoming/a", b"old"), aws.put("incoming/a", b"newer")
    # The shorter sequencer is the smaller one only once zeros are put on its right.
    first, second = created("incoming/a", old, "0055AE"), created("incoming/a", new, "0055AE01")
    assert aws.incoming.process(event(second, first, second, first), plenty) == {"recorded": 2, "duplicate": 2}
    newest, older = aws.objects.read("incoming/a"), aws.objects.read("incoming/a", old)
    assert newest and (newest["version"], newest["size"]) == (new, 5)
    assert older and (older["version"], older["size"]) == (old, 3)


def test_the_record_of_a_version_is_not_that_of_an_object_whose_key_looks_like_it(aws: Aws) -> None:
    version = aws.put("incoming/a", TEXT)
    aws.incoming.process(event(created("incoming/a", version)), plenty)
    before = aws.objects.read("incoming/a", version)
    alike = f"incoming/a#{version}"
    other = aws.put(alike, b"other")
    assert aws.incoming.process(event(created(f"incoming/a%23{version}", other, "1")), plenty) == {"recorded": 1}
    assert before and aws.objects.read("incoming/a", version) == before
    assert len(aws.items()) == 4
    assert [found and found["objectKey"] for found in (aws.objects.read(alike), aws.objects.read(alike, other))] == [
        alike,
        alike,
    ]
    assert aws.objects.read("incoming/a", f"{version}#{other}") is None


def test_a_run_that_ended_between_its_two_writes_is_finished_by_the_next(aws: Aws) -> None:
    record = created("incoming/a", aws.put("incoming/a", TEXT))
    aws.incoming.process(event(record), plenty)
    aws.dynamodb.delete_item(TableName="sessions", Key={"sessionId": {"S": "object#data/incoming/a"}})
    assert aws.incoming.process(event(record), plenty) == {"duplicate": 1}
    assert aws.objects.read("incoming/a") is not None


def test_a_version_that_is_gone_is_not_tried_again(aws: Aws) -> None:
    version = aws.put("incoming/a", TEXT)
    aws.s3.delete_object(Bucket=BUCKET, Key="incoming/a", VersionId=version)
    aws.put("incoming/b", TEXT)
    assert aws.incoming.process(event(created("incoming/a", version), created("incoming/c", "")), plenty) == {"gone": 2}
    assert aws.items() == {}


def test_events_of_another_bucket_or_of_another_kind_are_left_alone(aws: Aws) -> None:
    elsewhere = created("incoming/a", "v", s3={**created("a", "v")["s3"], "bucket": {"name": "other"}})
    removed = created("incoming/a", "v", eventName="ObjectRemoved:Delete")
    assert aws.incoming.process(event(elsewhere, removed), plenty) == {"ignored": 2}


def test_one_that_is_not_versioned_is_told_apart_by_its_etag_and_sequencer() -> None:
    def record(etag: str) -> Record:
        return Record("k", "", etag, "01", "t", 1, "", None, None, complete=False)

    names: list[str] = []

    class Table:
        """Takes everything."""

        def put_item(self, **request: Any) -> Json:
            names.append(request["Item"]["sessionId"]["S"])
            return {}

        get_item = delete_item = put_item

    from processor.objects import Objects

    objects = Objects(Table(), "t", "b")
    assert objects.record(record("e1")) and objects.record(record("e2"))
    assert names == ["version#b/k#e1-01", "object#b/k", "version#b/k#e2-01", "object#b/k"]


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"eventName": "ObjectCreated:Put"},
        {"eventName": "ObjectCreated:Put", "s3": None},
        "text",
        created("a", "v") | {"s3": {"object": {}}},
    ],
)
def test_a_record_that_s3_would_not_send_is_refused(record: Any) -> None:
    with pytest.raises(ValueError, match="a record that S3 would not send"):
        Created.of(record)


def test_what_aws_refuses_is_raised_so_that_lambda_tries_again(aws: Aws) -> None:
    record = created("incoming/a", aws.put("incoming/a", TEXT))
    boto3.client("dynamodb").delete_table(TableName="sessions")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws.incoming.process(event(record), plenty)


def test_what_s3_refuses_is_raised_so_that_lambda_tries_again(aws: Aws) -> None:
    class Refusing:
        """Refuses."""

        def get_object(self, **_: Any) -> Json:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")

        head_bucket = get_object

    with pytest.raises(ClientError, match="AccessDenied"):
        Incoming(Refusing(), aws.objects).process(event(created("incoming/a", "v")), plenty)


def test_an_object_that_takes_too_long_is_recorded_as_not_read_whole(aws: Aws) -> None:
    content = b"x" * 600_000
    record = created("incoming/a", aws.put("incoming/a", content))
    assert aws.incoming.process(event(record), lambda: 100) == {"recorded": 1}
    found = aws.objects.read("incoming/a")
    assert found and (found["complete"], found["size"], "sha256" in found, "lines" in found) == (
        False,
        600_000,
        False,
        False,
    )


def test_no_name_of_an_object_can_be_the_id_of_a_session() -> None:
    assert not is_id("object#data/incoming/a")
    assert json.dumps(is_id("0" * 32)) == "true"
