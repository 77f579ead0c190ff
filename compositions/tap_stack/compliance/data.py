"""Controls on stored data: encryption at rest, recovery, transport, and who may see it."""

from collections.abc import Callable, Iterator

from tap_stack.compliance.control import Finding, Inventory, Item, is_true, refuses_plain_text

_FLAGS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_PRIVATE_ACLS = (None, "private", "bucket-owner-full-control", "bucket-owner-read")
Find = Callable[[Inventory], Iterator[Finding]]


def key_rotates(there: Inventory) -> Iterator[Finding]:
    """A key that is not rotated."""
    for key in there.of("kms.Key"):
        if not is_true(key.get("enableKeyRotation")):
            yield key, "its rotation is off"


def encrypted_with(field: str, *kinds: str) -> Find:
    """Returns what finds a resource of `kinds` whose `field` names no key of ours."""

    def find(there: Inventory) -> Iterator[Finding]:
        for item in there.of(*kinds):
            if not item.has(field):
                yield item, f"{field} names no key"

    return find


def bucket_encrypted(there: Inventory) -> Iterator[Finding]:
    """A bucket whose new objects are not encrypted with the key of the region."""
    for bucket, settings in _buckets(there, "s3.BucketServerSideEncryptionConfiguration"):
        for setting in settings:
            rules = setting.get("rule") or [{}]
            by_default = rules[0].get("applyServerSideEncryptionByDefault") or {}
            wanted = "AES256" if _is_log_target(there, bucket) else "aws:kms"
            keyed = wanted == "AES256" or bool(by_default.get("kmsMasterKeyId"))
            if by_default.get("sseAlgorithm") != wanted or not keyed:
                yield bucket, f"its encryption is not {wanted}{' with a key of ours' if wanted == 'aws:kms' else ''}"
        if not settings:
            yield bucket, "nothing sets its encryption"


def bucket_private(there: Inventory) -> Iterator[Finding]:
    """A bucket that could be made public."""
    for bucket, settings in _buckets(there, "s3.BucketPublicAccessBlock"):
        if not any(all(is_true(setting.get(flag)) for flag in _FLAGS) for setting in settings):
            yield bucket, "public access is not blocked in all four ways"


def bucket_owned(there: Inventory) -> Iterator[Finding]:
    """A bucket with access lists."""
    for bucket, settings in _buckets(there, "s3.BucketOwnershipControls"):
        if not any(setting.get("rule", "objectOwnership") == "BucketOwnerEnforced" for setting in settings):
            yield bucket, "access lists are not off (BucketOwnerEnforced)"


def bucket_tls(there: Inventory) -> Iterator[Finding]:
    """A bucket that answers without TLS."""
    for bucket, settings in _buckets(there, "s3.BucketPolicy"):
        if not any(refuses_plain_text(setting) for setting in settings):
            yield bucket, "no policy refuses what does not come over TLS"


def bucket_versioned(there: Inventory) -> Iterator[Finding]:
    """A bucket without old versions."""
    for bucket, settings in _buckets(there, "s3.BucketVersioning"):
        if not any(setting.get("versioningConfiguration", "status") == "Enabled" for setting in settings):
            yield bucket, "versioning is off"


def bucket_logged(there: Inventory) -> Iterator[Finding]:
    """A bucket whose reads leave no trace."""
    for bucket, settings in _buckets(there, "s3.BucketLogging"):
        if not settings and not _is_log_target(there, bucket):
            yield bucket, "no access log is written"


def object_private(there: Inventory) -> Iterator[Finding]:
    """An object that is not encrypted with our key, or that others may read."""
    for item in there.of("s3.Object"):
        if item.get("serverSideEncryption") != "aws:kms" or not item.has("kmsKeyId"):
            yield item, "it is not encrypted with a key of ours"
        if item.get("acl") not in _PRIVATE_ACLS:
            yield item, f"its access list is {item.get('acl')}"


def table_encrypted(there: Inventory) -> Iterator[Finding]:
    """A table, or a replica of it, that is not encrypted with a key of ours."""
    for table in there.of("dynamodb.Table"):
        own = is_true(table.get("serverSideEncryption", "enabled")) and table.has("serverSideEncryption", "kmsKeyArn")
        replicas = [replica for replica in table.get("replica") or [] if isinstance(replica, dict)]
        if not own or not all(replica.get("kmsKeyArn") for replica in replicas):
            yield table, "it, or a replica, is not encrypted with a key of ours"


def table_recovers(there: Inventory) -> Iterator[Finding]:
    """A table without point-in-time recovery."""
    for table in there.of("dynamodb.Table"):
        replicas = [replica for replica in table.get("replica") or [] if isinstance(replica, dict)]
        every = [table.get("pointInTimeRecovery", "enabled"), *(r.get("pointInTimeRecovery") for r in replicas)]
        if not all(is_true(enabled) for enabled in every):
            yield table, "point-in-time recovery is off"


def database_encrypted(there: Inventory) -> Iterator[Finding]:
    """A database whose storage is not encrypted with a key of ours."""
    for item in there.of("rds.Cluster", "rds.GlobalCluster"):
        keyed = item.kind == "rds.GlobalCluster" or item.has("kmsKeyId")
        if not is_true(item.get("storageEncrypted")) or not keyed:
            yield item, "its storage is not encrypted with a key of ours"


def database_tls(there: Inventory) -> Iterator[Finding]:
    """A database that answers without TLS."""
    for group in there.of("rds.ClusterParameterGroup"):
        parameters = {entry.get("name"): entry.get("value") for entry in group.get("parameter") or []}
        if parameters.get("require_secure_transport") != "ON":
            yield group, "require_secure_transport is not ON"
    for cluster in there.of("rds.Cluster"):
        if not cluster.has("dbClusterParameterGroupNameRef") and not cluster.has("dbClusterParameterGroupName"):
            yield cluster, "it has no parameter group of ours, so TLS is not enforced"


def database_private(there: Inventory) -> Iterator[Finding]:
    """An instance with an address on the internet."""
    for instance in there.of("rds.ClusterInstance"):
        if instance.get("publiclyAccessible") is not False:
            yield instance, "publiclyAccessible is not false"


def database_backed_up(there: Inventory) -> Iterator[Finding]:
    """A database without backups, or whose users cannot do without a password."""
    for cluster in there.of("rds.Cluster"):
        if not cluster.get("backupRetentionPeriod"):
            yield cluster, "no automated backup is kept"
        if not is_true(cluster.get("iamDatabaseAuthenticationEnabled")):
            yield cluster, "IAM database authentication is off"


def trail_trusted(there: Inventory) -> Iterator[Finding]:
    """A trail that is not encrypted with our key, or that could be changed unseen."""
    for trail in there.of("cloudtrail.Trail"):
        if not trail.has("kmsKeyId"):
            yield trail, "it is not encrypted with a key of ours"
        if not is_true(trail.get("enableLogFileValidation")):
            yield trail, "its files are not signed"


def _buckets(there: Inventory, setting: str) -> Iterator[tuple[Item, list[Item]]]:
    """Yields every bucket with its settings of one kind."""
    for bucket in there.of("s3.Bucket"):
        yield bucket, list(there.about(setting, "bucketRef", bucket))


def _is_log_target(there: Inventory, bucket: Item) -> bool:
    return any(there.about("s3.BucketLogging", "targetBucketRef", bucket))
