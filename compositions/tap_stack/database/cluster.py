"""The cluster. What it may say of itself depends on its place: AWS takes a password in one of the three alone."""

from tap_api.base import Json
from tap_stack import aws, names
from tap_stack.database import global_cluster, logs
from tap_stack.database.groups import PARAMETER_GROUP, SUBNET_GROUP
from tap_stack.database.scope import CLUSTER, ENGINE, Database
from tap_stack.managed import Handling
from tap_stack.network.security_groups import DATABASE as SECURITY_GROUP
from tap_stack.network.security_groups import MYSQL
from tap_stack.resource import Resources
from tap_stack.values import Ref, Unknown

PASSWORD_KEY = "password"  # noqa: S105 (the name of a key, not what is under it)


def resources(database: Database) -> Resources:
    """Yields the cluster."""
    spec, subject = database.spec, database.subject
    identifier = names.cluster(subject)
    yield database.make(
        CLUSTER,
        aws.DB_CLUSTER,
        {
            "engine": ENGINE,
            "engineMode": "provisioned",
            "port": MYSQL,
            "dbSubnetGroupNameRef": Ref(SUBNET_GROUP),
            "dbClusterParameterGroupNameRef": Ref(PARAMETER_GROUP),
            "vpcSecurityGroupIdRefs": [subject.part_ref("network", SECURITY_GROUP)],
            "storageEncrypted": True,
            "kmsKeyId": subject.key_arn,
            "serverlessv2ScalingConfiguration": {"minCapacity": spec.min_capacity, "maxCapacity": spec.max_capacity},
            "iamDatabaseAuthenticationEnabled": True,
            "backupRetentionPeriod": spec.backup_retention_days,
            "preferredBackupWindow": spec.backup_window,
            "preferredMaintenanceWindow": spec.maintenance_window,
            "copyTagsToSnapshot": True,
            "deleteAutomatedBackups": not database.protected,
            "deletionProtection": database.protected,
            # One of the two is needed, or the provider cannot delete it (05, section 2).
            "skipFinalSnapshot": not database.protected,
            "finalSnapshotIdentifier": f"{identifier}-final",
            "enabledCloudwatchLogsExports": [export.value for export in database.exports],
            # A change that waits for the maintenance window is a difference until then, sent again in every pass.
            "applyImmediately": True,
            **_place(database),
        },
        external_name=identifier,
        handling=_handling(database),
    )


def _place(database: Database) -> Json:
    """Returns the fields that differ with the place.

    Passwords: AWS manages one for a regional cluster alone (no member of a global database may have it), takes a
    generated one for the primary, and refuses any for a secondary (05, section 3, items 1 and 2). Membership is said
    always: a provider that reads nothing there takes the cluster out of its global database (item 3).
    """
    spec, subject = database.spec, database.subject
    administrator = {"databaseName": spec.database_name, "masterUsername": spec.master_username}
    if database.is_secondary:
        return {"globalClusterIdentifier": global_cluster.identifier(database)}
    if database.is_primary:
        return {
            **administrator,
            "autoGeneratePassword": True,
            "masterPasswordSecretRef": {"name": subject.resource_name("password"), "key": PASSWORD_KEY},
            "globalClusterIdentifier": global_cluster.identifier(database),
        }
    return {
        **administrator,
        "engineVersion": spec.engine_version,
        "manageMasterUserPassword": True,
        "masterUserSecretKmsKeyId": subject.key_arn,
    }


def _handling(database: Database) -> Handling:
    return Handling(
        retained=database.protected,
        init_provider=_init(database),
        connection_secret=database.subject.resource_name("connection") if database.is_primary else "",
        # The endpoint of a secondary's cluster is inactive for as long as it follows.
        needs=("arn", "readerEndpoint") if database.is_secondary else (),
        after=(
            *logs.keys(database),
            *((global_cluster.GLOBAL_CLUSTER,) if database.is_primary else ()),
        ),
    )


def _init(database: Database) -> Json:
    """Returns what a member says when it is made and AWS changes behind our back ever after.

    The replication source: AWS fills it in on a secondary and moves it at a switchover. Where nothing is wanted there,
    the provider promotes the secondary out of its global database; where an old value is, it fails (05, section 3,
    item 4; terraform-provider-aws#40921, #43214). Here it is ignored, and "" is never sent.

    The version: the global database upgrades its members. The source region: without it AWS refuses an encrypted
    secondary for want of a pre-signed URL, and it cannot be read back (terraform-provider-aws#13715).
    """
    if database.is_primary:
        return {"engineVersion": database.spec.engine_version, "replicationSourceIdentifier": ""}
    if not database.is_secondary:
        return {}
    fact = database.subject.spec.facts.global_cluster
    unknown: Unknown = global_cluster.NOT_YET
    there = database.subject.observed.get(CLUSTER)
    # Where it came from stays, whichever region writes later.
    source = there.field("spec", "initProvider", "sourceRegion") if there else None
    return {
        "engineVersion": fact.engine_version if fact else unknown,
        "replicationSourceIdentifier": "",
        "sourceRegion": source or (fact.region if fact else unknown),
    }


def outputs(database: Database) -> dict[str, str | None]:
    """Returns the endpoints, and where the administrator's password is.

    The endpoint of a cluster that follows is inactive, so what it offers is its reader. Which one that is AWS says: a
    switchover moves it. A cluster tells of that before its global database does.
    """
    observation = database.subject.observed.get(CLUSTER)
    if observation is None:
        return {}

    def made(*path: str) -> str | None:
        return observation.field("status", "atProvider", *path) or None

    writes = global_cluster.writer(database) == database.subject.region and not made("replicationSourceIdentifier")
    secrets = observation.field("status", "atProvider", "masterUserSecret")
    secret = secrets[0] if isinstance(secrets, list) and secrets else {}
    reader = made("readerEndpoint")
    return {
        "clusterEndpoint": made("endpoint") if writes else reader,
        "readerEndpoint": reader,
        "databaseSecretName": observation.field("spec", "writeConnectionSecretToRef", "name") if reader else None,
        "databaseSecretArn": secret.get("secretArn"),
    }
