"""Names in AWS that more than one part writes: one makes the resource, another measures, names or admits it.

All of them are functions of the subject alone, so that a part never waits for another one to learn its name.
"""

import re

from tap_api.common import RegionContext
from tap_api.naming import MAX_NAME, account_name, digest, join
from tap_stack.documents import Text, arn
from tap_stack.subject import Subject
from tap_stack.values import Unknown

#: In the data bucket: where objects come in that wake the processor, and where the processor's own code lies.
INCOMING = "incoming/"
CODE = "_code/"
#: In the log bucket: where the region's trail writes.
TRAIL = "trail"


def flow_log_group(subject: Subject[RegionContext]) -> str:
    """Returns the log group of the VPC's flow logs."""
    return f"/aws/vpc/flow-logs/{subject.account_name()}"


def topic(subject: Subject[RegionContext]) -> str:
    """Returns the SNS topic that alarms and reports go to."""
    return subject.account_name("alarms")


def trail(subject: Subject[RegionContext]) -> str:
    """Returns the CloudTrail trail, whose name holds no two hyphens in a row (CreateTrail in CloudTrail's API)."""
    return _plain(subject, subject.regional_tap, "trail")


def trail_arn(subject: Subject[RegionContext], account: Text) -> Text:
    """Returns the ARN of the trail in `account`, which the log bucket and the key admit before there is one."""
    return arn("cloudtrail", subject.region, account, f"trail/{trail(subject)}")


def function(subject: Subject[RegionContext]) -> str:
    """Returns the Lambda function."""
    return subject.account_name("processor", limit=64)


def function_log_group(subject: Subject[RegionContext]) -> str:
    """Returns the log group of the Lambda function, where Lambda itself looks for it."""
    return f"/aws/lambda/{function(subject)}"


def dead_letters(subject: Subject[RegionContext]) -> str:
    """Returns the queue of events that could not be processed."""
    return subject.account_name("dead-letters")


def data_bucket(subject: Subject[RegionContext]) -> str | Unknown:
    """Returns the data bucket. Buckets share one name space with every account, so theirs carry the account's id."""
    return _bucket(subject, "data")


def access_log_bucket(subject: Subject[RegionContext]) -> str | Unknown:
    """Returns the bucket of the data bucket's access logs."""
    return _bucket(subject, "logs")


def api(subject: Subject[RegionContext]) -> str:
    """Returns the HTTP API."""
    return subject.account_name("api")


def api_log_group(subject: Subject[RegionContext]) -> str:
    """Returns the log group of the API's access logs.

    Below /aws/vendedlogs/: elsewhere each group makes the account's one resource policy longer, up to its limit
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html).
    """
    return f"/aws/vendedlogs/apigateway/{api(subject)}"


def cluster(subject: Subject[RegionContext]) -> str:
    """Returns the Aurora cluster. All that belongs to it begins like it."""
    return _plain(subject, subject.regional_tap, "database")


def cluster_instances(subject: Subject[RegionContext]) -> str:
    """Returns what the names of the cluster's instances begin with; a hyphen follows, and then `a-1` to `c-16`."""
    return _plain(subject, subject.regional_tap, "database", limit=MAX_NAME - len("-c-16"))


def global_cluster(subject: Subject[RegionContext]) -> str:
    """Returns the Aurora global database, which is in no region."""
    environment = subject.spec.environment_ref.name if subject.spec.environment_ref else subject.regional_tap
    return _plain(subject, environment, "global")


def cluster_log_group(subject: Subject[RegionContext], export: str) -> str:
    """Returns the log group of one of the cluster's logs, where RDS itself puts it."""
    return f"/aws/rds/cluster/{cluster(subject)}/{export}"


def table(subject: Subject[RegionContext]) -> str:
    """Returns the sessions table, which has one name in every region."""
    environment = subject.spec.environment_ref.name if subject.spec.environment_ref else subject.regional_tap
    return account_name(environment, "sessions", suffix=subject.suffix)


def _plain(subject: Subject[RegionContext], name: str, *words: str, limit: int = MAX_NAME) -> str:
    """Returns a name that begins with a letter and holds no two hyphens in a row, as RDS wants it (05, section 5)."""
    if "--" in name or not name[0].isalpha():
        name = f"tap-{re.sub('-+', '-', name)}-{digest(name)}"
    return account_name(name, *words, suffix=subject.suffix, limit=limit)


def _bucket(subject: Subject[RegionContext], purpose: str) -> str | Unknown:
    account = subject.account
    if isinstance(account, Unknown):
        return account
    # Joined first: a long name is cut in front of the account's id, never through it.
    name = join(subject.regional_tap, purpose, limit=MAX_NAME - len(account) - len(subject.suffix) - 2)
    return f"{name}-{account}-{subject.suffix}"
