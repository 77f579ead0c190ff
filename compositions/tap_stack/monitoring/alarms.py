"""The alarms: what is bad, since when, and whom it tells.

Every alarm says what a period without data means, for CloudWatch's own answer (`missing`: the state stays what it was)
is wrong where nothing happened, and right where a database is silent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tap_api.base import Json
from tap_stack import aws
from tap_stack.monitoring.metrics import PERIOD, Metric, Metrics
from tap_stack.monitoring.scope import Monitoring
from tap_stack.resource import Resources

#: No data: nothing was asked of it, so nothing is wrong.
QUIET: Literal["notBreaching"] = "notBreaching"
#: No data: not known.
SILENT: Literal["missing"] = "missing"


@dataclass(frozen=True)
class Alarm:
    """An alarm.

    Attributes:
        key: Its key, without `alarm-`.
        description: What happened, for whoever is woken by it.
        metrics: What it looks at; several are added up.
        threshold: The value from which on it is bad.
        periods: How many periods in a row it has to be bad.
        no_data: What a period without data means.
    """

    key: str
    description: str
    metrics: tuple[Metric, ...]
    threshold: float
    periods: int = 1
    no_data: Literal["notBreaching", "missing"] = QUIET


def alarms(monitoring: Monitoring) -> Iterator[Alarm]:
    """Yields the alarms of a region."""
    metrics, limits, subject = Metrics(monitoring), monitoring.spec.alarms, monitoring.subject
    timeout = subject.spec.processor.timeout_seconds
    capacity = subject.spec.database.max_capacity
    yield Alarm(
        "lambda-errors",
        "The processor failed; its log says why.",
        (metrics.function("Errors"),),
        limits.lambda_errors,
    )
    yield Alarm(
        "lambda-throttles",
        "AWS refused to run the processor: its concurrency, or the account's, is used up.",
        (metrics.function("Throttles"),),
        1,
    )
    yield Alarm(
        "lambda-duration",
        f"The processor's p95 came to {limits.lambda_duration_percent} percent of its timeout of {timeout} s.",
        (metrics.function("Duration", "p95"),),
        timeout * 1000 * limits.lambda_duration_percent / 100,
        periods=3,
    )
    yield Alarm(
        "lambda-lost-events",
        "An event that the processor could not process did not reach the dead-letter queue either; it is lost.",
        (metrics.function("DeadLetterErrors"),),
        1,
    )
    yield Alarm(
        "dead-letters",
        "Events that the processor could not process wait in the dead-letter queue.",
        (metrics.dead_letters("ApproximateNumberOfMessagesVisible"),),
        limits.dead_letters,
    )
    yield Alarm("api-5xx", "The API answered with 5xx.", (metrics.api("5xx"),), limits.api_5xx)
    yield Alarm(
        "api-latency",
        f"The API's p95 latency came to {limits.api_latency_ms} ms.",
        (metrics.api("Latency", "p95"),),
        limits.api_latency_ms,
        periods=3,
    )
    yield Alarm(
        "database-cpu",
        f"The database's CPU came to {limits.database_cpu_percent} percent.",
        (metrics.database("CPUUtilization"),),
        limits.database_cpu_percent,
        periods=3,
        no_data=SILENT,
    )
    yield Alarm(
        "database-capacity",
        f"The database used {limits.database_capacity_percent} percent of maxCapacity, {capacity:g} ACU.",
        (metrics.database("ServerlessDatabaseCapacity", "Maximum"),),
        capacity * limits.database_capacity_percent / 100,
        periods=3,
        no_data=SILENT,
    )
    yield Alarm(
        "database-replica-lag",
        f"A reader of the database was {limits.replica_lag_ms} ms behind its writer.",
        (metrics.database("AuroraReplicaLag", "Maximum", readers=True),),
        limits.replica_lag_ms,
        periods=3,
        no_data=SILENT,
    )
    if monitoring.replicates:
        yield Alarm(
            "database-global-lag",
            f"The database was {limits.replica_lag_ms} ms behind the primary region.",
            (metrics.database("AuroraGlobalDBReplicationLag", "Maximum"),),
            limits.replica_lag_ms,
            periods=3,
            no_data=SILENT,
        )
    yield Alarm(
        "sessions-throttles",
        "DynamoDB throttled requests to the sessions table.",
        (metrics.table("ReadThrottleEvents"), metrics.table("WriteThrottleEvents")),
        1,
    )


def name(monitoring: Monitoring, key: str) -> str:
    """Returns the name of an alarm in AWS."""
    return monitoring.subject.account_name(key)


def resources(monitoring: Monitoring) -> Resources:
    """Yields the alarms. Each tells the topic when it is raised and when it is over."""
    for alarm in alarms(monitoring):
        yield monitoring.make(
            f"alarm-{alarm.key}",
            aws.METRIC_ALARM,
            {
                "alarmDescription": f"{monitoring.subject.regional_tap}: {alarm.description}",
                "comparisonOperator": "GreaterThanOrEqualToThreshold",
                "evaluationPeriods": alarm.periods,
                "datapointsToAlarm": alarm.periods,
                "threshold": number(alarm.threshold),
                "treatMissingData": alarm.no_data,
                **_measured(alarm.metrics),
                # Written, not referred to: alarmActionsRefs gives the ARN of an autoscaling policy (05, section 1.1).
                "alarmActions": [monitoring.topic_arn],
                "okActions": [monitoring.topic_arn],
            },
            external_name=name(monitoring, alarm.key),
        )


def number(value: float) -> int | float:
    """Returns a number as JSON shows it best: 3 and not 3.0, and no digits that only a computer adds."""
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def _measured(metrics: tuple[Metric, ...]) -> Json:
    if len(metrics) > 1:
        return {"metricQuery": [_sum(metrics), *(_query(f"m{i}", metric) for i, metric in enumerate(metrics, 1))]}
    (metric,) = metrics
    percentile = metric.statistic.startswith("p")
    return {
        "namespace": metric.namespace,
        "metricName": metric.name,
        "dimensions": dict(metric.dimensions),
        "period": PERIOD,
        **({"extendedStatistic": metric.statistic} if percentile else {"statistic": metric.statistic}),
        # With a handful of calls in a period, p95 is just the slowest of them.
        **({"evaluateLowSampleCountPercentiles": "ignore"} if percentile else {}),
    }


def _sum(metrics: tuple[Metric, ...]) -> Json:
    ids = [f"m{i}" for i, _ in enumerate(metrics, 1)]
    # A metric without data would make the sum one without data.
    total = " + ".join(f"FILL({id_}, 0)" for id_ in ids)
    return {"id": "total", "expression": total, "label": "Total", "returnData": True}


def _query(id_: str, metric: Metric) -> Json:
    return {
        "id": id_,
        "metric": {
            "namespace": metric.namespace,
            "metricName": metric.name,
            "dimensions": dict(metric.dimensions),
            "period": PERIOD,
            "stat": metric.statistic,
        },
        "returnData": False,
    }
