"""Metrics that are drawn from logs: what no service counts by itself."""

from dataclasses import dataclass

from tap_api.sections import LogExport
from tap_stack import aws
from tap_stack.monitoring.scope import Monitoring
from tap_stack.network import flow_logs
from tap_stack.processor import function
from tap_stack.resource import Resources

PROCESSOR_ERRORS = "processor-errors"
REJECTED_PACKETS = "rejected-packets"
DENIED_LOGINS = "denied-logins"


@dataclass(frozen=True)
class Filter:
    """What is counted in a log.

    Attributes:
        part: The part whose log it is.
        group: Key of its log group.
        pattern: What is counted.
        value: What each line adds.
    """

    part: str
    group: str
    pattern: str
    value: str = "1"


def filters(monitoring: Monitoring) -> dict[str, Filter]:
    """Returns what is counted, by the name of the metric."""
    found = {
        # Errors that the processor survives are no `Errors` of Lambda.
        PROCESSOR_ERRORS: Filter("processor", function.LOG_GROUP, '{ $.level = "ERROR" }'),
        # The default format of flow logs, version 2.
        REJECTED_PACKETS: Filter(
            "network",
            flow_logs.GROUP,
            "[version, account, interface, source, destination, sourceport, destinationport, protocol, packets, bytes,"
            ' start, end, action="REJECT", status]',
            "$packets",
        ),
    }
    if LogExport.ERROR in monitoring.subject.spec.database.log_exports:
        found[DENIED_LOGINS] = Filter("database", f"log-group-{LogExport.ERROR.value}", '"Access denied for user"')
    return found


def resources(monitoring: Monitoring) -> Resources:
    """Yields the metric filters."""
    for metric, counted in filters(monitoring).items():
        yield monitoring.make(
            f"metric-{metric}",
            aws.METRIC_FILTER,
            {
                "logGroupNameRef": monitoring.subject.part_ref(counted.part, counted.group),
                "pattern": counted.pattern,
                "metricTransformation": {
                    "namespace": monitoring.namespace,
                    "name": metric,
                    "value": counted.value,
                    "defaultValue": "0",
                },
            },
            external_name=metric,
        )
