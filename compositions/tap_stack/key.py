"""The KMS key of a region and its alias.

A key's policy has to name the account, and only the key's own ARN tells which account that is. So the key is made with
AWS's default policy, and is given ours once its ARN is known; whatever AWS encrypts for us waits until AWS shows ours.
"""

from dataclasses import dataclass

from tap_api.base import Json
from tap_api.kinds import RegionalTapSpec
from tap_api.sections import Trail
from tap_stack import aws, names
from tap_stack.documents import Statement, Text, account_of, arn, policy, same
from tap_stack.managed import Handling, managed
from tap_stack.monitoring.topic import PUBLISHERS
from tap_stack.resource import Resources
from tap_stack.subject import Subject
from tap_stack.values import Ref, Unknown

KEY = "key"
ALIAS = "key-alias"

#: Days that a deleted key can be brought back: the most and the least that AWS allows (05, section 5).
_WINDOW_PROTECTED = 30
_WINDOW = 7

_USE = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")


def resources(subject: Subject[RegionalTapSpec]) -> Resources:
    """Yields the key and its alias; both stay with the data of a protected region, which is lost without them."""
    kept = Handling(retained=subject.spec.protection)
    yield managed(
        subject,
        KEY,
        aws.KEY,
        {
            "description": f"{subject.name}: encrypts the data of {subject.spec.environment.value} in {subject.region}",
            "enableKeyRotation": True,
            "deletionWindowInDays": _WINDOW_PROTECTED if subject.spec.protection else _WINDOW,
            "policy": KeyState.of(subject).policy,
        },
        handling=kept,
    )
    yield managed(
        subject,
        ALIAS,
        aws.KEY_ALIAS,
        {"targetKeyIdRef": Ref(KEY)},
        # Without `alias/`, as the provider itself writes it (kmsAlias in provider-upjet-aws config/externalname.go).
        external_name=subject.account_name(),
        handling=kept,
    )


@dataclass(frozen=True)
class KeyState:
    """What is known of the key.

    Attributes:
        arn: Its ARN, empty while AWS has not made it.
        key_id: Its id, likewise.
        account: The account it is in.
        policy: The policy that it is to have; left out while the account is not known.
        admits: Whether AWS shows that policy.
    """

    arn: str
    key_id: str
    account: Text
    policy: Text
    admits: bool

    @classmethod
    def of(cls, subject: Subject[RegionalTapSpec]) -> "KeyState":
        """Returns what is observed of the key of `subject`."""
        observation = subject.observed.get(KEY)

        def at_provider(field: str) -> str:
            return str((observation and observation.field("status", "atProvider", field)) or "")

        key_arn = at_provider("arn")
        account: Text = account_of(key_arn) if key_arn else Unknown("the ARN of the region's KMS key", required=False)
        made = subject.spec.monitoring.trail is Trail.CREATE
        wanted = key_policy(subject.region, account, names.trail_arn(subject, account) if made else None)
        return cls(
            arn=key_arn,
            key_id=at_provider("keyId"),
            account=account,
            policy=wanted,
            # As policies, not as texts: AWS keeps its own spelling.
            admits=bool(key_arn) and same(at_provider("policy"), wanted),
        )

    def facts_for_parts(self) -> Json:
        """Returns the fields of a part's spec that the key tells; what a part was once told stays."""
        later = Unknown("the region's KMS key", required=False)
        return {"accountId": self.account, "keyArn": self.arn if self.admits else later}


def key_policy(region: str, account: Text, trail_arn: Text | None = None) -> Text:
    """Returns the policy of the key: the account rules it, and the services that we use it with may use it.

    A service that is not used is not in it. Parts that encrypt with another service add its statement here.

    Args:
        region: The region.
        account: The account.
        trail_arn: ARN of the trail whose log is encrypted with it; None where no trail is made.
    """
    return policy(
        Statement(
            sid="Account",
            actions=("kms:*",),
            resources=("*",),
            principal={"AWS": account if isinstance(account, Unknown) else f"arn:aws:iam::{account}:root"},
        ),
        Statement(
            sid="Logs",
            actions=_USE,
            resources=("*",),
            principal={"Service": f"logs.{region}.amazonaws.com"},
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn("logs", region, account, "log-group:*")}},
        ),
        # Who publishes to an encrypted topic uses its key:
        # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        *(
            Statement(
                sid=sid,
                actions=("kms:Decrypt", "kms:GenerateDataKey*"),
                resources=("*",),
                principal={"Service": service},
                conditions={"StringEquals": {"aws:SourceAccount": account}},
            )
            for sid, service in PUBLISHERS.items()
        ),
        *((_trail(trail_arn),) if trail_arn else ()),
    )


def _trail(trail_arn: Text) -> Statement:
    """Returns what CloudTrail needs to encrypt the log of our trail, and no other.

    Decrypt too, for the log bucket has an S3 Bucket Key. The trail is named by its ARN, which is narrower than the
    encryption context that AWS's example names as well
    (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html).
    """
    return Statement(
        sid="Trail",
        actions=("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"),
        resources=("*",),
        principal={"Service": "cloudtrail.amazonaws.com"},
        conditions={"StringEquals": {"aws:SourceArn": trail_arn}},
    )
