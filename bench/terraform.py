"""The resources of a plan as Terraform names them: what bench/cdktn_peer.py asks for, so that both ask for the same.

The provider of Crossplane is made from Terraform's (upjet): its fields are Terraform's in camel case, references to
other resources have names of their own, and what a resource is called in AWS is an annotation.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

#: Group and kind of the provider -> Terraform's resource (without `aws_`), and the argument that its name in AWS is.
KINDS: dict[tuple[str, str], tuple[str, str | None]] = {
    ("apigatewayv2", "API"): ("apigatewayv2_api", None),
    ("apigatewayv2", "Integration"): ("apigatewayv2_integration", None),
    ("apigatewayv2", "Route"): ("apigatewayv2_route", None),
    ("apigatewayv2", "Stage"): ("apigatewayv2_stage", "name"),
    ("cloudwatch", "Dashboard"): ("cloudwatch_dashboard", "dashboard_name"),
    ("cloudwatch", "MetricAlarm"): ("cloudwatch_metric_alarm", "alarm_name"),
    ("cloudwatchevents", "Rule"): ("cloudwatch_event_rule", "name"),
    ("cloudwatchevents", "Target"): ("cloudwatch_event_target", None),
    ("cloudwatchlogs", "Group"): ("cloudwatch_log_group", "name"),
    ("cloudwatchlogs", "MetricFilter"): ("cloudwatch_log_metric_filter", "name"),
    ("dynamodb", "Table"): ("dynamodb_table", "name"),
    ("dynamodb", "Tag"): ("dynamodb_tag", None),
    ("ec2", "DefaultSecurityGroup"): ("default_security_group", None),
    ("ec2", "EIP"): ("eip", None),
    ("ec2", "FlowLog"): ("flow_log", None),
    ("ec2", "InternetGateway"): ("internet_gateway", None),
    ("ec2", "NATGateway"): ("nat_gateway", None),
    ("ec2", "Route"): ("route", None),
    ("ec2", "RouteTable"): ("route_table", None),
    ("ec2", "RouteTableAssociation"): ("route_table_association", None),
    ("ec2", "SecurityGroup"): ("security_group", None),
    ("ec2", "SecurityGroupEgressRule"): ("vpc_security_group_egress_rule", None),
    ("ec2", "SecurityGroupIngressRule"): ("vpc_security_group_ingress_rule", None),
    ("ec2", "Subnet"): ("subnet", None),
    ("ec2", "VPC"): ("vpc", None),
    ("ec2", "VPCEndpoint"): ("vpc_endpoint", None),
    ("ec2", "VPCEndpointRouteTableAssociation"): ("vpc_endpoint_route_table_association", None),
    ("iam", "Role"): ("iam_role", "name"),
    ("iam", "RolePolicy"): ("iam_role_policy", "name"),
    ("kms", "Alias"): ("kms_alias", "name"),
    ("kms", "Key"): ("kms_key", None),
    ("lambda", "Alias"): ("lambda_alias", "name"),
    ("lambda", "Function"): ("lambda_function", "function_name"),
    ("lambda", "FunctionEventInvokeConfig"): ("lambda_function_event_invoke_config", None),
    ("lambda", "Permission"): ("lambda_permission", None),
    ("rds", "Cluster"): ("rds_cluster", "cluster_identifier"),
    ("rds", "ClusterInstance"): ("rds_cluster_instance", "identifier"),
    ("rds", "ClusterParameterGroup"): ("rds_cluster_parameter_group", "name"),
    ("rds", "GlobalCluster"): ("rds_global_cluster", "global_cluster_identifier"),
    ("rds", "SubnetGroup"): ("db_subnet_group", "name"),
    ("s3", "Bucket"): ("s3_bucket", "bucket"),
    ("s3", "BucketLifecycleConfiguration"): ("s3_bucket_lifecycle_configuration", None),
    ("s3", "BucketLogging"): ("s3_bucket_logging", None),
    ("s3", "BucketNotification"): ("s3_bucket_notification", None),
    ("s3", "BucketOwnershipControls"): ("s3_bucket_ownership_controls", None),
    ("s3", "BucketPolicy"): ("s3_bucket_policy", None),
    ("s3", "BucketPublicAccessBlock"): ("s3_bucket_public_access_block", None),
    ("s3", "BucketServerSideEncryptionConfiguration"): ("s3_bucket_server_side_encryption_configuration", None),
    ("s3", "BucketVersioning"): ("s3_bucket_versioning", None),
    ("s3", "Object"): ("s3_object", None),
    ("sns", "Topic"): ("sns_topic", "name"),
    ("sns", "TopicPolicy"): ("sns_topic_policy", None),
    ("sqs", "Queue"): ("sqs_queue", None),
    ("sqs", "QueuePolicy"): ("sqs_queue_policy", None),
}
#: What Terraform plans nothing without, by its path in a plan of ours, which tells it later.
PLANNED = {"spec.forProvider.handler": "processor.handler"}
#: What Terraform wants before a name, which upjet adds.
PREFIXES = {"kms_alias": "alias/"}
#: Fields of upjet's own, which Terraform has not; where a resource is, its stack's provider says.
OF_UPJET = {"region", "autoGeneratePassword"}
#: Fields whose keys are no names of fields.
MAPS = {"tags", "dimensions", "variables", "inputPaths"}


def resources(changes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns what Terraform would be asked for.

    What the plan does not know yet is the id of the region's KMS key here: a reference, as it would be in Terraform.
    What is only observed is left out: Terraform would read it, which needs AWS.

    Args:
        changes: Those of a plan that creates (docs/plan.md).

    Returns:
        For each resource of AWS its `region`, its `type` without `aws_`, its `name`, and its `arguments`, spelled as
        jsii takes them in Python.
    """
    ours = [change for change in changes if "forProvider" in change["wanted"]["spec"]]
    types = {change["name"]: _kind(change)[0] for change in ours}
    keys = {change["region"]: change["name"] for change in ours if change["kind"] == "Key"}
    made = [change for change in ours if change["wanted"]["spec"]["managementPolicies"] != ["Observe"]]
    return [_resource(change, types, keys[change["region"]]) for change in made]


