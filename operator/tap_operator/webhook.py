"""kopf's webhook server, hardened: what is not an AdmissionReview is answered 400 and a sentence, never a traceback."""

import json
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import kopf
from aiohttp import web

from tap_api.base import GROUP, VERSION, Json
from tap_api.kinds import ENVIRONMENT_TAP
from tap_operator.admission import KINDS

_LOG = logging.getLogger(__name__)
_OPERATIONS = ("CREATE", "UPDATE", "DELETE", "CONNECT")
#: Names of our kinds in URLs; whatever else is asked about was never ours to judge.
_PLURALS = tuple(kind.plural for kind in KINDS)
#: A claim that every policy lets pass.
_GOOD: Json = {
    "environment": "dev",
    "primaryRegion": "us-east-1",
    "tags": {"CostCenter": "none"},
    "regions": [{"name": "us-east-1", "cidr": "10.0.0.0/16"}],
}
#: One that none does.
_BAD: Json = {**_GOOD, "tags": {}}


class Webhook(kopf.WebhookServer):
    """Serves admission over TLS with the certificate in a folder, and takes up a renewed one without a failed request.

    Requests are bounded by aiohttp's own limit of 1 MiB; the largest legal claim is well under half of it, twice (old
    and new) included.
    """

    def __init__(self, address: str, port: int, certificates: Path, file_check_interval: float = 10.0) -> None:
        """Args: where to listen, the folder of `tls.crt` and `tls.key`, and how often to look whether they changed."""
        super().__init__(
            addr=address,
            port=port,
            certfile=certificates / "tls.crt",
            pkeyfile=certificates / "tls.key",
            file_check_interval=file_check_interval,
        )
        self._tls: tuple[bytes | None, ssl.SSLContext | None] | None = None
        self._judge: Any = None

    async def __call__(self, fn: Any) -> AsyncIterator[Any]:  # noqa: ANN401  (kopf's types for these are not public)
        """Serves, with `fn` to answer reviews."""
        async for configuration in super().__call__(fn):
            self._judge = fn
            yield configuration

    async def unready(self) -> str:
        """Returns what keeps this server from judging; empty if it just judged two claims right."""
        if self._judge is None:
            return "not listening yet"
        try:
            answers = [(await self._judge(_probe(spec)))["response"]["allowed"] for spec in (_GOOD, _BAD)]
        except Exception as error:  # noqa: BLE001  (kopf's errors are not public; whichever it is, this is not ready)
            return f"cannot judge: {error}"
        return "" if answers == [True, False] else f"misjudges a good and a bad claim: {answers}"

    def _build_ssl(self) -> tuple[bytes | None, ssl.SSLContext | None]:
        """Returns the TLS context; the last good one while certificate and key do not fit (half a renewal)."""
        try:
            self._tls = super()._build_ssl()
        except (OSError, ssl.SSLError) as error:
            if self._tls is None:
                raise
            _LOG.warning("the renewed certificate cannot be used, the old one is kept: %s", error)
        return self._tls

    @staticmethod
    async def _serve(fn: Any, request: web.Request) -> web.Response:  # noqa: ANN401
        try:
            review = json.loads(await request.text())
        except (UnicodeDecodeError, LookupError, ValueError, RecursionError):
            return _bad("the body is not JSON")
        wrong = fault(review)
        if wrong:
            return _bad(wrong)
        try:
            # Not kopf's own _serve: it takes the path for the id of a handler, and where it finds none by that id
            # (path `/` is the id ``), nobody is asked and the answer is "allowed".
            return web.json_response(await fn(review, webhook=None, headers=dict(request.headers), sslpeer=None))
        except Exception as error:  # noqa: BLE001  (kopf's errors are not public, such as a kind that is not served yet)
            _LOG.warning("cannot judge: %s", error)
            return web.json_response({"message": f"cannot judge: {error}"}, status=503)


def _probe(spec: Json) -> Json:
    return {
        "request": {
            "uid": "readiness",
            "operation": "CREATE",
            "userInfo": {},
            "resource": {"group": GROUP, "version": VERSION, "resource": ENVIRONMENT_TAP.plural},
            "object": {"metadata": {"name": "readiness"}, "spec": spec},
        }
    }


def fault(review: object) -> str:
    """Returns what keeps `review` from being an AdmissionReview about one of our kinds; empty if nothing does."""
    if not isinstance(review, Mapping) or review.get("kind") != "AdmissionReview":
        return "not an AdmissionReview"
    request = review.get("request")
    if not isinstance(request, Mapping):
        return "request is missing"
    checks = {
        "request.uid must be text": _is_text(request.get("uid")),
        f"request.operation must be one of {', '.join(_OPERATIONS)}": request.get("operation") in _OPERATIONS,
        "request.userInfo must be an object": isinstance(request.get("userInfo"), Mapping),
        f"request.resource must be one of {', '.join(_PLURALS)} in {GROUP}": _is_ours(request.get("resource")),
        "request.object must be an object with metadata": _is_object(request.get("object")),
        "request.oldObject must be an object with metadata": _is_object(request.get("oldObject")),
        "request has neither object nor oldObject": bool(request.get("object") or request.get("oldObject")),
    }
    return next((wrong for wrong, good in checks.items() if not good), "")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_ours(value: object) -> bool:
    if not isinstance(value, Mapping) or not all(_is_text(value.get(key)) for key in ("group", "version", "resource")):
        return False
    return value["group"] == GROUP and value["resource"] in _PLURALS


def _is_object(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, Mapping) and isinstance(value.get("metadata"), Mapping)


def _bad(message: str) -> web.Response:
    _LOG.info("refused a request that is no AdmissionReview of ours: %s", message)
    return web.json_response({"message": message}, status=400)
