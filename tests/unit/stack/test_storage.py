import json
from collections.abc import Callable

import pytest

from golden.world import ACCOUNT, World
from tap_api.base import Json
from tap_api.sections import StorageSpec
from tap_stack.compose import compose
from tap_stack.composed import Composed
from tap_stack.observation import of
from tap_stack.storage.data import lifecycle

MakeTap = Callable[..., Json]
BUCKETS = ("data-bucket", "log-bucket")
DATA = f"prod-us-east-1-data-{ACCOUNT}-234a2353"
LOGS = f"prod-us-east-1-logs-{ACCOUNT}-234a2353"


def settled(tap: Json) -> tuple[Json, World, Composed]:
    world = World(tap)
    xr, composed = next(turned for turned in world.settle() if turned[0]["kind"] == "RegionalStorage")
    return xr, world, composed


def storage(tap: Json) -> dict[str, Json]:
    """Returns what the storage of a RegionalTap composes once all is known, by key."""
    return {item.key: item.manifest for item in settled(tap)[2].resources}


def wanted(manifest: Json) -> Json:
    hidden = ("region", "bucketRef", "tags")
    return {name: value for name, value in manifest["spec"]["forProvider"].items() if name not in hidden}


def test_each_bucket_is_versioned_owned_by_the_account_and_closed_to_the_public(make_tap: MakeTap) -> None:
    found = storage(make_tap())
    for bucket in BUCKETS:
        assert wanted(found[f"{bucket}-versioning"]) == {"versioningConfiguration": {"status": "Enabled"}}
        assert wanted(found[f"{bucket}-ownership"]) == {"rule": {"objectOwnership": "BucketOwnerEnforced"}}
        assert set(wanted(found[f"{bucket}-public-access"]).values()) == {True}
        assert len(wanted(found[f"{bucket}-public-access"])) == 4
    for key, manifest in found.items():
        bucket = next(name for name in BUCKETS if key.startswith(name))
        if key != bucket:
            assert manifest["spec"]["forProvider"]["bucketRef"] == {"name": f"prod-us-east-1-storage-{bucket}"}


def test_names_carry_the_account_and_end_in_the_environments_digest(make_tap: MakeTap) -> None:
    found = storage(make_tap())
    names = [found[bucket]["metadata"]["annotations"]["crossplane.io/external-name"] for bucket in BUCKETS]
    assert names == [DATA, LOGS]


def test_a_long_name_is_cut_in_front_of_the_account_and_stays_in_the_limit(make_tap: MakeTap) -> None:
    def names(name: str) -> list[str]:
        tap = make_tap()
        tap["metadata"]["name"] = name
        found = storage(tap)
        return [found[bucket]["metadata"]["annotations"]["crossplane.io/external-name"] for bucket in BUCKETS]

    found = [*names("r" * 63), *names("r" * 62)]
    assert len(set(found)) == 4
    assert all(len(name) <= 63 and name.endswith(f"-{ACCOUNT}-234a2353") for name in found)


def test_buckets_wait_for_the_account_and_what_is_encrypted_for_the_key(make_tap: MakeTap) -> None:
    world = World(make_tap())
    waves = [next(turned[1] for turned in world.turn() if turned[0]["kind"] == "RegionalStorage") for _ in range(3)]
    account = "the ARN of the region's KMS key, which tells the account"
    key = "the region's KMS key, until AWS shows the policy that admits the services"
    assert {item.source for item in waves[0].withheld} == {account, key}
    assert waves[0].resources == ()
    assert {item.key: item.source for item in waves[1].withheld} == {
        "data-bucket-encryption": key,
        "data-bucket-policy": key,
    }
    assert waves[2].withheld == ()


