"""Every claim keeps every control at every step, and each control bites: a mutant for each."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from golden.world import Environment, claims
from tap_api.base import Json
from tap_api.kinds import PARTS
from tap_stack import compliance
from tap_stack.compliance import CONTROLS, Inventory, Item
from tap_stack.composed import Composed, Condition

Fields = dict[str, Any]
Change = Callable[[Fields], object]


def verdict(composed: Composed) -> Condition:
    return next(condition for condition in composed.conditions if condition.type == "Compliant")


@pytest.mark.parametrize("claim", claims())
def test_no_step_of_any_claim_breaks_a_control(claim: str) -> None:
    environment = Environment(claim)
    for _ in range(8):
        for turned in environment.turn().values():
            for _, composed in turned:
                assert "compliance" not in composed.status, composed.status["compliance"]
                assert verdict(composed).status in ("True", "Unknown")
    for turned in environment.settle().values():
        assert {verdict(composed) for _, composed in turned} == {Condition("Compliant", "True", "ControlsHold")}


@cache
def settled() -> tuple[Item, ...]:
    """Every AWS resource of the claim of prod, of both roles of a region, with a subscription and a trail."""
    subscribed = {"subscriptions": [{"protocol": "https", "endpoint": "https://a.example/hook"}], "trail": "Create"}
    turned = Environment("prod", monitoring=subscribed).settle()
    return tuple(
        item
        for region in ("us-east-1", "us-east-2")
        for _, composed in turned[region]
        for item in inventory(composed).items
    )


def inventory(composed: Composed) -> Inventory:
    from tap_stack.assembly import Assembly

    return compliance.inventory(Assembly(composed.resources, composed.withheld))


def found(items: tuple[Item, ...]) -> set[tuple[str, str]]:
    return {(finding.code, finding.resource) for finding in compliance.audit(Inventory(items))}


def put(*path: str, to: Any) -> Change:
    """Returns a change that puts a value at a path; None removes it."""

    def change(fields: Fields) -> None:
        *parents, last = path
        for step in parents:
            fields = fields[step]
        if to is None:
            del fields[last]
        else:
            fields[last] = to

    return change


def document(change: Callable[[Json], object], field: str = "policy") -> Change:
    """Returns a change of the first statement of a policy."""

    def changed(fields: Fields) -> None:
        policy = json.loads(fields[field])
        change(policy["Statement"][0])
        fields[field] = json.dumps(policy)

    return changed


def gone(fields: Fields) -> None:
    """Marks a resource to be left out."""
    fields["gone"] = True


#: Control, the resource that is changed, the change, and the resource that is found where it is another one.
MUTANTS: list[tuple[str, str, Change, str]] = [
    ("KeyRotation", "key", put("enableKeyRotation", to=False), ""),
    ("BucketEncryption", "data-bucket-encryption", gone, "data-bucket"),
    (
        "BucketEncryption",
        "data-bucket-encryption",
        put("rule", to=[{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]),
        "data-bucket",
    ),
    (
        "BucketEncryption",
        "data-bucket-encryption",
        put("rule", to=[{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]),
        "data-bucket",
    ),
    ("BucketEncryption", "log-bucket-encryption", gone, "log-bucket"),
    ("BucketPrivate", "data-bucket-public-access", gone, "data-bucket"),
    ("BucketPrivate", "log-bucket-public-access", put("blockPublicPolicy", to=False), "log-bucket"),
    ("BucketOwner", "data-bucket-ownership", put("rule", "objectOwnership", to="ObjectWriter"), "data-bucket"),
    ("BucketTls", "data-bucket-policy", gone, "data-bucket"),
    ("BucketTls", "log-bucket-policy", document(lambda s: s.pop("Condition")), "log-bucket"),
    (
        "BucketVersions",
        "data-bucket-versioning",
        put("versioningConfiguration", "status", to="Suspended"),
        "data-bucket",
    ),
    ("ObjectPrivate", "code-", put("kmsKeyId", to=None), ""),
    ("ObjectPrivate", "code-", put("acl", to="public-read"), ""),
    ("TableEncryption", "table", put("serverSideEncryption", to={"enabled": True}), ""),
    ("TableEncryption", "table", lambda fields: fields["replica"][0].pop("kmsKeyArn"), ""),
    ("TableRecovery", "table", put("pointInTimeRecovery", "enabled", to=False), ""),
    ("TableRecovery", "table", lambda fields: fields["replica"][1].pop("pointInTimeRecovery"), ""),
    ("DatabaseEncryption", "cluster", put("storageEncrypted", to=False), ""),
    ("DatabaseEncryption", "cluster", put("kmsKeyId", to=None), ""),
    ("DatabaseEncryption", "global-cluster", put("storageEncrypted", to=None), ""),
    ("DatabaseTls", "parameter-group", put("parameter", to=[{"name": "require_secure_transport", "value": "OFF"}]), ""),
    ("DatabaseTls", "cluster", put("dbClusterParameterGroupNameRef", to=None), ""),
    ("DatabasePrivate", "instance-a-1", put("publiclyAccessible", to=True), ""),
    ("DatabasePrivate", "instance-a-1", put("publiclyAccessible", to=None), ""),
    ("DatabaseRecovery", "cluster", put("backupRetentionPeriod", to=0), ""),
    ("DatabaseRecovery", "cluster", put("iamDatabaseAuthenticationEnabled", to=False), ""),
    ("FunctionEncryption", "function", put("kmsKeyArn", to=None), ""),
    ("FunctionPrivate", "function", put("vpcConfig", to=None), ""),
    ("FunctionCallers", "permission-bucket", put("sourceAccount", to=None), ""),
    ("FunctionCallers", "permission-api", put("sourceArn", to=None), ""),
    ("FunctionCallers", "permission-api", put("principal", to="*"), ""),
    ("QueueEncryption", "dead-letters", put("kmsMasterKeyId", to=None), ""),
    ("QueueTls", "dead-letters-policy", gone, "dead-letters"),
    ("TopicEncryption", "topic", put("kmsMasterKeyId", to=None), ""),
    ("TopicTls", "topic-policy", document(lambda s: s.update(Effect="Allow", Principal={"AWS": "1"})), "topic"),
    ("SubscriptionTls", "subscription-", put("protocol", to="http"), ""),
    ("LogEncryption", "flow-log-group", put("kmsKeyId", to=None), ""),
    ("LogRetention", "api-log-group", put("retentionInDays", to=None), ""),
    ("LogRetention", "log-group", put("retentionInDays", to=0), ""),
    ("FlowLogs", "flow-log", gone, "vpc"),
    ("FlowLogs", "flow-log", put("trafficType", to="REJECT"), "vpc"),
    ("DefaultSecurityGroup", "default-security-group", gone, "vpc"),
    ("DefaultSecurityGroup", "default-security-group", put("ingress", to=[{"protocol": "-1"}]), "vpc"),
    ("Ingress", "rule-database-from-client", put("cidrIpv4", to="0.0.0.0/0"), ""),
    ("Ingress", "rule-database-from-client", put("cidrIpv6", to="::/0"), ""),
    ("Ingress", "rule-database-from-client", put("ipProtocol", to="-1"), ""),
    ("Egress", "rule-processor-to-https", put("fromPort", to=0), ""),
    ("Egress", "rule-client-to-database", put("cidrIpv4", to="0.0.0.0/0"), ""),
    ("SubnetPrivate", "private-a", put("mapPublicIpOnLaunch", to=True), ""),
    (
        "DatabaseIsolated",
        "route-private-a-internet",
        put("routeTableIdRef", to={"name": "prod-us-east-1-network-routes-database"}),
        "",
    ),
    ("EndpointPolicy", "endpoint-s3", document(lambda s: s.pop("Condition")), ""),
    ("EndpointPolicy", "endpoint-s3", put("policy", to=None), ""),
    ("PolicyPublic", "key", document(lambda s: s.update(Principal="*")), ""),
    ("PolicyPublic", "topic-policy", document(lambda s: (s.update(Effect="Allow"), s.pop("Condition"))), ""),
    ("PolicyPublic", "data-bucket-policy", document(lambda s: (s.update(Effect="Allow"), s.pop("Condition"))), ""),
    (
        "PolicyPublic",
        "dead-letters-policy",
        document(lambda s: (s.update(Effect="Allow", Principal={"AWS": ["*"]}), s.pop("Condition"))),
        "",
    ),
    ("RoleWildcard", "role-policy-data", document(lambda s: s.update(Action="s3:*")), ""),
    ("RoleWildcard", "role-policy-data", document(lambda s: s.update(Resource="*")), ""),
    ("RoleWildcard", "role-policy-data", document(lambda s: s.update(NotAction=s.pop("Action"))), ""),
    ("RoleTrust", "role", document(lambda s: s.update(Principal={"AWS": "*"}), "assumeRolePolicy"), ""),
    ("RoleTrust", "role", document(lambda s: s.pop("Condition"), "assumeRolePolicy"), ""),
    ("ApiAuthorization", "route-read-session", put("authorizationType", to="NONE"), ""),
    ("ApiAuthorization", "route-read-session", put("authorizationType", to=None), ""),
    ("ApiLog", "stage", put("accessLogSettings", to=None), ""),
    ("ApiLog", "stage", put("defaultRouteSettings", to={}), ""),
    ("TrailTrusted", "trail", put("kmsKeyId", to=None), ""),
    ("TrailTrusted", "trail", put("enableLogFileValidation", to=False), ""),
    ("BucketLog", "data-bucket-logging", put("bucketRef", to={"name": "another"}), "data-bucket"),
]


def mutated(key: str, change: Change) -> tuple[tuple[Item, ...], str]:
    """Returns the resources with the first one whose key begins with `key` changed, and its key."""
    items = settled()
    exact = [item for item in items if item.key == key]
    victim = (exact or [item for item in items if item.key.startswith(key)])[0]
    fields = deepcopy(dict(victim.fields))
    change(fields)
    instead = [] if fields.pop("gone", False) else [replace(victim, fields=fields)]
    return tuple(kept for item in items for kept in (instead if item is victim else [item])), victim.key


def test_the_whole_of_prod_breaks_none() -> None:
    assert found(settled()) == set()


@pytest.mark.parametrize(("code", "key", "change", "culprit"), MUTANTS)
def test_each_control_bites(code: str, key: str, change: Change, culprit: str) -> None:
    items, changed = mutated(key, change)
    assert (code, culprit or changed) in found(items)


def test_every_control_has_a_mutant_and_judges_something_that_is_composed() -> None:
    assert {code for code, *_ in MUTANTS} == {control.code for control in CONTROLS}
    kinds = {item.kind for item in settled()}
    for control in CONTROLS:
        assert set(control.kinds) <= kinds, control.code
        assert control.purpose.endswith(".")
    assert len({control.code for control in CONTROLS}) == len(CONTROLS)


def test_a_kind_that_holds_data_or_opens_a_way_is_judged() -> None:
    """A kind that is new has to be thought about: it is either judged, or listed here with its reason."""
    spared = {
        "apigatewayv2.API": "its routes and its stage are judged",
        "apigatewayv2.Integration": "leads to the function alone",
        "cloudwatch.Dashboard": "shows numbers",
        "cloudwatch.MetricAlarm": "holds no data",
        "cloudwatchevents.Rule": "its target is",
        "cloudwatchevents.Target": "sends to the topic, which is judged",
        "cloudwatchlogs.MetricFilter": "counts",
        "dynamodb.Tag": "a tag",
        "ec2.EIP": "the address of a NAT gateway: nothing comes in by it",
        "ec2.InternetGateway": "routes and groups say what passes",
        "ec2.NATGateway": "lets nothing in",
        "ec2.RouteTable": "its routes are judged",
        "ec2.RouteTableAssociation": "its table's routes are judged",
        "ec2.SecurityGroup": "its rules are judged",
        "ec2.DefaultSecurityGroup": "judged with its VPC",
        "ec2.FlowLog": "judged with its VPC",
        "ec2.VPCEndpointRouteTableAssociation": "its endpoint is judged",
        "kms.Alias": "a name",
        "lambda.Alias": "a name",
        "lambda.FunctionEventInvokeConfig": "retries",
        "rds.SubnetGroup": "its subnets have no way out",
        "s3.BucketLifecycleConfiguration": "how long things are kept is a choice",
        "s3.BucketLogging": "judged with its bucket",
        "s3.BucketNotification": "calls the function, whose permission is judged",
        "s3.BucketOwnershipControls": "judged with its bucket",
        "s3.BucketPublicAccessBlock": "judged with its bucket",
        "s3.BucketServerSideEncryptionConfiguration": "judged with its bucket",
        "s3.BucketVersioning": "judged with its bucket",
    }
    judged = {kind for control in CONTROLS for kind in control.kinds}
    assert {item.kind for item in settled()} - judged == set(spared)


def test_an_open_api_is_told_up_to_the_region_with_its_part() -> None:
    settled = Environment("dev", api={"authorization": "None"}).settle()
    (_, region), *parts = next(iter(settled.values()))
    assert (verdict(region).status, verdict(region).reason) == ("False", "ControlsBroken")
    listed = region.status["compliance"]
    assert {entry["code"] for entry in listed} == {"ApiAuthorization"}
    assert all(entry["resource"].startswith("processor/route-") for entry in listed)
    assert "processor/route-health" not in {entry["resource"] for entry in listed}
    assert [verdict(c).status for xr, c in parts] == [
        "False" if xr["kind"] == "RegionalProcessor" else "True" for xr, c in parts
    ]


def test_nothing_is_compliant_by_being_empty() -> None:
    first = Environment("prod").turn()["us-east-1"]
    (_, region), *_ = first
    assert verdict(region) == Condition(
        "Compliant", "Unknown", "NotReported", f"Not judged yet: {', '.join(kind.part for kind in PARTS)}."
    )


def test_findings_are_bounded_sorted_and_cut() -> None:
    groups = tuple(Item(f"log-{i:02}", "cloudwatchlogs.Group", f"log-{i:02}", {}) for i in range(60))
    listed = compliance.audit(Inventory(groups))
    assert listed == sorted(listed, key=lambda finding: (finding.resource, finding.code))
    assert len(compliance.reported(listed)["compliance"]) == 50
    assert compliance.condition(listed).message.endswith("and 115 more in status.compliance")


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"Statement": 7}', '{"Statement": [7, null]}'])
def test_a_policy_that_is_none_is_judged_without_an_error(text: str) -> None:
    kinds = ("kms.Key", "iam.RolePolicy", "s3.BucketPolicy", "ec2.VPCEndpoint")
    items = tuple(Item(kind, kind, kind, {"policy": text}) for kind in kinds)
    assert found(items) >= {("EndpointPolicy", "ec2.VPCEndpoint")}
