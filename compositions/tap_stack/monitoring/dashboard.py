"""The dashboard of a region: one row a service, what is asked of it on the left, what goes wrong on the right."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tap_api.base import Json
from tap_stack import aws, names
from tap_stack.documents import Text, first_unknown
from tap_stack.monitoring import alarms, logs
from tap_stack.monitoring.metrics import PERIOD, Metric, Metrics
from tap_stack.monitoring.scope import Monitoring
from tap_stack.resource import Resources

#: A dashboard is 24 columns wide.
_WIDTH = 24
_HEIGHT = 6


@dataclass(frozen=True)
class Graph:
    """A widget that draws metrics.

    Attributes:
        title: Its title.
        metrics: What it draws.
    """

    title: str
    metrics: tuple[Metric, ...]


def resources(monitoring: Monitoring) -> Resources:
    """Yields the dashboard."""
    yield monitoring.make(
        "dashboard",
        aws.DASHBOARD,
        {"dashboardBody": body(monitoring)},
        external_name=monitoring.subject.account_name(),
    )


def body(monitoring: Monitoring) -> Text:
    """Returns the dashboard as CloudWatch takes it; unknown while the account is, for it lists alarms by ARN.

    A row of something whose id AWS has not given yet is left out until then.
    """
    listed = [
        monitoring.arn("cloudwatch", f"alarm:{alarms.name(monitoring, alarm.key)}")
        for alarm in alarms.alarms(monitoring)
    ]
    unknown = first_unknown(*listed)
    if unknown:
        return unknown
    widgets = [
        {"type": "alarm", **_place(0, 0, _WIDTH, 4), "properties": {"title": "Alarms", "alarms": listed}},
        *_rows(monitoring, 4),
    ]
    return json.dumps({"widgets": widgets}, sort_keys=True, separators=(",", ":"))


def rows(monitoring: Monitoring) -> Iterator[tuple[Graph, ...]]:
    """Yields the graphs of each row."""
    metrics = Metrics(monitoring)
    yield (
        Graph("Processor: runs", tuple(map(metrics.function, ("Invocations", "Errors", "Throttles")))),
        Graph("Processor: duration in ms", tuple(metrics.function("Duration", by) for by in ("p50", "p95", "Maximum"))),
        Graph(
            "Processor: what it could not do",
            (
                metrics.logged(logs.PROCESSOR_ERRORS),
                metrics.function("DeadLetterErrors"),
                metrics.dead_letters("ApproximateNumberOfMessagesVisible"),
            ),
        ),
    )
    yield (
        Graph("API: requests", tuple(map(metrics.api, ("Count", "4xx", "5xx")))),
        Graph("API: latency in ms", tuple(metrics.api("Latency", by) for by in ("p50", "p95", "p99"))),
    )
    lag = (metrics.database("AuroraReplicaLag", "Maximum", readers=True),)
    across = (metrics.database("AuroraGlobalDBReplicationLag", "Maximum"),) if monitoring.replicates else ()
    yield (
        Graph("Database: CPU in percent", (metrics.database("CPUUtilization"),)),
        Graph(
            "Database: capacity in ACU and connections",
            (metrics.database("ServerlessDatabaseCapacity", "Maximum"), metrics.database("DatabaseConnections", "Sum")),
        ),
        Graph("Database: lag in ms", (*lag, *across)),
    )
    table = ("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits")
    throttles = ("ReadThrottleEvents", "WriteThrottleEvents", "SystemErrors")
    yield (
        Graph("Sessions: capacity used", tuple(map(metrics.table, table))),
        Graph("Sessions: throttles and errors", tuple(map(metrics.table, throttles))),
        Graph(
            "Turned away: packets and logins",
            tuple(metrics.logged(name) for name in logs.filters(monitoring) if name != logs.PROCESSOR_ERRORS),
        ),
    )


def _rows(monitoring: Monitoring, top: int) -> Iterator[Json]:
    for graphs in rows(monitoring):
        if first_unknown(*(value for graph in graphs for metric in graph.metrics for _, value in metric.dimensions)):
            continue
        width = _WIDTH // len(graphs)
        for i, graph in enumerate(graphs):
            yield _graph(monitoring, graph, _place(i * width, top, width))
        top += _HEIGHT
    yield {
        "type": "log",
        **_place(0, top, _WIDTH),
        "properties": {
            "title": "Processor: latest errors",
            "region": monitoring.subject.region,
            "view": "table",
            "query": f"SOURCE '{names.function_log_group(monitoring.subject)}'"
            ' | fields @timestamp, @message | filter level = "ERROR" | sort @timestamp desc | limit 50',
        },
    }


def _graph(monitoring: Monitoring, graph: Graph, place: Json) -> Json:
    return {
        "type": "metric",
        **place,
        "properties": {
            "title": graph.title,
            "region": monitoring.subject.region,
            "view": "timeSeries",
            "period": PERIOD,
            "metrics": [_line(metric) for metric in graph.metrics],
        },
    }


def _line(metric: Metric) -> list[object]:
    dimensions: Iterable[Text] = (word for pair in metric.dimensions for word in pair)
    return [metric.namespace, metric.name, *dimensions, {"stat": metric.statistic}]


def _place(x: int, y: int, width: int, height: int = _HEIGHT) -> Json:
    return {"x": x, "y": y, "width": width, "height": height}
