"""An AWS account as a provider meets it: what is in it, what it refuses to make, and what it refuses to delete.

A double, and named as one. Each refusal is one of AWS's own, in AWS's own words; there are as many as the order of
what is composed can run into.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from doubles.aws import ACCOUNT, external_name
from tap_api.base import Json
from tap_stack.documents import account_of
from tap_stack.schemas import schemas

#: Kind and name of an object: `rds.Cluster`, `prod-us-east-1-database-cluster`.
Key = tuple[str, str]


def key_of(resource: Json) -> Key:
    """Returns the kind of a resource, told apart by its service too, and its name."""
    return f"{resource['apiVersion'].partition('.')[0]}.{resource['kind']}", resource["metadata"]["name"]


def wanted(resource: Json) -> Json:
    """Returns what is asked of a resource when it is made."""
    asked: Json = {**resource["spec"].get("initProvider", {}), **resource["spec"]["forProvider"]}
    return asked


@dataclass
class Account:
    """What is in an AWS account.

    Attributes:
        made: The resources, each as its object was when AWS was last told, with its status.
        retained: Those of them whose object went and left them.
        writer: The region that a global database was switched over to; empty: it never was.
        strangers: What others have made there, and no object of ours is.
        protected: What others have protected against deletion, of what we made.
    """

    made: dict[Key, Json] = field(default_factory=dict)
    retained: set[Key] = field(default_factory=set)
    writer: str = ""
    strangers: dict[Key, Json] = field(default_factory=dict)
    protected: set[Key] = field(default_factory=set)

    def refusal(self, resource: Json) -> str:
        """Returns why AWS does not make a resource now; empty where it does."""
        refuse = _REFUSALS.get(key_of(resource)[0])
        return refuse(self, resource, wanted(resource)) if refuse else ""

    def changed(self, resource: Json) -> str:
        """Returns why AWS does not change a resource that is made into `resource`; empty where it does."""
        made = self.made[key_of(resource)]
        before = made["spec"]["forProvider"]
        # What AWS chose by itself is in its state: late initialization that copies it into the spec changes nothing.
        chosen = made["status"]["atProvider"]
        now = resource["spec"]["forProvider"]
        replaced = schemas()[resource["apiVersion"].partition("/")[0], resource["kind"]].replaces
        for name in (*_FOREVER.get(key_of(resource)[0], ()), *replaced):
            if now.get(name) != before.get(name) and (name not in now or now[name] != chosen.get(name)):
                # upjet's words (assertNoForceNew, provider-upjet-aws#1432).
                return (
                    f"refuse to update the external resource because the following update requires replacing it:"
                    f" cannot change the value of the argument {name!r} from {before.get(name)!r} to {now.get(name)!r}"
                )
        return _replicas(self, resource, now) if key_of(resource)[0] == "dynamodb.Table" else ""

    def holds(self, resource: Json) -> str:
        """Returns why AWS does not delete a resource now; empty where it does."""
        kind, name = key_of(resource)
        made = self.made.get((kind, name))
        if made is None:
            return ""
        spec = wanted(resource)
        protected = spec.get("deletionProtection") or spec.get("deletionProtectionEnabled")
        if protected or (kind, name) in self.protected:
            return "InvalidParameterCombination: Cannot delete protected resource, please disable deletion protection"
        if spec.get("forceDestroy"):
            return ""
        for user_kind, path in _USERS.get(kind, ()):
            for user in self.of(user_kind):
                if _id(made) in _values(wanted(user), path):
                    return _IN_USE.get(kind, _DEPENDENCIES).format(_id(made), _id(user))
        if kind == "rds.Cluster" and self.writes(made) and len(self.members(spec.get("globalClusterIdentifier"))) > 1:
            # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-managing.html
            return (
                f"InvalidDBClusterStateFault: {_id(made)} is the primary cluster of a global cluster with secondaries"
            )
        return ""

    def members(self, global_cluster: str | None) -> list[Json]:
        """Returns the clusters of a global database, as long as there is one."""
        if self.find("rds.GlobalCluster", id=global_cluster) is None:
            return []
        return [one for one in self.of("rds.Cluster") if wanted(one).get("globalClusterIdentifier") == global_cluster]

    def writes(self, cluster: Json) -> bool:
        """Returns whether a member of a global database is the one that writes."""
        return wanted(cluster)["region"] == self.writer if self.writer else "masterUsername" in wanted(cluster)

    def of(self, kind: str) -> Iterator[Json]:
        """Yields the resources of a kind."""
        there = (*self.made.items(), *self.strangers.items())
        return (resource for (its_kind, _), resource in there if its_kind == kind)

    def keeps_versions(self, bucket: str) -> bool:
        """Returns whether a bucket keeps versions of what is put into it."""
        return any(wanted(setting)["bucket"] == bucket for setting in self.of("s3.BucketVersioning"))

    def find(self, kind: str, **fields: Any) -> Json | None:
        """Returns the resource of a kind whose atProvider has these values."""
        for resource in self.of(kind):
            there = resource["status"]["atProvider"]
            if all(there.get(name) == value for name, value in fields.items()):
                return resource
        return None


def _id(resource: Json) -> str:
    return external_name(resource) or str(resource["status"]["atProvider"]["id"])


def _values(spec: Json, path: str) -> list[Any]:
    node: Any = spec
    for step in path.split("."):
        node = (node or {}).get(step)
    return node if isinstance(node, list) else [node]


def _log_group(account: Account, resource: Json, spec: Json) -> str:
    if "kmsKeyId" not in spec:
        return ""
    key = account.find("kms.Key", arn=spec["kmsKeyId"])
    if key and f"logs.{spec['region']}.amazonaws.com" in key["status"]["atProvider"]["policy"]:
        return ""
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    return (
        f"AccessDeniedException: The specified KMS key does not exist or is not allowed to be used with"
        f" Arn 'arn:aws:logs:{spec['region']}:{account_of(spec['kmsKeyId'])}:log-group:{external_name(resource)}'"
    )


def _nat_gateway(account: Account, _resource: Json, spec: Json) -> str:
    subnet = next((subnet for subnet in account.of("ec2.Subnet") if _id(subnet) == spec["subnetId"]), None)
    vpc = wanted(subnet)["vpcId"] if subnet else ""
    if any(wanted(gateway).get("vpcId") == vpc for gateway in account.of("ec2.InternetGateway")):
        return ""
    return f"Gateway.NotAttached: Network {vpc} has no Internet gateway attached"


def _route(account: Account, _resource: Json, spec: Json) -> str:
    if "gatewayId" in spec and not any(_id(gate) == spec["gatewayId"] for gate in account.of("ec2.InternetGateway")):
        return f"InvalidGatewayID.NotFound: The gateway ID '{spec['gatewayId']}' does not exist"
    return ""


def _cluster(account: Account, _resource: Json, spec: Json) -> str:
    name = spec.get("globalClusterIdentifier")
    if not name:
        return ""
    if spec.get("manageMasterUserPassword"):
        return "InvalidParameterCombination: ManageMasterUserPassword is not supported for a global database"
    found = account.find("rds.GlobalCluster", id=name)
    if found is None:
        return f"GlobalClusterNotFoundFault: Global cluster {name} not found"
    members = [member for member in account.of("rds.Cluster") if wanted(member).get("globalClusterIdentifier") == name]
    if not members:
        for field, parameter in (
            ("masterUsername", "MasterUsername"),
            ("masterPasswordSecretRef", "MasterUserPassword"),
        ):
            if field not in spec:
                return f"InvalidParameterValue: The parameter {parameter} must be provided"
        return ""
    return _secondary(account, spec, found, members[0])


def _secondary(account: Account, spec: Json, global_cluster: Json, primary: Json) -> str:
    if {"masterUsername", "databaseName"} & set(spec):
        return "InvalidParameterCombination: Cannot specify a master user name or a database for a secondary cluster"
    if "masterPasswordSecretRef" in spec:
        # provider-aws#1668
        return "InvalidParameterCombination: Cannot specify password for cross region replication cluster"
    if "kmsKeyId" not in spec or not spec.get("sourceRegion"):
        return "InvalidParameterCombination: PreSignedUrl and KmsKeyId are required to replicate an encrypted cluster"
    version = global_cluster["status"]["atProvider"]["engineVersionActual"]
    if spec.get("engineVersion") != version:
        return (
            f"InvalidParameterValue: engine version {spec.get('engineVersion')} is not the global cluster's, {version}"
        )
    if any(_values(wanted(instance), "clusterIdentifier") == [_id(primary)] for instance in _writers(account)):
        return ""
    arn = primary["status"]["atProvider"]["arn"]
    return f"InvalidDBClusterStateFault: Source cluster {arn} is in a state which is not valid for physical replication"


def _writers(account: Account) -> Iterator[Json]:
    return (one for one in account.of("rds.ClusterInstance") if one["status"]["atProvider"]["writer"])


def _function(account: Account, _resource: Json, spec: Json) -> str:
    code = {"bucket": spec["s3Bucket"], "key": spec["s3Key"], "versionId": spec.get("s3ObjectVersion")}
    if account.find("s3.Object", **code) is None:
        return (
            "InvalidParameterValueException: Error occurred while GetObject. S3 Error Code: NoSuchKey."
            " S3 Error Message: The specified key does not exist."
        )
    granted = [wanted(policy)["policy"] for policy in account.of("iam.RolePolicy") if _is_of(policy, spec["role"])]
    for asked, action in (("vpcConfig", "ec2:CreateNetworkInterface"), ("deadLetterConfig", "sqs:SendMessage")):
        if asked in spec and not any(action in policy for policy in granted):
            call, service = action.partition(":")[2], action.partition(":")[0].upper()
            return (
                "InvalidParameterValueException: The provided execution role does not have permissions to call"
                f" {call} on {service}"
            )
    return ""


def _is_of(policy: Json, role_arn: str) -> bool:
    return role_arn.endswith(f"/{wanted(policy)['role']}")


def _alias(account: Account, _resource: Json, spec: Json) -> str:
    function = account.find("lambda.Function", id=spec["functionName"])
    # AWS keeps every version that it has published.
    if function and 1 <= int(spec["functionVersion"]) <= int(function["status"]["atProvider"]["version"]):
        return ""
    return f"ResourceNotFoundException: Function not found: {spec['functionName']}:{spec['functionVersion']}"


def _qualified(account: Account, _resource: Json, spec: Json) -> str:
    """The alias has to be there before anything is said of it."""
    for alias in account.of("lambda.Alias"):
        if wanted(alias)["functionName"] == spec["functionName"] and external_name(alias) == spec["qualifier"]:
            return ""
    return f"ResourceNotFoundException: Cannot find alias arn: {spec['functionName']}:{spec['qualifier']}"


def _notification(account: Account, _resource: Json, spec: Json) -> str:
    for target in spec["lambdaFunction"]:
        permitted = any(
            wanted(one)["principal"] == "s3.amazonaws.com"
            and wanted(one)["sourceArn"] == f"arn:aws:s3:::{spec['bucket']}"
            and target["lambdaFunctionArn"].endswith(f":{wanted(one)['functionName']}:{wanted(one)['qualifier']}")
            for one in account.of("lambda.Permission")
        )
        if not permitted:
            return "InvalidArgument: Unable to validate the following destination configurations"
    return ""


def _table(account: Account, resource: Json, spec: Json) -> str:
    if resource["spec"]["managementPolicies"] != ["Observe"]:
        return _replicas(account, resource, spec)
    return "" if _replica(account, external_name(resource), spec["region"]) else "external resource does not exist"


def _replicas(account: Account, _resource: Json, spec: Json) -> str:
    for replica in spec.get("replica", []):
        key = account.find("kms.Key", arn=replica["kmsKeyArn"])
        if key is None or wanted(key)["region"] != replica["regionName"]:
            return f"ValidationException: KMS key {replica['kmsKeyArn']} is not in {replica['regionName']}"
        if not spec.get("streamEnabled"):
            return "ValidationException: Table must have streams enabled with NEW_AND_OLD_IMAGES to add a replica"
    return ""


def _replica(account: Account, table: str, region: str) -> bool:
    return any(
        external_name(owner) == table and replica["regionName"] == region
        for owner in account.of("dynamodb.Table")
        for replica in owner["status"]["atProvider"].get("replica", [])
    )


def _table_tag(account: Account, _resource: Json, spec: Json) -> str:
    table, region = spec["resourceArn"].rpartition("/")[2], spec["region"]
    if _replica(account, table, region) or account.find("dynamodb.Table", arn=spec["resourceArn"]):
        return ""
    return f"ResourceNotFoundException: Requested resource not found: ResourceArn: {spec['resourceArn']} not found"


def _stage(account: Account, _resource: Json, spec: Json) -> str:
    arn = spec.get("accessLogSettings", {}).get("destinationArn")
    if arn is None or account.find("cloudwatchlogs.Group", arn=arn):
        return ""
    return f"NotFoundException: Invalid ARN specified in the request. {arn} does not exist"


def _trail(account: Account, resource: Json, spec: Json) -> str:
    """CloudTrail tries to write when a trail is made (CreateTrail's errors, in the API reference of CloudTrail)."""
    arn = f"arn:aws:cloudtrail:{spec['region']}:{ACCOUNT}:trail/{external_name(resource)}"
    bucket = spec["s3BucketName"]
    written = f"{bucket}/{spec['s3KeyPrefix']}/AWSLogs/{ACCOUNT}/*"
    policies = [_shown(one) for one in account.of("s3.BucketPolicy") if wanted(one)["bucket"] == bucket]
    if not any(arn in policy and written in policy for policy in policies):
        return f"InsufficientS3BucketPolicyException: Incorrect S3 bucket policy is detected for bucket: {bucket}"
    key = account.find("kms.Key", arn=spec["kmsKeyId"])
    if key is None or arn not in _shown(key):
        return (
            f"InsufficientEncryptionPolicyException: Insufficient permissions to access S3 bucket {bucket} or KMS key"
            f" {spec['kmsKeyId']}."
        )
    return ""


def _shown(resource: Json) -> str:
    return str(resource["status"]["atProvider"]["policy"])


#: Kind -> why AWS does not make one.
_REFUSALS: dict[str, Callable[[Account, Json, Json], str]] = {
    "cloudwatchlogs.Group": _log_group,
    "ec2.NATGateway": _nat_gateway,
    "ec2.Route": _route,
    "rds.Cluster": _cluster,
    "lambda.Function": _function,
    "lambda.Alias": _alias,
    "lambda.Permission": _qualified,
    "lambda.FunctionEventInvokeConfig": _qualified,
    "s3.BucketNotification": _notification,
    "dynamodb.Table": _table,
    "dynamodb.Tag": _table_tag,
    "apigatewayv2.Stage": _stage,
    "cloudtrail.Trail": _trail,
}

#: Kind -> what AWS cannot change in one, beside what the Terraform provider says it replaces (05, section 3, item 3).
_FOREVER: dict[str, tuple[str, ...]] = {"rds.Cluster": ("globalClusterIdentifier",)}

_DEPENDENCIES = "DependencyViolation: {} has dependencies and cannot be deleted ({})"
#: Kind -> what AWS says of one that is in use, and by what, where it says it otherwise.
_IN_USE = {
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    "s3.Bucket": "BucketNotEmpty: The bucket you tried to delete is not empty. You must delete all versions in {} ({})",
    # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteGlobalCluster.html
    "rds.GlobalCluster": "InvalidGlobalClusterStateFault: Global cluster {} is not empty ({})",
}

#: Kind -> who may use one, and where that says so: AWS deletes nothing that is in use.
_USERS: dict[str, tuple[tuple[str, str], ...]] = {
    "ec2.VPC": (
        ("ec2.Subnet", "vpcId"),
        ("ec2.InternetGateway", "vpcId"),
        ("ec2.RouteTable", "vpcId"),
        ("ec2.SecurityGroup", "vpcId"),
        ("ec2.VPCEndpoint", "vpcId"),
    ),
    "ec2.Subnet": (
        ("ec2.NATGateway", "subnetId"),
        ("ec2.NetworkInterface", "subnetId"),
        ("lambda.Function", "vpcConfig.subnetIds"),
        ("rds.SubnetGroup", "subnetIds"),
    ),
    "ec2.SecurityGroup": (
        ("lambda.Function", "vpcConfig.securityGroupIds"),
        ("rds.Cluster", "vpcSecurityGroupIds"),
        ("ec2.SecurityGroupIngressRule", "referencedSecurityGroupId"),
        ("ec2.SecurityGroupEgressRule", "referencedSecurityGroupId"),
    ),
    "ec2.EIP": (("ec2.NATGateway", "allocationId"),),
    "ec2.RouteTable": (("ec2.RouteTableAssociation", "routeTableId"),),
    "rds.SubnetGroup": (("rds.Cluster", "dbSubnetGroupName"),),
    "rds.ClusterParameterGroup": (("rds.Cluster", "dbClusterParameterGroupName"),),
    "rds.Cluster": (("rds.ClusterInstance", "clusterIdentifier"),),
    "rds.GlobalCluster": (("rds.Cluster", "globalClusterIdentifier"),),
    "s3.Bucket": (("s3.Object", "bucket"),),
    "iam.Role": (("iam.RolePolicy", "role"),),
    # ConflictException: Cannot delete authorizer, is referenced in route.
    "apigatewayv2.Authorizer": (("apigatewayv2.Route", "authorizerId"),),
}
