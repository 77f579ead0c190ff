"""The log bucket: encrypted by S3 itself, for AWS delivers access logs to no bucket that a KMS key encrypts.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html

The region's trail, where one is made, writes here too, and says itself that its objects are encrypted with our key.
"""

from tap_api.kinds import RegionalStorageSpec
from tap_api.sections import Trail
from tap_stack import aws, names
from tap_stack.composed import Condition
from tap_stack.documents import Statement, Text, first_unknown, policy, same
from tap_stack.resource import Resources
from tap_stack.storage.bucket import bucket, encrypted_in_transit, encryption, expire, of, tidy
from tap_stack.subject import Subject

BUCKET = "log-bucket"
#: Where the data bucket's log is written.
PREFIX = "data/"
POLICY = f"{BUCKET}-policy"
TRAIL_ADMITTED = "TrailAdmitted"


def resources(subject: Subject[RegionalStorageSpec]) -> Resources:
    """Yields the log bucket and its settings. It has no access log of its own: that would never end."""
    storage = subject.spec.storage
    name = names.access_log_bucket(subject)
    yield from bucket(subject, BUCKET, name)
    yield of(subject, BUCKET, "encryption", aws.BUCKET_ENCRYPTION, encryption({"sseAlgorithm": "AES256"}))
    yield of(
        subject,
        BUCKET,
        "lifecycle",
        aws.BUCKET_LIFECYCLE,
        {
            "rule": [
                tidy(storage.noncurrent_version_days),
                expire("expire", PREFIX, storage.access_log_days),
                # With or without a trail: what one left behind ends too.
                expire("expire-trail", f"{names.TRAIL}/", storage.access_log_days),
            ]
        },
    )
    yield of(subject, BUCKET, "policy", aws.BUCKET_POLICY, {"policy": bucket_policy(subject)})


def admits_trail(subject: Subject[RegionalStorageSpec]) -> tuple[Condition, ...]:
    """Returns whether AWS shows the policy that admits the region's trail; nothing where none is made."""
    if subject.spec.monitoring.trail is not Trail.CREATE:
        return ()
    observation = subject.observed.get(POLICY)
    shown = observation.field("status", "atProvider", "policy") if observation else None
    if shown and same(shown, bucket_policy(subject)):
        return (Condition(TRAIL_ADMITTED, "True", "Admitted"),)
    waits = "AWS does not show yet that the log bucket's policy admits the region's trail; the trail waits for that."
    return (Condition(TRAIL_ADMITTED, "False", "PolicyNotThere", waits),)


def bucket_policy(subject: Subject[RegionalStorageSpec]) -> Text:
    """Returns the policy: TLS only, S3's log delivery for the data bucket of this account, and the region's trail."""
    name, source, account = names.access_log_bucket(subject), names.data_bucket(subject), subject.account
    unknown = first_unknown(name, source, account)
    if unknown:
        return unknown
    bucket_arn = f"arn:aws:s3:::{name}"
    made = subject.spec.monitoring.trail is Trail.CREATE
    return policy(
        encrypted_in_transit(bucket_arn),
        Statement(
            sid="AccessLogs",
            actions=("s3:PutObject",),
            resources=(f"{bucket_arn}/{PREFIX}*",),
            principal={"Service": "logging.s3.amazonaws.com"},
            conditions={
                "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{source}"},
                "StringEquals": {"aws:SourceAccount": account},
            },
        ),
        *(_trail(bucket_arn, f"{names.TRAIL}/AWSLogs/{account}/*", names.trail_arn(subject, account)) if made else ()),
    )


def _trail(bucket_arn: str, written: str, trail_arn: Text) -> tuple[Statement, ...]:
    """Returns what CloudTrail asks for, for our trail alone.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html, without its
    condition on the ACL: a bucket whose owner is enforced takes no ACL but the one that CloudTrail sends
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html, x-amz-object-ownership).
    """
    ours = {"StringEquals": {"aws:SourceArn": trail_arn}}
    service = {"Service": "cloudtrail.amazonaws.com"}
    return (
        Statement("TrailLooks", ("s3:GetBucketAcl",), (bucket_arn,), service, ours),
        Statement("TrailWrites", ("s3:PutObject",), (f"{bucket_arn}/{written}",), service, ours),
    )
