"""The Lambda function, its log, the queue of what it gave up on, and the alias that everybody calls."""

from tap_api.base import Json
from tap_api.kinds import RegionalProcessorSpec
from tap_api.regions import zones
from tap_stack import aws, names
from tap_stack.documents import Statement, Text, arn, policy
from tap_stack.managed import Handling, managed
from tap_stack.network.security_groups import DATABASE_CLIENT, PROCESSOR
from tap_stack.processor import code, identity
from tap_stack.resource import Resources
from tap_stack.subject import Subject
from tap_stack.values import Ref, Unknown

FUNCTION = code.FUNCTION
LOG_GROUP = "log-group"
DEAD_LETTERS = "dead-letters"
ALIAS = "alias"
#: Name of the alias.
LIVE = "live"
#: The longest that SQS keeps a message, and that Lambda keeps an event.
_DAYS_14 = 14 * 24 * 3600
_HOURS_6 = 6 * 3600


def resources(subject: Subject[RegionalProcessorSpec]) -> Resources:
    """Yields the log group, the queue, the function and its alias."""
    spec = subject.spec.processor
    yield managed(
        subject,
        LOG_GROUP,
        aws.LOG_GROUP,
        {"retentionInDays": spec.log_retention_days, "kmsKeyId": subject.key_arn},
        external_name=names.function_log_group(subject),
    )
    yield from _dead_letters(subject)
    yield managed(
        subject,
        FUNCTION,
        aws.FUNCTION,
        _function(subject),
        external_name=names.function(subject),
        # AWS refuses a function whose role cannot yet do what it asks for.
        handling=Handling(after=(identity.RUN, identity.DATA, LOG_GROUP, DEAD_LETTERS)),
    )
    yield managed(
        subject,
        ALIAS,
        aws.FUNCTION_ALIAS,
        {"functionNameRef": Ref(FUNCTION), "functionVersion": _version(subject)},
        external_name=LIVE,
    )
    yield managed(
        subject,
        "event-invoke-config",
        aws.FUNCTION_EVENT_INVOKE_CONFIG,
        {
            "functionName": names.function(subject),
            # Events come by way of the alias, so its settings are the ones that count.
            "qualifier": LIVE,
            "maximumRetryAttempts": spec.retry_attempts,
            "maximumEventAgeInSeconds": _HOURS_6,
        },
        handling=Handling(after=(ALIAS,)),
    )


def alias_arn(subject: Subject[RegionalProcessorSpec]) -> Text:
    """Returns the ARN of the alias."""
    return arn("lambda", subject.region, subject.account, f"function:{names.function(subject)}:{LIVE}")


def _function(subject: Subject[RegionalProcessorSpec]) -> Json:
    spec = subject.spec.processor
    concurrency = spec.reserved_concurrency
    return {
        "description": f"{subject.regional_tap}: new objects, and the HTTP API",
        "roleRef": Ref(identity.ROLE),
        "runtime": "python3.13",
        "packageType": "Zip",
        **code.fields(subject),
        # A version of each change, for the alias to point to.
        "publish": True,
        "architectures": [spec.architecture.value],
        "memorySize": spec.memory_mb,
        "timeout": spec.timeout_seconds,
        **({"reservedConcurrentExecutions": concurrency} if concurrency else {}),
        "kmsKeyArn": subject.key_arn,
        "environment": {"variables": _environment(subject)},
        "vpcConfig": {
            # Always resolved anew: a zone more is a subnet more.
            "subnetIdRefs": [
                subject.part_ref("network", f"private-{zone.removeprefix(subject.region)}", always=True)
                for zone in zones(subject.region, subject.spec.zones)
            ],
            "securityGroupIdRefs": [subject.part_ref("network", group) for group in (PROCESSOR, DATABASE_CLIENT)],
        },
        # Lets go of the VPC's groups at once when it is deleted, not after 45 minutes (05, section 3, item 16).
        "replaceSecurityGroupsOnDestroy": True,
        "deadLetterConfig": {"targetArn": _queue_arn(subject)},
        "tracingConfig": {"mode": "Active"},
        "loggingConfig": {
            "logFormat": "JSON",
            "logGroup": names.function_log_group(subject),
            "applicationLogLevel": spec.log_level.value,
            "systemLogLevel": "INFO",
        },
    }


def _environment(subject: Subject[RegionalProcessorSpec]) -> Json:
    """Returns what the code is told (functions/processor/settings.py reads it). Nothing of it is secret."""
    endpoint = subject.spec.cluster_endpoint
    return {
        "BUCKET_NAME": names.data_bucket(subject),
        "TABLE_NAME": names.table(subject),
        "TTL_ATTRIBUTE": subject.spec.sessions.ttl_attribute,
        "LOG_LEVEL": subject.spec.processor.log_level.value,
        **({"CLUSTER_ENDPOINT": endpoint} if endpoint else {}),
    }


def _version(subject: Subject[RegionalProcessorSpec]) -> Text:
    """Returns the version that was published last."""
    observation = subject.observed.get(FUNCTION)
    found = str((observation and observation.field("status", "atProvider", "version")) or "")
    # Not `$LATEST`: what an alias points to must not change under it.
    return found if found.isdigit() else Unknown("the first version of the function")


def _dead_letters(subject: Subject[RegionalProcessorSpec]) -> Resources:
    yield managed(
        subject,
        DEAD_LETTERS,
        aws.QUEUE,
        {
            "name": names.dead_letters(subject),
            "kmsMasterKeyId": subject.key_arn,
            "messageRetentionSeconds": _DAYS_14,
        },
    )
    yield managed(
        subject,
        f"{DEAD_LETTERS}-policy",
        aws.QUEUE_POLICY,
        {
            "queueUrlRef": Ref(DEAD_LETTERS),
            "policy": policy(
                Statement(
                    sid="OnlyTls",
                    effect="Deny",
                    actions=("sqs:*",),
                    resources=(_queue_arn(subject),),
                    principal="*",
                    conditions={"Bool": {"aws:SecureTransport": "false"}},
                )
            ),
        },
    )


def _queue_arn(subject: Subject[RegionalProcessorSpec]) -> Text:
    return arn("sqs", subject.region, subject.account, names.dead_letters(subject))
