"""The access-log bucket: encrypted by S3 itself, for AWS delivers access logs to no bucket that a KMS key encrypts.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
"""

from tap_api.kinds import RegionalStorageSpec
from tap_stack import aws, names
from tap_stack.documents import Statement, Text, first_unknown, policy
from tap_stack.resource import Resources
from tap_stack.storage.bucket import bucket, encrypted_in_transit, encryption, expire, of, tidy
from tap_stack.subject import Subject

BUCKET = "log-bucket"
#: Where the data bucket's log is written.
PREFIX = "data/"


def resources(subject: Subject[RegionalStorageSpec]) -> Resources:
    """Yields the access-log bucket and its settings. It has no access log of its own: that would never end."""
    storage = subject.spec.storage
    name = names.access_log_bucket(subject)
    yield from bucket(subject, BUCKET, name)
    yield of(subject, BUCKET, "encryption", aws.BUCKET_ENCRYPTION, encryption({"sseAlgorithm": "AES256"}))
    yield of(
        subject,
        BUCKET,
        "lifecycle",
        aws.BUCKET_LIFECYCLE,
        {"rule": [tidy(storage.noncurrent_version_days), expire(PREFIX, storage.access_log_days)]},
    )
    wanted = bucket_policy(name, names.data_bucket(subject), subject.account)
    yield of(subject, BUCKET, "policy", aws.BUCKET_POLICY, {"policy": wanted})


def bucket_policy(name: Text, source: Text, account: Text) -> Text:
    """Returns the policy: TLS only, and S3's log delivery for the data bucket of this account, nobody else's."""
    unknown = first_unknown(name, source, account)
    if unknown:
        return unknown
    bucket_arn = f"arn:aws:s3:::{name}"
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
    )