def test_trap_9_encryption_says_what_aws_would_say_of_it_or_it_is_set_for_ever(make_tap: MakeTap) -> None:
    """provider-upjet-aws#2055 and #2063: without blockedEncryptionTypes, several PutBucketEncryption a second."""
    xr, _, _ = settled(make_tap())
    found = storage(make_tap())
    for bucket, algorithm in (
        ("data-bucket", {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": xr["spec"]["keyArn"]}),
        ("log-bucket", {"sseAlgorithm": "AES256"}),
    ):
        assert wanted(found[f"{bucket}-encryption"]) == {
            "rule": [
                {
                    "applyServerSideEncryptionByDefault": algorithm,
                    "bucketKeyEnabled": True,
                    "blockedEncryptionTypes": ["SSE-C"],
                }
            ]
        }


def test_trap_11_a_lifecycle_without_rules_in_aws_is_not_ready(make_tap: MakeTap) -> None:
    """provider-upjet-aws#1986: Ready, with nothing in AWS."""
    xr, world, _ = settled(make_tap())
    objects = world.objects[xr["metadata"]["name"]]

    def ready() -> list[str]:
        composed = compose(xr, of(objects))
        return [item.key for item in composed.resources if item.key.endswith("lifecycle") and item.ready]

    assert ready() == ["log-bucket-lifecycle", "data-bucket-lifecycle"]
    rules: list[list[Json] | None] = [[], None]
    for nothing in rules:
        objects["data-bucket-lifecycle"]["status"]["atProvider"]["rule"] = nothing
        assert ready() == ["log-bucket-lifecycle"]


def test_trap_18_the_access_log_bucket_is_encrypted_by_s3_alone(make_tap: MakeTap) -> None:
    (rule,) = wanted(storage(make_tap())["log-bucket-encryption"])["rule"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}


def test_a_lifecycle_is_written_in_lists(make_tap: MakeTap) -> None:
    """The trap: BucketLifecycleConfiguration is a kind of the plugin framework, where blocks are lists (05, section 1)."""
    for bucket in BUCKETS:
        for rule in wanted(storage(make_tap())[f"{bucket}-lifecycle"])["rule"]:
            blocks = [value for name, value in rule.items() if name not in ("id", "status")]
            assert all(isinstance(block, list) for block in blocks)


TIDY = {
    "id": "tidy",
    "status": "Enabled",
    "filter": [{"prefix": ""}],
    "abortIncompleteMultipartUpload": [{"daysAfterInitiation": 7}],
    "noncurrentVersionExpiration": [{"noncurrentDays": 90}],
    "expiration": [{"expiredObjectDeleteMarker": True}],
}
IA, GLACIER = {"days": 30, "storageClass": "STANDARD_IA"}, {"days": 90, "storageClass": "GLACIER_IR"}


def tier(*transitions: Json) -> Json:
    return {"id": "tier", "status": "Enabled", "filter": [{"prefix": ""}], "transition": list(transitions)}


def expire(days: int) -> Json:
    return {"id": "expire", "status": "Enabled", "filter": [{"prefix": "incoming/"}], "expiration": [{"days": days}]}


@pytest.mark.parametrize(
    ("expiration", "rules"),
    [
        (None, [TIDY, tier(IA, GLACIER)]),
        (91, [TIDY, tier(IA, GLACIER), expire(91)]),
        (90, [TIDY, tier(IA), expire(90)]),
        (30, [TIDY, expire(30)]),
    ],
)
def test_only_what_came_in_expires_and_no_storage_class_is_entered_too_late(
    expiration: int | None, rules: list[Json]
) -> None:
    assert lifecycle(StorageSpec(expiration_days=expiration)) == rules


def statements(manifest: Json) -> dict[str, Json]:
    document = json.loads(manifest["spec"]["forProvider"]["policy"])
    return {statement.pop("Sid"): statement for statement in document["Statement"]}


def test_the_data_bucket_takes_nothing_without_tls_or_without_the_regions_key(make_tap: MakeTap) -> None:
    xr, _, _ = settled(make_tap())
    arn, header = f"arn:aws:s3:::{DATA}", "s3:x-amz-server-side-encryption"
    put = {"Action": "s3:PutObject", "Effect": "Deny", "Principal": "*", "Resource": f"{arn}/*"}
    assert statements(storage(make_tap())["data-bucket-policy"]) == {
        "OnlyTls": {
            "Action": "s3:*",
            "Effect": "Deny",
            "Principal": "*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        "OnlyKms": {**put, "Condition": {"Null": {header: "false"}, "StringNotEquals": {header: "aws:kms"}}},
        "NotTheKeyOfAws": {
            **put,
            "Condition": {"Null": {f"{header}-aws-kms-key-id": "true"}, "StringEquals": {header: "aws:kms"}},
        },
        "OnlyTheKeyOfTheRegion": {
            **put,
            "Condition": {
                "Null": {f"{header}-aws-kms-key-id": "false"},
                "StringNotEquals": {f"{header}-aws-kms-key-id": xr["spec"]["keyArn"]},
            },
        },
        "NoKeysOfTheCaller": {**put, "Condition": {"Null": {f"{header}-customer-algorithm": "false"}}},
    }


def test_the_log_bucket_takes_the_log_of_the_data_bucket_alone(make_tap: MakeTap) -> None:
    found = storage(make_tap())
    arn = f"arn:aws:s3:::{LOGS}"
    assert statements(found["log-bucket-policy"]) == {
        "OnlyTls": {
            "Action": "s3:*",
            "Effect": "Deny",
            "Principal": "*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        "AccessLogs": {
            "Action": "s3:PutObject",
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Resource": f"{arn}/data/*",
            "Condition": {
                "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{DATA}"},
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
            },
        },
    }
    assert wanted(found["data-bucket-logging"]) == {
        "targetBucketRef": {"name": "prod-us-east-1-storage-log-bucket"},
        "targetPrefix": "data/",
    }


@pytest.mark.parametrize(
    ("protection", "force", "emptied", "deleted"),
    [(True, True, False, False), (True, False, False, False), (False, True, True, True), (False, False, False, True)],
)
def test_a_protected_bucket_stays_with_all_its_settings_and_is_never_emptied(
    make_tap: MakeTap,
    protection: bool,  # noqa: FBT001
    force: bool,  # noqa: FBT001
    emptied: bool,  # noqa: FBT001
    deleted: bool,  # noqa: FBT001
) -> None:
    found = storage(make_tap(protection=protection, storage={"forceDestroy": force}))
    assert [wanted(found[bucket])["forceDestroy"] for bucket in BUCKETS] == [emptied, emptied]
    policies = [manifest["spec"]["managementPolicies"] for manifest in found.values()]
    assert {"Delete" in policy or "*" in policy for policy in policies} == {deleted}


def test_the_name_of_the_data_bucket_is_an_output(make_tap: MakeTap) -> None:
    assert settled(make_tap())[2].status["outputs"] == {"bucketName": DATA}
