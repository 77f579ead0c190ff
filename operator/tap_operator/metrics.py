"""Prometheus metrics of admission, on a port of their own: whoever may scrape need not reach the webhook.

Every label has few values, whatever is sent: kinds and operations are ours, status codes are those of the webhook, and
rules those of tap_api.policy.
"""

from collections.abc import Iterable

from aiohttp import web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from tap_operator.listener import Listener

#: In seconds. The apiserver waits for three.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3)

#: Kind and operation of what could not be judged.
_UNDECIDED = ("", "")


class Metrics(Listener):
    """The metrics of one process, and `/metrics` that serves them."""

    def __init__(self) -> None:
        """Starts them at zero."""
        super().__init__(web.get("/metrics", self._answer))
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._decisions = Counter(
            "tap_admission_decisions",
            "Answers to AdmissionReviews: by kind and operation (empty where the request is no review of ours), HTTP "
            "status of the verdict, and whether the object was let pass.",
            ["kind", "operation", "code", "allowed"],
            registry=self.registry,
        )
        # Told from the start: to Prometheus the first of what was not there is no increase.
        self._decisions.labels(*_UNDECIDED, "503", "false")
        self._violations = Counter(
            "tap_admission_violations", "Refused objects, by the rule that they break.", ["kind", "rule"],
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "tap_admission_duration_seconds",
            "From the whole request to the answer.",
            ["operation"],
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def decided(self, kind: str, operation: str, rules: Iterable[str], *, allowed: bool, seconds: float) -> None:
        """Counts a decision."""
        self._decisions.labels(kind, operation, "200" if allowed else "422", str(allowed).lower()).inc()
        self._seconds.labels(operation).observe(seconds)
        for rule in rules:
            self._violations.labels(kind, rule).inc()

    def failed(self, code: int) -> None:
        """Counts a request that was answered without a decision."""
        self._decisions.labels(*_UNDECIDED, str(code), "false").inc()

    async def _answer(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
