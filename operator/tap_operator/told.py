"""What the fan-out tells Prometheus: how it does, and what its passes find of taps."""

from prometheus_client import CollectorRegistry

from tap_operator.conditions import ConditionMetrics
from tap_operator.drift import DriftMetrics
from tap_operator.passes import Pass
from tap_operator.work import WorkMetrics
from tap_operator.workqueue import Key


class TapMetrics:
    """The numbers of one process.

    Attributes:
        work: Those of its work.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        """Args: registry: where they are shown."""
        self.work = WorkMetrics(registry)
        self._drift, self._conditions = DriftMetrics(registry), ConditionMetrics(registry)

    def found(self, key: Key, done: Pass) -> None:
        """Shows what a pass over an EnvironmentTap, or a RegionalTap that stands alone, came to."""
        what = (key.kind, key.namespace, key.name)
        self._drift.set(what, done.drifted)
        self._conditions.set(what, done.status)
