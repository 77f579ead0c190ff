"""The group of subnets that the cluster lies in, and the group of parameters that it runs with.

Both stay with a cluster that is retained: AWS deletes neither while one uses them.
"""

from tap_api.base import Json
from tap_api.regions import zones
from tap_api.sections import LogExport
from tap_stack import aws, names
from tap_stack.database.scope import Database
from tap_stack.managed import Handling
from tap_stack.resource import Resources

SUBNET_GROUP = "subnet-group"
PARAMETER_GROUP = "parameter-group"
#: Family of every Aurora MySQL 3.
FAMILY = "aurora-mysql8.0"

#: Who connects, and what changes rights or tables. `QUERY` would put every statement, with its data, into the log.
AUDITED = "CONNECT,QUERY_DCL,QUERY_DDL"
#: Seconds. AWS's own 10 lets pass what users call an outage.
SLOW = "2"

#: TLS or nothing. Which versions is left to Aurora: MySQL 3 speaks 1.2 and 1.3 alone, and a value that equals its own
#: would be sent for ever.
TLS = {"require_secure_transport": "ON"}
#: Log -> the parameters without which it stays empty. `error` is always written. `log_output` is not among them: its
#: value has been FILE since Aurora MySQL 2 (1 alone had TABLE), which is what an export needs
#: (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_LogAccess.MySQL.LogFileSize.html), and a value
#: that equals AWS's own is sent for ever up to provider v2.6 (provider-upjet-aws#1286, #1444).
LOGGING = {
    LogExport.AUDIT: {"server_audit_events": AUDITED, "server_audit_logging": "1"},
    LogExport.GENERAL: {"general_log": "1"},
    LogExport.SLOW_QUERY: {"long_query_time": SLOW, "slow_query_log": "1"},
}


def resources(database: Database) -> Resources:
    """Yields the subnet group and the parameter group."""
    subject = database.subject
    letters = [zone.removeprefix(subject.region) for zone in zones(subject.region, subject.spec.zones)]
    retained = Handling(retained=database.protected)
    yield database.make(
        SUBNET_GROUP,
        aws.DB_SUBNET_GROUP,
        {
            "description": f"{subject.regional_tap}: database subnets",
            # Always: a list that was resolved once would never take in the subnet of a zone that is added
            # (provider-upjet-aws#1242).
            "subnetIdRefs": [subject.part_ref("network", f"database-{letter}", always=True) for letter in letters],
        },
        external_name=names.cluster(subject),
        handling=retained,
    )
    yield database.make(
        PARAMETER_GROUP,
        aws.DB_PARAMETER_GROUP,
        {
            "description": f"{subject.regional_tap}: TLS and logs",
            "family": FAMILY,
            "parameter": [_parameter(name, value) for name, value in sorted(parameters(database).items())],
        },
        external_name=names.cluster(subject),
        handling=retained,
    )


def parameters(database: Database) -> dict[str, str]:
    """Returns the parameters of the cluster, by name."""
    found = dict(TLS)
    for export in database.exports:
        found.update(LOGGING.get(export, {}))
    return found


def _parameter(name: str, value: str) -> Json:
    # Every one of them is dynamic.
    return {"name": name, "value": value, "applyMethod": "immediate"}
