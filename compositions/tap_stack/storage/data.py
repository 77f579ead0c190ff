"""The data bucket: encrypted with the region's key and no other way."""

from tap_api.base import Json
from tap_api.kinds import RegionalStorageSpec
from tap_api.sections import StorageSpec
from tap_stack import aws, names
from tap_stack.documents import Statement, Text, first_unknown, policy
from tap_stack.observation import Observed
from tap_stack.resource import Resources
from tap_stack.storage import logs
from tap_stack.storage.bucket import bucket, encrypted_in_transit, encryption, expire, of, tidy
from tap_stack.subject import Subject
from tap_stack.values import Ref, Unknown

BUCKET = "data-bucket"
#: What has to be there before an object is: one that came earlier has no version, ever, and another encryption.
_FIRST = ("versioning", "encryption")


def resources(subject: Subject[RegionalStorageSpec]) -> Resources:
    """Yields the data bucket and its settings."""
    name = names.data_bucket(subject)
    yield from bucket(subject, BUCKET, name)
    yield of(
        subject,
        BUCKET,
        "encryption",
        aws.BUCKET_ENCRYPTION,
        encryption({"sseAlgorithm": "aws:kms", "kmsMasterKeyId": subject.key_arn}),
    )
    yield of(subject, BUCKET, "lifecycle", aws.BUCKET_LIFECYCLE, {"rule": lifecycle(subject.spec.storage)})
    yield of(subject, BUCKET, "policy", aws.BUCKET_POLICY, {"policy": bucket_policy(name, subject.key_arn)})
    yield of(
        subject,
        BUCKET,
        "logging",
        aws.BUCKET_LOGGING,
        # S3 writes once the log bucket's policy lets it.
        {"targetBucketRef": Ref(logs.BUCKET), "targetPrefix": logs.PREFIX},
    )


def is_settled(observed: Observed) -> bool:
    """Returns whether AWS keeps versions of what is put into the bucket, and encrypts it, as is wanted."""
    settings = [observed.get(f"{BUCKET}-{setting}") for setting in _FIRST]
    return all(one is not None and (ready := one.condition("Ready")) and ready.status == "True" for one in settings)


def lifecycle(storage: StorageSpec) -> list[Json]:
    """Returns the lifecycle rules.

    Only what came in expires: the function's code is in this bucket too, below `_code/`, and would be missed. A
    storage class that an object would enter on the day it expires, or later, is left out; AWS refuses such a pair.
    """
    ends = storage.expiration_days
    classes = ((storage.infrequent_access_days, "STANDARD_IA"), (storage.glacier_days, "GLACIER_IR"))
    transitions = [{"days": days, "storageClass": name} for days, name in classes if ends is None or days < ends]
    tier = {"id": "tier", "status": "Enabled", "filter": [{"prefix": ""}], "transition": transitions}
    return [
        tidy(storage.noncurrent_version_days),
        *([tier] if transitions else []),
        *([expire("expire", names.INCOMING, ends)] if ends is not None else []),
    ]


def bucket_policy(name: Text, key_arn: Text) -> Text:
    """Returns the policy: TLS only, and the region's key only.

    A request that says nothing of encryption gets the bucket's, which is the region's key; so each statement looks at
    what a request says, and at nothing where it is silent (a negated condition alone would match silence too).
    """
    unknown = first_unknown(name, key_arn)
    if unknown or isinstance(name, Unknown):
        return unknown or name
    bucket_arn = f"arn:aws:s3:::{name}"
    header = "s3:x-amz-server-side-encryption"

    def refuse(sid: str, **conditions: dict[str, Text]) -> Statement:
        return Statement(
            sid=sid,
            effect="Deny",
            actions=("s3:PutObject",),
            resources=(f"{bucket_arn}/*",),
            principal="*",
            conditions=conditions,
        )

    return policy(
        encrypted_in_transit(bucket_arn),
        refuse("OnlyKms", Null={header: "false"}, StringNotEquals={header: "aws:kms"}),
        # `aws:kms` without a key is AWS's own key, and not the bucket's
        # (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html).
        refuse("NotTheKeyOfAws", Null={f"{header}-aws-kms-key-id": "true"}, StringEquals={header: "aws:kms"}),
        refuse(
            "OnlyTheKeyOfTheRegion",
            Null={f"{header}-aws-kms-key-id": "false"},
            StringNotEquals={f"{header}-aws-kms-key-id": key_arn},
        ),
        refuse("NoKeysOfTheCaller", Null={f"{header}-customer-algorithm": "false"}),
    )
