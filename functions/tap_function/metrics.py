"""Prometheus metrics of the function: how often it composed what, what became of that, and how long it took."""

from prometheus_client import CollectorRegistry, Counter, Histogram, PlatformCollector, ProcessCollector
from prometheus_client import start_http_server as serve

from tap_api.kinds import XRS

#: In seconds. Crossplane waits for two minutes, the circuit breaker of a claim for much less.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_KINDS = frozenset(kind.kind for kind in XRS)
_OTHER = "other"
COMPOSED, REFUSED, FAILED = "composed", "refused", "failed"


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        """Starts them at zero."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._results = Counter(
            "tap_function_results",
            "Answers to Crossplane, by kind: composed, refused (a fault in the object), failed (a fault of ours).",
            ["kind", "result"],
            registry=self.registry,
        )
        for kind in (*sorted(_KINDS), _OTHER):
            for result in (COMPOSED, REFUSED, FAILED):
                # Told from the start: to Prometheus a first failure of what was not there is no increase.
                self._results.labels(kind, result)
        self._seconds = Histogram(
            "tap_function_render_seconds",
            "From the request to the answer.",
            ["kind"],
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def rendered(self, kind: str, result: str, seconds: float) -> None:
        """Counts an answer. A kind that is none of ours is `other`: what comes in chooses no label."""
        name = kind if kind in _KINDS else _OTHER
        self._results.labels(name, result).inc()
        self._seconds.labels(name).observe(seconds)

    def serve(self, address: str, port: int) -> None:
        """Answers Prometheus at `address`:`port`, beside what the process does.

        Raises:
            OSError: nobody can listen there.
        """
        serve(port, address, registry=self.registry)
