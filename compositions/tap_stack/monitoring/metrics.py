"""What is measured in a region: each metric once, for the alarms and for the dashboard.

AWS names a metric by the thing that it measures, so the names of the other parts' resources are all that is needed.
"""

from dataclasses import dataclass, replace

from tap_stack import names
from tap_stack.documents import Text
from tap_stack.monitoring.scope import Monitoring

#: Seconds that one value sums up, wherever nothing else is said.
PERIOD = 300


@dataclass(frozen=True)
class Metric:
    """A metric of CloudWatch.

    Attributes:
        namespace: Its namespace.
        name: Its name.
        dimensions: What it measures: name -> value.
        statistic: How the values of a period become one: `Sum`, `Average`, `Maximum`, or a percentile such as `p95`.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, Text], ...]
    statistic: str = "Sum"

    def by(self, statistic: str) -> "Metric":
        """Returns it with another statistic."""
        return replace(self, statistic=statistic)


@dataclass(frozen=True)
class Metrics:
    """The metrics of a region."""

    monitoring: Monitoring

    def function(self, name: str, statistic: str = "Sum") -> Metric:
        """Returns a metric of the Lambda function, all of its versions together."""
        subject = self.monitoring.subject
        return Metric("AWS/Lambda", name, (("FunctionName", names.function(subject)),), statistic)

    def api(self, name: str, statistic: str = "Sum") -> Metric:
        """Returns a metric of the HTTP API."""
        return Metric("AWS/ApiGateway", name, (("ApiId", self.monitoring.api_id),), statistic)

    def database(self, name: str, statistic: str = "Average", *, readers: bool = False) -> Metric:
        """Returns a metric of the Aurora cluster, all of its instances together, or of its readers alone."""
        role = (("Role", "READER"),) if readers else ()
        dimensions = (("DBClusterIdentifier", names.cluster(self.monitoring.subject)), *role)
        return Metric("AWS/RDS", name, dimensions, statistic)

    def table(self, name: str, statistic: str = "Sum") -> Metric:
        """Returns a metric of the sessions table in this region."""
        return Metric("AWS/DynamoDB", name, (("TableName", names.table(self.monitoring.subject)),), statistic)

    def dead_letters(self, name: str, statistic: str = "Maximum") -> Metric:
        """Returns a metric of the dead-letter queue."""
        subject = self.monitoring.subject
        return Metric("AWS/SQS", name, (("QueueName", names.dead_letters(subject)),), statistic)

    def logged(self, name: str) -> Metric:
        """Returns a metric that is drawn from a log."""
        return Metric(self.monitoring.namespace, name, ())
