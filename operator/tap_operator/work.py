"""How the operator itself does, for Prometheus: its passes, its requests, and whether it is the one that acts."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tap_api.kinds import CIDR_BLOCK, ENVIRONMENT_TAP, REGIONAL_TAP
from tap_operator.workqueue import Key

#: In seconds. A pass over an environment of three regions takes a tenth.
_PASS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_DONE, _FAILED = "done", "failed"
_LAG = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class WorkMetrics:
    """The numbers of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Args: registry: where they are shown."""
        self._passes = Counter(
            "tap_operator_passes",
            "Passes over an object, by its kind, and whether each came to its end: done or failed.",
            ("kind", "result"),
            registry=registry,
        )
        for kind in (ENVIRONMENT_TAP, REGIONAL_TAP, CIDR_BLOCK):
            for result in (_DONE, _FAILED):
                # Told from the start: to Prometheus the first of what was not there is no increase.
                self._passes.labels(kind.kind, result)
        self._seconds = Histogram(
            "tap_operator_pass_duration_seconds", "How long a pass took.", ("kind",), buckets=_PASS, registry=registry
        )
        self._lag = Histogram(
            "tap_operator_lag_seconds",
            "From the moment that a pass was due to its beginning.",
            ("kind",),
            buckets=_LAG,
            registry=registry,
        )
        self._stuck = Gauge(
            "tap_operator_stuck_seconds", "For how long passes have been due while none ended.", registry=registry
        )
        self._requests = Counter(
            "tap_operator_requests",
            "Requests to the apiserver, by method, resource and HTTP status; 0: no answer, 409: a conflict.",
            ("method", "resource", "code"),
            registry=registry,
        )
        self._leader = Gauge(
            "tap_operator_leader", "Whether this replica holds the Lease: the one that acts.", registry=registry
        )

    def passed(self, key: Key, lag: float, seconds: float, error: Exception | None) -> None:
        """Counts a pass; see tap_operator.workqueue."""
        self._passes.labels(key.kind, _FAILED if error else _DONE).inc()
        self._lag.labels(key.kind).observe(lag)
        self._seconds.labels(key.kind).observe(seconds)

    def asked(self, method: str, resource: str, code: int) -> None:
        """Counts a request to the apiserver; see tap_operator.apiserver."""
        self._requests.labels(method, resource, str(code)).inc()

    def leads(self) -> None:
        """Shows that this replica acts."""
        self._leader.set(1)

    def watch(self, stuck_seconds: Callable[[], float]) -> None:
        """Shows, whenever it is asked for, for how long no pass has ended."""
        self._stuck.set_function(stuck_seconds)
