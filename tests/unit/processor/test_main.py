import json
import logging
from collections.abc import Iterator

import pytest

from processor import log, main
from processor.settings import Settings
from tap_api.base import Json
from unit.processor.conftest import BUCKET, TABLE, Aws
from unit.processor.test_api import request
from unit.processor.test_incoming import created, event


class Run:
    """A run of Lambda's."""

    aws_request_id = "7f3c"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TABLE_NAME", TABLE)
    monkeypatch.setenv("BUCKET_NAME", BUCKET)
    main._services.cache_clear()
    root = logging.getLogger()
    before = root.level, [(handler, handler.formatter) for handler in root.handlers]
    yield
    root.setLevel(before[0])
    for handler, formatter in before[1]:
        handler.setFormatter(formatter)
    main._services.cache_clear()


def test_events_of_s3_and_of_the_api_are_answered(aws: Aws) -> None:
    version = aws.put("incoming/a", b"x")
    assert main.handle(event(created("incoming/a", version)), Run()) == {"recorded": 1}
    answer = main.handle(request("GET /objects/{key+}", key="incoming/a"), Run())
    assert (answer["statusCode"], json.loads(answer["body"])["size"]) == (200, 1)


def test_the_event_that_s3_tries_a_notification_with_is_taken(aws: Aws) -> None:
    assert aws.items() == {}
    assert main.handle({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}, Run()) == {"test": True}


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("other", [{}, {"Event": "x"}, {"source": "aws.events"}])
def test_an_event_of_neither_is_refused(other: Json) -> None:
    with pytest.raises(ValueError, match="an event of neither S3 nor the HTTP API"):
        main.handle(other, Run())


def test_the_log_is_a_line_of_json_for_each_record() -> None:
    log.request("7f3c")
    record = logging.makeLogRecord(
        {"name": "processor", "levelname": "INFO", "msg": "a %s", "args": ("b",), "size": 3, "_frame_type": b"x"}
    )
    line = json.loads(log.JsonLines().format(record))
    assert line.pop("timestamp").endswith("+00:00")
    assert line == {"level": "INFO", "message": "a b", "requestId": "7f3c", "logger": "processor", "size": 3}


def test_an_exception_is_one_line_too() -> None:
    try:
        raise ValueError("boom")  # noqa: EM101
    except ValueError as error:
        record = logging.makeLogRecord({"msg": "m", "exc_info": (type(error), error, error.__traceback__)})
    text = log.JsonLines().format(record)
    assert "\n" not in text and "boom" in json.loads(text)["exception"]


@pytest.mark.parametrize(("level", "number"), [("DEBUG", 10), ("INFO", 20), ("WARN", 30), ("ERROR", 40), ("?", 20)])
def test_the_level_is_the_one_that_is_asked_for_and_no_client_logs_its_requests(level: str, number: int) -> None:
    log.set_up(level)
    assert logging.getLogger().level == number
    assert logging.getLogger("botocore").level == logging.WARNING


def test_settings_have_defaults_for_all_but_the_table_and_the_bucket() -> None:
    assert Settings.of_environment({"TABLE_NAME": "t", "BUCKET_NAME": "b"}) == Settings("t", "b")
    with pytest.raises(KeyError, match="TABLE_NAME"):
        Settings.of_environment({})
