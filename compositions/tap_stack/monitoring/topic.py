"""The topic that alarms and reports go to, who may write to it, and who hears of it."""

from tap_api.naming import digest
from tap_stack import aws, names
from tap_stack.documents import Statement, policy
from tap_stack.monitoring.scope import Monitoring
from tap_stack.resource import Resources
from tap_stack.values import Ref

TOPIC = "topic"


def resources(monitoring: Monitoring) -> Resources:
    """Yields the topic, its policy and its subscriptions."""
    subject = monitoring.subject
    yield monitoring.make(
        TOPIC,
        aws.TOPIC,
        # By ARN: the provider has no reference for it, and an id would leave the choice of account to AWS.
        {"displayName": f"TAP {subject.regional_tap}", "kmsMasterKeyId": subject.key_arn},
        external_name=names.topic(subject),
    )
    yield monitoring.make(
        "topic-policy",
        aws.TOPIC_POLICY,
        {
            "arnRef": Ref(TOPIC),
            "policy": policy(
                Statement(
                    sid="TlsOnly",
                    effect="Deny",
                    principal="*",
                    # `sns:*` is refused in a topic's policy: it holds actions that are not a topic's.
                    actions=("sns:Publish", "sns:Subscribe"),
                    resources=(monitoring.topic_arn,),
                    conditions={"Bool": {"aws:SecureTransport": "false"}},
                ),
                *(_publishes(monitoring, sid, service) for sid, service in PUBLISHERS.items()),
            ),
        },
    )
    for subscription in monitoring.spec.subscriptions:
        # Told apart by what they are: a list that is reordered moves nothing.
        told = digest(f"{subscription.protocol}/{subscription.endpoint}")
        yield monitoring.make(
            f"subscription-{told}",
            aws.TOPIC_SUBSCRIPTION,
            {"topicArnRef": Ref(TOPIC), "protocol": subscription.protocol, "endpoint": subscription.endpoint},
        )


#: Sid -> the service that publishes for us. They use the key too (tap_stack.key).
PUBLISHERS = {"Alarms": "cloudwatch.amazonaws.com", "Changes": "events.amazonaws.com"}


def _publishes(monitoring: Monitoring, sid: str, service: str) -> Statement:
    return Statement(
        sid=sid,
        actions=("sns:Publish",),
        resources=(monitoring.topic_arn,),
        principal={"Service": service},
        conditions={"StringEquals": {"aws:SourceAccount": monitoring.subject.account}},
    )
