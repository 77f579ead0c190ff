import base64
import json
from typing import Any

import pytest

from processor.sessions import LONGEST, MOST_DATA
from tap_api.base import Json
from tap_stack.processor.routes import ROUTES
from unit.processor.conftest import TABLE, Aws
from unit.processor.test_incoming import created, event, plenty

HEADERS = {"content-type": "application/json", "cache-control": "no-store"}


def request(route: str, body: Any = None, query: Json | None = None, **path: str) -> Json:
    """A payload of version 2.0, as far as it is read."""
    found: Json = {"version": "2.0", "routeKey": route, "requestContext": {"http": {}}, "isBase64Encoded": False}
    if path:
        found["pathParameters"] = path
    if query:
        found["queryStringParameters"] = query
    if body is not None:
        found["body"] = body if isinstance(body, str) else json.dumps(body)
    return found


def answered(answer: Json) -> tuple[int, Json]:
    assert answer["headers"] == HEADERS
    return answer["statusCode"], json.loads(answer["body"])


def test_the_routes_that_are_composed_are_the_routes_that_are_answered(aws: Aws) -> None:
    assert sorted(ROUTES.values()) == sorted(aws.api().routes)


def test_a_session_is_made_read_and_deleted(aws: Aws) -> None:
    api = aws.api()
    status, session = answered(api.answer(request("POST /sessions", {"data": {"user": "a"}, "ttlSeconds": 60})))
    assert (status, session["data"], session["expiresAt"]) == (201, {"user": "a"}, int(aws.clock.now) + 60)
    assert answered(api.answer(request("GET /sessions/{id}", id=session["sessionId"]))) == (200, session)
    assert aws.items()[session["sessionId"]]["expiresAt"] == {"N": str(session["expiresAt"])}
    for _ in range(2):
        assert api.answer(request("DELETE /sessions/{id}", id=session["sessionId"])) == {"statusCode": 204}
    assert answered(api.answer(request("GET /sessions/{id}", id=session["sessionId"])))[0] == 404


def test_a_session_without_a_body_is_empty_and_lives_an_hour(aws: Aws) -> None:
    status, session = answered(aws.api().answer(request("POST /sessions")))
    assert (status, session["data"], session["expiresAt"]) == (201, {}, int(aws.clock.now) + 3600)


def test_a_session_whose_time_is_over_is_gone_before_dynamodb_removes_it(aws: Aws) -> None:
    api = aws.api()
    _, session = answered(api.answer(request("POST /sessions", {"ttlSeconds": 60})))
    aws.clock.now += 60
    assert answered(api.answer(request("GET /sessions/{id}", id=session["sessionId"])))[0] == 404
    assert session["sessionId"] in aws.items()


def test_a_session_that_an_application_wrote_itself_is_read(aws: Aws) -> None:
    aws.dynamodb.put_item(TableName=TABLE, Item={"sessionId": {"S": "a" * 32}})
    status, session = answered(aws.api().answer(request("GET /sessions/{id}", id="a" * 32)))
    assert (status, session["data"]) == (200, {})


def test_a_body_may_come_in_base64(aws: Aws) -> None:
    body = base64.b64encode(b'{"data":{"a":1}}').decode()
    status, session = answered(aws.api().answer({**request("POST /sessions", body), "isBase64Encoded": True}))
    assert (status, session["data"]) == (201, {"a": 1})


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("{", 400, "the body is not JSON"),
        ("[" * 50_000, 400, "the body is not JSON"),
        ("[]", 400, "the body must be an object"),
        ({"data": []}, 400, "data must be an object"),
        ({"ttlSeconds": "60"}, 400, "ttlSeconds must be a whole number"),
        ({"ttlSeconds": True}, 400, "ttlSeconds must be a whole number"),
        ({"ttlSeconds": 59}, 400, f"ttlSeconds must be from 60 to {LONGEST}"),
        ({"ttlSeconds": LONGEST + 1}, 400, f"ttlSeconds must be from 60 to {LONGEST}"),
        ({"z": 1, "a": 1}, 400, "unknown fields: a, z; use data and ttlSeconds"),
        ({"data": {"a": "x" * MOST_DATA}}, 413, f"the body has at most {MOST_DATA} bytes"),
    ],
)
def test_a_body_that_is_wrong_is_refused_with_what_would_be_right(
    aws: Aws, body: Any, status: int, message: str
) -> None:
    found, answer = answered(aws.api().answer(request("POST /sessions", body)))
    assert (found, answer["error"]["message"]) == (status, message)
    assert aws.items() == {}


def test_a_body_that_is_not_base64_is_refused(aws: Aws) -> None:
    answer = aws.api().answer({**request("POST /sessions", "?"), "isBase64Encoded": True})
    assert answered(answer)[0] == 400


@pytest.mark.parametrize(
    "session", ["", "object#data/incoming/a", "version#data/a#v", "A" * 32, "a" * 31, "a" * 33, "health#", "../x"]
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_nothing_but_a_session_can_be_named_as_one(aws: Aws, method: str, session: str) -> None:
    assert answered(aws.api().answer(request(f"{method} /sessions/{{id}}", id=session)))[0] == 400


def test_a_processed_object_is_shown_and_its_versions_too(aws: Aws) -> None:
    old, new = aws.put("incoming/a b", b"1"), aws.put("incoming/a b", b"22")
    records = created("incoming/a+b", old, "01"), created("incoming/a+b", new, "02")
    aws.incoming.process(event(*records), plenty)
    api = aws.api()
    status, newest = answered(api.answer(request("GET /objects/{key+}", key="incoming/a b")))
    assert (status, newest["version"], newest["size"]) == (200, new, 2)
    _, older = answered(api.answer(request("GET /objects/{key+}", key="incoming/a b", query={"version": old})))
    assert (older["version"], older["size"]) == (old, 1)


@pytest.mark.parametrize(
    ("key", "query", "status"),
    [("incoming/none", None, 404), ("", None, 400), ("k" * 1025, None, 400), ("k", {"version": "v" * 1025}, 400)],
)
def test_an_object_that_was_not_processed_is_not_found(aws: Aws, key: str, query: Json | None, status: int) -> None:
    assert answered(aws.api().answer(request("GET /objects/{key+}", key=key, query=query)))[0] == status


@pytest.mark.parametrize("route", ["$default", "GET /", "", "PUT /sessions"])
def test_a_route_that_is_none_is_not_found(aws: Aws, route: str) -> None:
    assert answered(aws.api().answer(request(route)))[0] == 404


def test_a_fault_of_ours_is_answered_without_its_cause(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    aws.dynamodb.delete_table(TableName=TABLE)
    status, answer = answered(aws.api().answer(request("POST /sessions")))
    assert (status, answer["error"]["message"]) == (500, "the request failed; the log has the cause")
    assert "ResourceNotFoundException" in caplog.text
