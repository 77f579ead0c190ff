"""moto's server, which speaks CBOR to CloudWatch too: AWS's client for Go speaks nothing else there, and moto does not.

moto answers CloudWatch in JSON, so a request is written anew in JSON and the answer in CBOR:
https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html, https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import cbor2
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

from tap_cluster import moto_mends

_PATH = re.compile(r"/service/(\w+)/operation/(\w+)")
#: JSON has no type for a time, and gives it as seconds; CloudWatch names each so.
_TIME = re.compile(r"Timestamp$|^LastModified$")


def serve(port: int) -> None:
    """Serve on loopback, forever."""
    moto_mends.apply()
    moto = DomainDispatcherApplication(create_backend_app)
    run_simple("127.0.0.1", port, with_cbor(moto), threaded=True, request_handler=MotoRequestHandler)


def with_cbor(app: WSGIApplication) -> WSGIApplication:
    """Return what answers as `app` does, and in CBOR whoever asks in CBOR."""

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        asked = _PATH.fullmatch(environ.get("PATH_INFO", ""))
        if asked is None or environ.get("HTTP_SMITHY_PROTOCOL") != "rpc-v2-cbor":
            return app(environ, start)
        told: list[Any] = []

        def note(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:  # noqa: ANN401
            told[:] = [status, headers]
            return lambda _data: None

        said = b"".join(app(in_json(environ, *asked.groups()), note))
        status, headers = told
        body = cbor2.dumps(_timed(json.loads(said)), datetime_as_timestamp=True)
        kept = [(name, value) for name, value in headers if name.lower() not in {"content-type", "content-length"}]
        more = {"Content-Type": "application/cbor", "Content-Length": str(len(body)), "smithy-protocol": "rpc-v2-cbor"}
        start(status, [*kept, *more.items()])
        return [body]

    return answer


def in_json(environ: WSGIEnvironment, service: str, operation: str) -> WSGIEnvironment:
    """Return a request in CBOR as the same one in AWS's JSON."""
    sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    body = json.dumps(cbor2.loads(sent) if sent else {}).encode()
    return {
        **environ,
        "PATH_INFO": "/",
        "CONTENT_TYPE": "application/x-amz-json-1.0",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_AMZ_TARGET": f"{service}.{operation}",
        "wsgi.input": io.BytesIO(body),
    }


def _timed(node: Any, name: str = "") -> Any:  # noqa: ANN401
    """Return a value with its times as times."""
    if isinstance(node, dict):
        return {key: _timed(value, key) for key, value in node.items()}
    if isinstance(node, list):
        return [_timed(item) for item in node]
    return datetime.fromtimestamp(node, UTC) if isinstance(node, float) and _TIME.search(name) else node
