"""The webhook's server: kopf's admission engine answers, this listens.

Not kopf.WebhookServer: it closes its socket at each renewal of the certificate, takes the path for the id of a handler
(and allows what none has), and answers what is no AdmissionReview with a traceback.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from tap_api.base import GROUP, VERSION, Json
from tap_api.kinds import ENVIRONMENT_TAP
from tap_operator import decisions
from tap_operator.certificate import Certificate
from tap_operator.metrics import Metrics
from tap_operator.reviews import parse

_LOG = logging.getLogger(__name__)
#: A claim that every policy lets pass.
_GOOD: Json = {
    "environment": "dev",
    "primaryRegion": "us-east-1",
    "tags": {"CostCenter": "none"},
    "regions": [{"name": "us-east-1", "cidr": "10.0.0.0/16"}],
}
#: One that none does.
_BAD: Json = {**_GOOD, "tags": {}}
#: Longest sentence of an answer without a decision. Those of kopf repeat what they were sent.
_LONGEST = 300
#: Seconds between tries to judge a kind of ours that kopf does not know yet: it looks for kinds when a CRD changes, and
#: that may be before the apiserver serves them. The apiserver waits for three seconds (charts/operator).
_PAUSES = (0.1, 0.3, 0.6, 1.0)
#: Seconds for answers that are under way when the server ends.
_LAST_ORDERS = 5.0


class Webhook:
    """Serves admission over TLS with the certificate in a folder, and takes up a renewed one without a failed request.

    Requests are bounded by aiohttp's own limit of 1 MiB; the largest legal claim is well under half of it, twice (old
    and new) included.
    """

    def __init__(
        self,
        place: tuple[str, int],
        certificates: Path,
        metrics: Metrics | None = None,
        file_check_interval: float = 2.0,
        drain: float = 0.0,
    ) -> None:
        """Listens for nobody yet.

        Args:
            place: Address and port to listen at.
            certificates: Folder of `tls.crt` and `tls.key`.
            metrics: What counts the decisions.
            file_check_interval: Seconds between two looks at whether the certificate changed.
            drain: Seconds, once the end is asked for, in which reviews are answered still, each with
                `Connection: close`. An apiserver keeps its connections and sends no POST twice, so a review that meets
                the end of an idle one fails with EOF (golang/go#22158, kubernetes#127335): by then it should have none.
        """
        self.metrics = metrics or Metrics()
        self._place = place
        self._folder = certificates
        self._interval = file_check_interval
        self._drain = drain
        self._draining = False
        self._judge: Any = None

    async def __call__(self, fn: Any) -> AsyncIterator[Any]:  # noqa: ANN401  (kopf's types for these are not public)
        """Serves, with `fn` to answer reviews."""
        certificate = Certificate(self._folder)
        app = web.Application()
        app.add_routes([web.post("/{path:.*}", partial(self._answer, fn))])
        runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=_LAST_ORDERS)
        await runner.setup()
        try:
            # Replicas on one machine share the port (`make up` runs two).
            await web.TCPSite(runner, *self._place, ssl_context=certificate.context, reuse_port=True).start()
            self._judge = fn
            yield {}  # For kopf's own webhook configuration; there is none.
            await certificate.watch(self._interval)
        finally:
            self._judge = None
            self._draining = True
            await asyncio.sleep(self._drain)
            await runner.cleanup()

    async def unready(self) -> str:
        """Returns what keeps this server from judging; empty if it just judged two claims right."""
        if self._judge is None:
            return "not listening yet"
        try:
            answers = [(await self._judge(_probe(spec)))["response"]["allowed"] for spec in (_GOOD, _BAD)]
        except Exception as error:  # noqa: BLE001  (kopf's errors are not public; whichever it is, this is not ready)
            return f"cannot judge: {error}"
        return "" if answers == [True, False] else f"misjudges a good and a bad claim: {answers}"

    async def _answer(self, fn: Any, request: web.Request) -> web.Response:  # noqa: ANN401
        answer = await self._serve(fn, request)
        if self._draining:
            answer.force_close()
        return answer

    async def _serve(self, fn: Any, request: web.Request) -> web.Response:  # noqa: ANN401
        try:
            review = parse(await request.text())
        except (UnicodeDecodeError, LookupError):
            review = "the body is not JSON"
        except web.HTTPRequestEntityTooLarge:
            return self._without_decision(413, "the body is larger than 1 MiB")
        if isinstance(review, str):
            return self._without_decision(400, review)
        began, decision = time.perf_counter(), decisions.begin(review["request"])
        try:
            answer = await _patient(
                partial(fn, review, webhook=None, headers=dict(request.headers), sslpeer=None), review
            )
        except Exception as error:  # noqa: BLE001  (kopf's errors are not public, such as a kind that is not served yet)
            return self._without_decision(503, f"cannot judge: {error}"[:_LONGEST])
        seconds = time.perf_counter() - began
        decisions.tell(decision, self.metrics, allowed=answer["response"]["allowed"], seconds=seconds)
        return web.json_response(answer)

    def _without_decision(self, code: int, message: str) -> web.Response:
        self.metrics.failed(code)
        _LOG.warning("answered %d: %s", code, message)
        return web.json_response({"message": message}, status=code)


async def _patient(judge: Any, review: Json) -> Any:  # noqa: ANN401
    """Asks kopf, and again where it does not know the kind yet; what a handler raises is an answer of its own."""
    for pause in _PAUSES if review["request"]["resource"].get("version") == VERSION else ():
        try:
            return await judge()
        except Exception:  # noqa: BLE001  (kopf's errors are not public)
            await asyncio.sleep(pause)
    return await judge()


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
