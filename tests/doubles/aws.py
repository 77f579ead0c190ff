"""What AWS says of a resource once it is made: its own names for it, in its own shape.

A double, and named as one: no AWS is asked. `golden.world` uses it without a control plane, `doubles.provider` on one.
"""

from collections.abc import Callable, Iterable
from typing import Any

from tap_api.base import Json
from tap_api.naming import digest

ACCOUNT = "123456789012"
AWS_DEFAULT_POLICY = '{"Version":"2012-10-17","Id":"key-default-1","Statement":[]}'


def provided(resource: Json) -> Json:
    """Returns a managed resource as the provider leaves it: made, synced and ready."""
    spec, name, kind = resource["spec"]["forProvider"], resource["metadata"]["name"], resource["kind"]
    service = resource["apiVersion"].partition(".")[0]
    made: Json = {**spec, "id": f"{kind.lower()}-{digest(name)}"}
    # A target of EventBridge has none of its own: the field is whom it tells.
    made.setdefault("arn", f"arn:aws:{service}:{spec.get('region', '')}:{ACCOUNT}:{kind.lower()}/{digest(name)}")
    made.update(_OF_AWS.get(f"{service}.{kind}", _nothing)(resource))
    if kind == "Key":
        # AWS keeps its own spelling of a policy.
        made["policy"] = spec.get("policy", AWS_DEFAULT_POLICY).replace(",", ", ")
        made["keyId"] = digest(name)
    return {**resource, "status": {"atProvider": made, "conditions": [true("Ready"), true("Synced")]}}


def _nothing(_resource: Json) -> Json:
    return {}


def _global_cluster(resource: Json) -> Json:
    name = external_name(resource)
    return {
        "id": name,
        # A global database is in no region.
        "arn": f"arn:aws:rds::{ACCOUNT}:global-cluster:{name}",
        "engineVersionActual": resource["spec"]["forProvider"]["engineVersion"],
    }


def _cluster(resource: Json) -> Json:
    name, spec = external_name(resource), resource["spec"]["forProvider"]
    host = f"{digest(name)}.{spec['region']}.rds.amazonaws.com"
    made: Json = {
        "id": name,
        "arn": f"arn:aws:rds:{spec['region']}:{ACCOUNT}:cluster:{name}",
        "endpoint": f"{name}.cluster-{host}",
        "readerEndpoint": f"{name}.cluster-ro-{host}",
        **resource["spec"].get("initProvider", {}),
    }
    if "globalClusterIdentifier" in spec and "masterUsername" not in spec:
        made["replicationSourceIdentifier"] = f"arn:aws:rds:{made['sourceRegion']}:{ACCOUNT}:cluster:primary"
    if spec.get("manageMasterUserPassword"):
        arn = f"arn:aws:secretsmanager:{spec['region']}:{ACCOUNT}:secret:rds!cluster-{digest(name)}"
        made["masterUserSecret"] = [{"secretArn": arn, "secretStatus": "active"}]
    return made


def _instance(resource: Json) -> Json:
    name, spec = external_name(resource), resource["spec"]["forProvider"]
    # The first one made writes; a secondary's do not, but nothing here depends on that.
    writes = spec["promotionTier"] == 0
    return {"id": name, "endpoint": f"{name}.{spec['region']}.rds.amazonaws.com", "writer": writes}


def _table(resource: Json) -> Json:
    name, spec = external_name(resource), resource["spec"]["forProvider"]
    arns = {
        replica["regionName"]: f"arn:aws:dynamodb:{replica['regionName']}:{ACCOUNT}:table/{name}"
        for replica in spec.get("replica", [])
    }
    return {
        "id": name,
        "arn": f"arn:aws:dynamodb:{spec['region']}:{ACCOUNT}:table/{name}",
        "replica": [{**replica, "arn": arns[replica["regionName"]]} for replica in spec.get("replica", [])],
    }


def _bucket(resource: Json) -> Json:
    name = external_name(resource)
    return {"id": name, "arn": f"arn:aws:s3:::{name}"}


def _object(resource: Json) -> Json:
    return {"id": resource["spec"]["forProvider"]["key"], "versionId": digest(resource["metadata"]["name"], 32)}


def _function(resource: Json) -> Json:
    name, region = external_name(resource), resource["spec"]["forProvider"]["region"]
    return {"id": name, "arn": f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}", "version": "1"}