def _kind(change: Mapping[str, Any]) -> tuple[str, str | None]:
    return KINDS[change["apiVersion"].partition(".")[0], change["kind"]]


def _resource(change: Mapping[str, Any], types: Mapping[str, str], key: str) -> dict[str, Any]:
    kind, named = _kind(change)
    wanted, unknown = change["wanted"], _reference(key, types)
    fields = deepcopy({**wanted["spec"].get("initProvider", {}), **wanted["spec"]["forProvider"]})
    for path in change["unknown"] if change["name"] != key else ():
        _fill(fields, path, PLANNED.get(path, unknown))
    arguments = _arguments(fields, types, _snake)
    if named:
        known = wanted["metadata"].get("annotations", {}).get("crossplane.io/external-name", unknown)
        arguments[named] = PREFIXES.get(kind, "") + known
    return {"region": change["region"], "type": kind, "name": change["name"], "arguments": arguments}


def _fill(fields: dict[str, Any], path: str, value: str) -> None:
    """Puts a value where a plan does not know it yet."""
    section, *steps = re.findall(r"\w+", path)[1:]
    if section not in ("forProvider", "initProvider"):
        return
    at: Any = fields
    for step, after in zip(steps, [*steps[1:], ""], strict=True):
        inner = value if not after else [] if after.isdigit() else {}
        if isinstance(at, dict):
            at = at.setdefault(step, inner)
        else:
            if int(step) == len(at):
                at.append(inner)
            at = at[int(step)]


def _arguments(fields: Mapping[str, Any], types: Mapping[str, str], spelled: Callable[[str], str]) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name, value in fields.items():
        if name in OF_UPJET:
            continue
        if name.endswith("SecretRef"):
            arguments[spelled(name.removesuffix("SecretRef"))] = "generated"
        elif name.endswith("Ref"):
            arguments[spelled(name.removesuffix("Ref"))] = _reference(value["name"], types)
        elif name.endswith("Refs"):
            arguments[spelled(name.removesuffix("Refs") + "s")] = [_reference(one["name"], types) for one in value]
        elif name in MAPS:
            arguments[spelled(name)] = value
        else:
            arguments[spelled(name)] = _value(value, types, spelled)
    return arguments


def _value(value: object, types: Mapping[str, str], spelled: Callable[[str], str]) -> object:
    if isinstance(value, Mapping):
        return _arguments(value, types, spelled)
    # jsii makes a structure of a mapping by Python's names, but for those in a list, which it passes on as they are.
    return [_value(one, types, str) for one in value] if isinstance(value, list) else value


def _reference(name: str, types: Mapping[str, str]) -> str:
    return f"${{aws_{types[name]}.{name}.id}}"


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
