"""Controls on what can be reached and who may do what: the network, the API, rights, logs."""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_stack.compliance.control import (
    Finding,
    Inventory,
    Item,
    is_private,
    many,
    refuses_plain_text,
)
from tap_stack.values import Unknown

_EVERYWHERE = ("0.0.0.0/0", "::/0")
_HTTPS = (443, 443)
#: Actions that AWS gives on every resource or not at all; the interfaces are refused to the code itself (NotByTheCode).
ON_EVERYTHING = frozenset(
    {
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
)
#: What answers without authorization: it says that the API is up, and nothing of anybody's data.
OPEN_ROUTES = frozenset({"GET /health"})


def ingress_closed(there: Inventory) -> Iterator[Finding]:
    """A rule that lets the internet, or every protocol, in."""
    for rule in there.of("ec2.SecurityGroupIngressRule"):
        if rule.get("cidrIpv4") in _EVERYWHERE or rule.get("cidrIpv6") in _EVERYWHERE:
            yield rule, "it lets the whole internet in"
        if str(rule.get("ipProtocol")) == "-1":
            yield rule, "it lets every protocol in"


def egress_narrow(there: Inventory) -> Iterator[Finding]:
    """A rule that lets more than HTTPS out to the internet."""
    for rule in there.of("ec2.SecurityGroupEgressRule"):
        anywhere = rule.get("cidrIpv4") in _EVERYWHERE or rule.get("cidrIpv6") in _EVERYWHERE
        https = rule.get("ipProtocol") == "tcp" and (rule.get("fromPort"), rule.get("toPort")) == _HTTPS
        if anywhere and not https:
            yield rule, "it lets more than HTTPS out to the whole internet"


def default_group_locked(there: Inventory) -> Iterator[Finding]:
    """A VPC whose default security group lets anything pass."""
    for vpc in there.of("ec2.VPC"):
        groups = list(there.about("ec2.DefaultSecurityGroup", "vpcIdRef", vpc))
        if not groups or any(group.has("ingress") or group.has("egress") for group in groups):
            yield vpc, "its default security group is not locked"


def flow_logged(there: Inventory) -> Iterator[Finding]:
    """A VPC whose traffic leaves no trace."""
    for vpc in there.of("ec2.VPC"):
        logs = there.about("ec2.FlowLog", "vpcIdRef", vpc)
        if not any(log.get("trafficType") == "ALL" for log in logs):
            yield vpc, "no flow log records all of its traffic"


def subnet_private(there: Inventory) -> Iterator[Finding]:
    """A subnet that gives out public addresses."""
    for subnet in there.of("ec2.Subnet"):
        if subnet.get("mapPublicIpOnLaunch"):
            yield subnet, "what starts in it gets a public address"


def database_isolated(there: Inventory) -> Iterator[Finding]:
    """A way from the database subnets to the internet."""
    for route in there.of("ec2.Route"):
        table = str((route.get("routeTableIdRef") or {}).get("name", ""))
        if table.endswith("-routes-database"):
            yield route, "a route leads out of the database subnets"


def endpoint_narrow(there: Inventory) -> Iterator[Finding]:
    """A VPC endpoint through which data can go to another account."""
    for endpoint in there.of("ec2.VPCEndpoint"):
        if isinstance(endpoint.get("policy"), Unknown):
            continue
        statements = endpoint.statements()
        if not statements or not all(statement.get("Condition") for statement in statements):
            yield endpoint, "its policy lets data go to any account"


def policy_private(there: Inventory) -> Iterator[Finding]:
    """A policy of a resource that gives something to everybody."""
    for item in there.of("kms.Key", "s3.BucketPolicy", "sns.TopicPolicy", "sqs.QueuePolicy"):
        yield from ((item, f"{_sid(s)} gives to everybody") for s in item.statements() if not is_private(s))


def rights_named(there: Inventory) -> Iterator[Finding]:
    """A role that may do everything of a service, or something to everything."""
    for policy in there.of("iam.RolePolicy"):
        for statement in policy.statements():
            if statement.get("Effect") != "Allow":
                continue
            actions = [str(action) for action in many(statement.get("Action"))]
            if "NotAction" in statement or any("*" in action for action in actions):
                yield policy, f"{_sid(statement)} gives actions by wildcard"
            if "*" in many(statement.get("Resource")) and not ON_EVERYTHING.issuperset(actions):
                yield policy, f"{_sid(statement)} gives actions on every resource"


def trust_narrow(there: Inventory) -> Iterator[Finding]:
    """A role that more than one service of this account can take."""
    for role in there.of("iam.Role"):
        for statement in role.statements("assumeRolePolicy"):
            principal = statement.get("Principal")
            by_service = isinstance(principal, Mapping) and list(principal) == ["Service"]
            conditions: Mapping[str, Any] = statement.get("Condition") or {}
            if not by_service or "aws:SourceAccount" not in (conditions.get("StringEquals") or {}):
                yield role, f"{_sid(statement)} lets others than one service of this account take it"


def invocation_scoped(there: Inventory) -> Iterator[Finding]:
    """A permission to call the function that is not tied to its caller."""
    for permission in there.of("lambda.Permission"):
        if permission.get("principal") in (None, "*") or not permission.has("sourceArn"):
            yield permission, "it names no source, so any account's could call"
        if permission.get("principal") == "s3.amazonaws.com" and not permission.has("sourceAccount"):
            yield permission, "it names no account, and a bucket's name can change hands"


def function_private(there: Inventory) -> Iterator[Finding]:
    """A function outside the VPC."""
    for function in there.of("lambda.Function"):
        inside = function.get("vpcConfig") or {}
        if not (inside.get("subnetIdRefs") or inside.get("subnetIds")):
            yield function, "it does not run in the private subnets"


def api_authorized(there: Inventory) -> Iterator[Finding]:
    """A route that anybody can call."""
    for route in there.of("apigatewayv2.Route"):
        if route.get("authorizationType") in (None, "NONE") and route.get("routeKey") not in OPEN_ROUTES:
            yield route, f"{route.get('routeKey')} can be called without authorization"


def api_logged(there: Inventory) -> Iterator[Finding]:
    """A stage without access log or throttle."""
    for stage in there.of("apigatewayv2.Stage"):
        if not stage.has("accessLogSettings", "destinationArn"):
            yield stage, "no access log is written"
        if not stage.has("defaultRouteSettings", "throttlingRateLimit"):
            yield stage, "nothing limits the rate of calls"


def log_kept(there: Inventory) -> Iterator[Finding]:
    """A log that is kept for ever."""
    for group in there.of("cloudwatchlogs.Group"):
        if not group.get("retentionInDays"):
            yield group, "it is kept without an end"


def tls_only(kind: str, policy: str, reference: str) -> Any:  # noqa: ANN401  (what finds it, as Control takes it)
    """Returns what finds a resource of `kind` for which no `policy` refuses what does not come over TLS."""

    def find(there: Inventory) -> Iterator[Finding]:
        for item in there.of(kind):
            policies: list[Item] = list(there.about(policy, reference, item))
            if not any(refuses_plain_text(policy) for policy in policies):
                yield item, "no policy refuses what does not come over TLS"

    return find


def subscription_tls(there: Inventory) -> Iterator[Finding]:
    """A subscription over plain HTTP."""
    for subscription in there.of("sns.TopicSubscription"):
        if subscription.get("protocol") == "http":
            yield subscription, "alarms would go out over plain HTTP"


def _sid(statement: Mapping[str, Any]) -> str:
    return f"statement {statement.get('Sid', '?')}"
