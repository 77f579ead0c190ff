"""The HTTP API: payloads of version 2.0 in, answers out. Who may call it is decided by API Gateway."""

import base64
import binascii
import json
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from processor import sessions
from processor.health import OK, Health
from processor.objects import Objects
from processor.sessions import Sessions

logger = logging.getLogger(__name__)

Event = Mapping[str, Any]
Answer = dict[str, Any]


class RefusedError(Exception):
    """A request that is answered with an error of the caller's.

    Attributes:
        status: Status of the answer.
        message: What is wrong with it, and what would be right.
    """

    def __init__(self, status: HTTPStatus, message: str) -> None:
        """Args: status and message."""
        super().__init__(message)
        self.status = status
        self.message = message


class Api:
    """Answers requests."""

    def __init__(self, sessions: Sessions, objects: Objects, health: Health) -> None:
        """Args: what it serves."""
        self._sessions = sessions
        self._objects = objects
        self._health = health
        #: Each of them is a Route of its own in compositions/tap_stack/processor/routes.py.
        self.routes: Mapping[str, Callable[[Event], Answer]] = {
            "GET /health": self._get_health,
            "GET /objects/{key+}": self._get_object,
            "POST /sessions": self._post_session,
            "GET /sessions/{id}": self._get_session,
            "DELETE /sessions/{id}": self._delete_session,
        }

    def answer(self, event: Event) -> Answer:
        """Returns the answer to a request. A fault of ours is logged whole and answered with one line."""
        route = str(event.get("routeKey", ""))
        try:
            handler = self.routes.get(route)
            if handler is None:
                raise RefusedError(HTTPStatus.NOT_FOUND, "no such resource")
            found = handler(event)
        except RefusedError as refused:
            found = _answer(refused.status, {"error": {"code": refused.status.name, "message": refused.message}})
        except Exception:
            logger.exception("failed", extra={"route": route})
            error = {"code": "INTERNAL_SERVER_ERROR", "message": "the request failed; the log has the cause"}
            found = _answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": error})
        logger.info("answered", extra={"route": route, "status": found["statusCode"]})
        return found

    def _get_health(self, _: Event) -> Answer:
        health = self._health.check()
        return _answer(HTTPStatus.OK if health["status"] == OK else HTTPStatus.SERVICE_UNAVAILABLE, health)

    def _get_object(self, event: Event) -> Answer:
        key = _parameter(event, "key")
        version = str((event.get("queryStringParameters") or {}).get("version", ""))
        if len(key.encode()) > 1024 or len(version) > 1024:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "key and version have at most 1,024 bytes each")
        found = self._objects.read(key, version)
        if found is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no such object was processed")
        return _answer(HTTPStatus.OK, found)

    def _post_session(self, event: Event) -> Answer:
        body = _body(event)
        unknown = sorted(set(body) - {"data", "ttlSeconds"})
        if unknown:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"unknown fields: {', '.join(unknown)}; use data and ttlSeconds")
        data, seconds = body.get("data", {}), body.get("ttlSeconds", sessions.USUAL)
        if not isinstance(data, dict):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "data must be an object")
        # True is an int to Python.
        if not isinstance(seconds, int) or isinstance(seconds, bool):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "ttlSeconds must be a whole number")
        if not sessions.SHORTEST <= seconds <= sessions.LONGEST:
            message = f"ttlSeconds must be from {sessions.SHORTEST} to {sessions.LONGEST}"
            raise RefusedError(HTTPStatus.BAD_REQUEST, message)
        return _answer(HTTPStatus.CREATED, self._sessions.create(data, seconds).shown())

    def _get_session(self, event: Event) -> Answer:
        found = self._sessions.read(_session_id(event))
        if found is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no such session, or its time is over")
        return _answer(HTTPStatus.OK, found.shown())

    def _delete_session(self, event: Event) -> Answer:
        self._sessions.delete(_session_id(event))
        return {"statusCode": HTTPStatus.NO_CONTENT.value}


def _session_id(event: Event) -> str:
    found = _parameter(event, "id")
    if not sessions.is_id(found):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the id of a session is 32 lower-case hexadecimal digits")
    return found


def _parameter(event: Event, name: str) -> str:
    found = str((event.get("pathParameters") or {}).get(name, ""))
    if not found:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"the path lacks {name}")
    return found


def _body(event: Event) -> dict[str, Any]:
    """Returns the body: an object of JSON; an empty one where there is none."""
    text = event.get("body") or "{}"
    try:
        raw = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else str(text).encode()
        if len(raw) > sessions.MOST_DATA:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has at most {sessions.MOST_DATA} bytes")
        found = json.loads(raw)
    except (binascii.Error, UnicodeError, ValueError, RecursionError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from error
    if not isinstance(found, dict):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the body must be an object")
    return found


def _answer(status: HTTPStatus, content: Mapping[str, Any]) -> Answer:
    return {
        "statusCode": status.value,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(content),
    }
