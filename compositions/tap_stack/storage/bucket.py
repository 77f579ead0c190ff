"""What is set on every bucket of ours, whatever it is for. AWS has one kind for each of a bucket's settings."""

from tap_api.base import Json
from tap_api.kinds import RegionalStorageSpec
from tap_stack import aws
from tap_stack.catalogue import AwsKind
from tap_stack.documents import Statement, Text
from tap_stack.managed import Handling, managed
from tap_stack.resource import Resource, Resources
from tap_stack.subject import Subject
from tap_stack.values import Ref

#: Days that the parts of an upload nobody finished are kept: they cost and cannot be seen.
_UNFINISHED_DAYS = 7


def bucket(subject: Subject[RegionalStorageSpec], key: str, name: Text) -> Resources:
    """Yields the bucket `key` and the settings that every bucket has.

    Args:
        subject: The storage of a region.
        key: Key of the bucket.
        name: Its name, which has to be unique in the world.
    """
    spec = subject.spec
    yield managed(
        subject,
        key,
        aws.BUCKET,
        # Emptied with its deletion where that is asked for, and never while the region is protected.
        {"forceDestroy": spec.storage.force_destroy and not spec.protection},
        external_name=name,
        handling=_handling(subject),
    )
    yield of(subject, key, "versioning", aws.BUCKET_VERSIONING, {"versioningConfiguration": {"status": "Enabled"}})
    # No ACLs: whatever is written belongs to the account, and policies alone say who reads it.
    ownership = {"rule": {"objectOwnership": "BucketOwnerEnforced"}}
    yield of(subject, key, "ownership", aws.BUCKET_OWNERSHIP_CONTROLS, ownership)
    yield of(
        subject,
        key,
        "public-access",
        aws.BUCKET_PUBLIC_ACCESS_BLOCK,
        {
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        },
    )


def of(subject: Subject[RegionalStorageSpec], key: str, setting: str, kind: AwsKind, wanted: Json) -> Resource:
    """Returns the resource that is one setting of the bucket `key`."""
    return managed(subject, f"{key}-{setting}", kind, {"bucketRef": Ref(key), **wanted}, handling=_handling(subject))


def _handling(subject: Subject[RegionalStorageSpec]) -> Handling:
    """Returns how a bucket and its settings are handled: one that outlives its object stays as private as it was."""
    return Handling(retained=subject.spec.protection)


def encryption(algorithm: Json) -> Json:
    """Returns the encryption of new objects.

    Both fields beside the algorithm stand there always: AWS returns them since April 2026, and a provider that is not
    told of them sets the encryption again, several times a second (provider-upjet-aws#2055, #2063).
    """
    return {
        "rule": [
            {
                "applyServerSideEncryptionByDefault": algorithm,
                "bucketKeyEnabled": True,
                "blockedEncryptionTypes": ["SSE-C"],
            }
        ]
    }


def tidy(noncurrent_days: int) -> Json:
    """Returns the lifecycle rule that clears away what no one sees: old versions, their markers, unfinished uploads.

    Lists where one would expect objects: this kind is one of the plugin framework's (05, section 1).
    """
    return {
        "id": "tidy",
        "status": "Enabled",
        "filter": [{"prefix": ""}],
        "abortIncompleteMultipartUpload": [{"daysAfterInitiation": _UNFINISHED_DAYS}],
        "noncurrentVersionExpiration": [{"noncurrentDays": noncurrent_days}],
        "expiration": [{"expiredObjectDeleteMarker": True}],
    }


def expire(name: str, prefix: str, days: int) -> Json:
    """Returns the lifecycle rule `name`, which ends the objects below `prefix` after `days`."""
    return {"id": name, "status": "Enabled", "filter": [{"prefix": prefix}], "expiration": [{"days": days}]}


def encrypted_in_transit(bucket_arn: str) -> Statement:
    """Returns the statement that refuses whatever does not come over TLS."""
    return Statement(
        sid="OnlyTls",
        effect="Deny",
        actions=("s3:*",),
        resources=(bucket_arn, f"{bucket_arn}/*"),
        principal="*",
        conditions={"Bool": {"aws:SecureTransport": "false"}},
    )
