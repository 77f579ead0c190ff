"""What moto gets wrong of AWS's answers, set right where the provider would otherwise stop at it.

`tests/aws/test_moto.py` holds that moto alone still answers otherwise, so a mend that moto makes itself is found and
removed. What moto does not have at all is not here: docs/moto.md lists that.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.rds.models import GlobalCluster, RDSBackend, rds_backends
from moto.rds.responses import RDSResponse
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response

_permits_logging = FakeBucket._log_permissions_enabled_policy
_bucket_encryption = S3Response.get_bucket_encryption
_create_global_cluster = RDSResponse.create_global_cluster
_tagged = RDSBackend._get_resource_for_tagging
_make_function = LambdaFunction.__init__
_update_function = LambdaFunction.update_configuration
_configuration = LambdaFunction.get_configuration
#: What moto forgets of a function; a provider that does not find it sets it again in every pass, in a new version.
_FORGOTTEN = ("DeadLetterConfig", "LoggingConfig")


def apply() -> None:
    """Mend moto in this process."""
    FakeBucket.get_permission = permission  # type: ignore[assignment,method-assign]
    FakeBucket._log_permissions_enabled_policy = staticmethod(permits_logging)  # type: ignore[method-assign]
    S3Response.get_bucket_encryption = bucket_encryption  # type: ignore[assignment,method-assign]
    RDSResponse.create_global_cluster = create_global_cluster  # type: ignore[assignment,method-assign]
    RDSBackend.remove_from_global_cluster = leave_global_cluster  # type: ignore[assignment,method-assign]
    RDSBackend._get_resource_for_tagging = tagged  # type: ignore[assignment,method-assign]
    LambdaFunction.vpc_config = property(in_vpc)  # type: ignore[assignment,method-assign]
    LambdaFunction.__init__ = make_function  # type: ignore[assignment,method-assign]
    LambdaFunction.update_configuration = update_function  # type: ignore[assignment,method-assign]
    LambdaFunction.get_configuration = configuration  # type: ignore[assignment,method-assign]


def permission(bucket: FakeBucket, action: str, resource: str) -> Any:  # noqa: ANN401 (moto's own)
    """Return what a bucket's policy says; moto denies whatever is denied on a condition, without looking at it.

    Ours deny requests without TLS, and what is not encrypted with the region's key: the provider's are neither.
    """
    statements = [one for one in _statements(bucket) if "Condition" not in one]
    if not statements:
        return PermissionResult.NEUTRAL
    return IAMPolicy(json.dumps({"Statement": statements})).is_action_permitted(action, resource)


def permits_logging(target_bucket: FakeBucket, target_prefix: str | None) -> bool:
    """Return whether a bucket's policy lets S3 write logs; moto stops at a statement for everybody, `"*"`."""
    statements = [one for one in _statements(target_bucket) if isinstance(one.get("Principal"), dict)]
    policy = json.dumps({"Statement": statements}).encode()
    view: Any = SimpleNamespace(policy=policy, partition=target_bucket.partition, name=target_bucket.name)
    return _permits_logging(view, target_prefix)


def bucket_encryption(response: S3Response) -> Any:  # noqa: ANN401 (moto's own)
    """Answer how a bucket encrypts; moto keeps which ways it blocks, and does not tell.

    So the provider set it again several times a second, and each time S3 wrote a line to the log bucket.
    """
    kept = response.backend.get_bucket_encryption(response.bucket_name)
    blocked = kept["Rule"].get("BlockedEncryptionTypes") if kept else None
    if not kept or not blocked:
        return _bucket_encryption(response)
    types = blocked["EncryptionType"]
    rule = {
        "ApplyServerSideEncryptionByDefault": kept["Rule"]["ApplyServerSideEncryptionByDefault"],
        "BucketKeyEnabled": kept["Rule"].get("BucketKeyEnabled") == "true",
        "BlockedEncryptionTypes": {"EncryptionType": types if isinstance(types, list) else [types]},
    }
    response.data["Action"] = "GetBucketEncryption"
    return response.serialized(ActionResult({"ServerSideEncryptionConfiguration": {"Rules": [rule]}}))


def create_global_cluster(response: RDSResponse) -> ActionResult:
    """Create a global cluster, and keep the name of its database and its tags: moto loses both."""
    result = _create_global_cluster(response)
    cluster: Any = response.global_backend.global_clusters[response.params["GlobalClusterIdentifier"]]
    cluster.database_name = response.params.get("DatabaseName")
    cluster.add_tags(response.params.get("Tags", []))
    return result


def leave_global_cluster(
    backend: RDSBackend, global_cluster_identifier: str, db_cluster_identifier: str
) -> GlobalCluster | None:
    """Take a member out of its global cluster; moto looks for both in the member's region, and finds neither."""
    cluster = _home(backend).global_clusters.get(global_cluster_identifier)
    if cluster:
        cluster.members = [one for one in cluster.members if one.db_cluster_arn != db_cluster_identifier]
    return cluster


def tagged(backend: RDSBackend, arn: str) -> Any:  # noqa: ANN401 (moto's own)
    """Return what has tags; moto knows no ARN without a region, and that of a global cluster has none."""
    for cluster in _home(backend).describe_global_clusters():
        if cluster.global_cluster_arn == arn:
            return cluster
    return _tagged(backend, arn)


def in_vpc(function: LambdaFunction) -> dict[str, Any] | None:
    """Return where a function's addresses are; moto tells of a VPC that is not there, `vpc-123abc`.

    AWS deletes no subnet that a function is in, moto does: such a function is in no VPC any more.
    """
    config = function._vpc_config
    if not config or not config.get("SubnetIds"):
        return config or None
    subnets = ec2_backends[function.account_id][function.region].describe_subnets()
    vpc = next((subnet.vpc_id for subnet in subnets if subnet.id == config["SubnetIds"][0]), "")
    return {**config, "VpcId": vpc}


def make_function(
    function: LambdaFunction, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1
) -> None:
    """Make a function, and keep what moto forgets of it."""
    _make_function(function, account_id, spec, region, version)
    function.__dict__["tap_kept"] = {name: spec[name] for name in _FORGOTTEN if name in spec}


def update_function(function: LambdaFunction, config_updates: dict[str, Any]) -> dict[str, Any]:
    """Change a function, and what moto forgets of it."""
    changed = {name: config_updates[name] for name in _FORGOTTEN if name in config_updates}
    # A version is a copy of the function, and stays as it was.
    function.__dict__["tap_kept"] = {**function.__dict__["tap_kept"], **changed}
    return _update_function(function, config_updates)


def configuration(function: LambdaFunction, on_create: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 (moto's own)
    """Return what is told of a function, with what moto forgets."""
    return {**_configuration(function, on_create), **function.__dict__["tap_kept"]}


def _home(backend: RDSBackend) -> RDSBackend:
    """Return the backend that moto keeps global clusters in."""
    return rds_backends[backend.account_id]["us-east-1"]


def _statements(bucket: FakeBucket) -> list[dict[str, Any]]:
    found = json.loads(bucket.policy.decode())["Statement"] if bucket.policy else []
    return found if isinstance(found, list) else [found]