def _alias(resource: Json) -> Json:
    name, spec = external_name(resource), resource["spec"]["forProvider"]
    # A reference that nobody resolved yet is all that there is without a control plane.
    function = spec.get("functionName") or spec["functionNameRef"]["name"]
    arn = f"arn:aws:lambda:{spec['region']}:{ACCOUNT}:function:{function}:{name}"
    path = f"path/2015-03-31/functions/{arn}/invocations"
    return {"id": arn, "arn": arn, "invokeArn": f"arn:aws:apigateway:{spec['region']}:lambda:{path}"}


def _queue(resource: Json) -> Json:
    spec = resource["spec"]["forProvider"]
    url = f"https://sqs.{spec['region']}.amazonaws.com/{ACCOUNT}/{spec['name']}"
    return {"id": url, "url": url, "arn": f"arn:aws:sqs:{spec['region']}:{ACCOUNT}:{spec['name']}"}


def _api(resource: Json) -> Json:
    region, found = resource["spec"]["forProvider"]["region"], digest(resource["metadata"]["name"], 10)
    return {
        "id": found,
        "apiEndpoint": f"https://{found}.execute-api.{region}.amazonaws.com",
        "executionArn": f"arn:aws:execute-api:{region}:{ACCOUNT}:{found}",
    }


def _role(resource: Json) -> Json:
    name = external_name(resource)
    return {"id": name, "arn": f"arn:aws:iam::{ACCOUNT}:role/{name}"}


def _trail(resource: Json) -> Json:
    name, region = external_name(resource), resource["spec"]["forProvider"]["region"]
    arn = f"arn:aws:cloudtrail:{region}:{ACCOUNT}:trail/{name}"
    return {"id": arn, "arn": arn, "homeRegion": region}


def _dashboard(resource: Json) -> Json:
    name = external_name(resource)
    # Dashboards are in no region.
    return {"id": name, "dashboardArn": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}"}


def late_initialized(resource: Json, made: Json, known: Iterable[str]) -> Json:
    """Returns what is asked of a resource once the provider has looked at it: with what AWS shows and the spec lacks.

    As upjet does it (pkg/resource/lateinit.go): whole fields, only where something is in them, and whoever put it there.

    Args:
        resource: The object.
        made: The resource as AWS has it.
        known: The fields that can be asked of its kind.
    """
    asked: Json = resource["spec"]["forProvider"]
    if not keeps_name(resource):
        return asked
    shown = made["status"]["atProvider"]
    return {**{field: shown[field] for field in known if field not in asked and shown.get(field)}, **asked}


def keeps_name(resource: Json) -> bool:
    """Returns whether the provider may write into the object: what AWS fills in, and the name that AWS gave.

    upjet#531, crossplane#5918: without LateInitialize it writes neither.
    """
    return bool({"*", "LateInitialize"} & set(resource["spec"]["managementPolicies"]))


def external_name(resource: Json) -> str:
    """Returns the name of a resource in AWS; empty where AWS has not given it one."""
    return str(resource["metadata"].get("annotations", {}).get("crossplane.io/external-name", ""))


def _filled(**fields: Any) -> Callable[[Json], Json]:
    """Returns what says of a resource what AWS fills in where nothing is asked for."""
    return lambda _resource: fields


#: Kind -> what AWS says of one, beside what was asked for.
_OF_AWS: dict[str, Callable[[Json], Json]] = {
    "apigatewayv2.Integration": _filled(connectionType="INTERNET"),
    "ec2.EIP": _filled(publicIpv4Pool="amazon"),
    "ec2.VPC": _filled(instanceTenancy="default"),
    "kms.Key": _filled(customerMasterKeySpec="SYMMETRIC_DEFAULT", keyUsage="ENCRYPT_DECRYPT"),
    "rds.GlobalCluster": _global_cluster,
    "rds.Cluster": _cluster,
    "rds.ClusterInstance": _instance,
    "dynamodb.Table": _table,
    "s3.Bucket": _bucket,
    "s3.Object": _object,
    "lambda.Function": _function,
    "lambda.Alias": _alias,
    "sqs.Queue": _queue,
    "apigatewayv2.API": _api,
    "cloudtrail.Trail": _trail,
    "cloudwatch.Dashboard": _dashboard,
    "iam.Role": _role,
}


def true(type_: str) -> dict[str, Any]:
    """Returns a condition that holds, as a provider writes it."""
    return {"type": type_, "status": "True", "reason": "Available" if type_ == "Ready" else "ReconcileSuccess"}
