import json
from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest

from golden.world import ACCOUNT, World, regional_tap
from tap_api.base import Json
from tap_api.policy import judge
from tap_stack.compose import compose
from tap_stack.composed import Composed
from tap_stack.observation import of

MakeTap = Callable[..., Json]
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:prod-us-east-1-alarms-234a2353"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:role/provider-aws"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/main"
PERSON = f"arn:aws:iam::{ACCOUNT}:user/ci"


def monitoring(tap: Json, *, api: str = "abc123") -> Composed:
    """Returns what monitoring composes once all is known."""
    world = World(tap)
    xr = next(xr for xr, _ in world.settle() if xr["kind"] == "RegionalMonitoring")
    spec = {**xr["spec"], **({"apiId": api} if api else {})}
    spec = spec if api else {key: value for key, value in spec.items() if key != "apiId"}
    return compose({**xr, "spec": spec}, {})


def wanted(composed: Composed, kind: str) -> dict[str, Json]:
    return {
        item.key: item.manifest["spec"]["forProvider"] for item in composed.resources if item.manifest["kind"] == kind
    }


def test_every_alarm_tells_the_topic_by_its_arn_and_says_what_no_data_means(make_tap: MakeTap) -> None:
    """The trap: alarmActionsRefs gives the ARN of an autoscaling policy (05, section 1.1)."""
    alarms = wanted(monitoring(make_tap()), "MetricAlarm")
    assert len(alarms) == 11
    for alarm in alarms.values():
        assert (alarm["alarmActions"], alarm["okActions"]) == ([TOPIC], [TOPIC])
        assert alarm["treatMissingData"] in ("notBreaching", "missing")
        assert not [field for field in alarm if field.endswith(("Ref", "Refs", "Selector"))]


@pytest.mark.parametrize(
    ("alarm", "metric", "statistic", "threshold"),
    [
        ("lambda-errors", "Errors", "Sum", 3),
        ("lambda-throttles", "Throttles", "Sum", 1),
        ("lambda-duration", "Duration", "p95", 9000),
        ("lambda-lost-events", "DeadLetterErrors", "Sum", 1),
        ("dead-letters", "ApproximateNumberOfMessagesVisible", "Maximum", 7),
        ("api-5xx", "5xx", "Sum", 4),
        ("api-latency", "Latency", "p95", 250),
        ("database-cpu", "CPUUtilization", "Average", 60),
        ("database-capacity", "ServerlessDatabaseCapacity", "Maximum", 16.25),
        ("database-replica-lag", "AuroraReplicaLag", "Maximum", 90),
    ],
)
def test_a_threshold_is_what_the_claim_says(
    make_tap: MakeTap, alarm: str, metric: str, statistic: str, threshold: float
) -> None:
    chosen = {
        "lambdaErrors": 3,
        "lambdaDurationPercent": 30,
        "api5xx": 4,
        "apiLatencyMs": 250,
        "databaseCpuPercent": 60,
        "databaseCapacityPercent": 50,
        "replicaLagMs": 90,
        "deadLetters": 7,
    }
    tap = make_tap(monitoring={"alarms": chosen}, database={"maxCapacity": 32.5}, processor={"timeoutSeconds": 30})
    made = wanted(monitoring(tap), "MetricAlarm")[f"alarm-{alarm}"]
    assert (made["metricName"], made.get("statistic", made.get("extendedStatistic")), made["threshold"]) == (
        metric,
        statistic,
        threshold,
    )


def test_throttles_of_reads_and_writes_are_added_up_and_a_silent_one_counts_nothing(make_tap: MakeTap) -> None:
    queries = wanted(monitoring(make_tap()), "MetricAlarm")["alarm-sessions-throttles"]["metricQuery"]
    assert [query.get("expression") for query in queries] == ["FILL(m1, 0) + FILL(m2, 0)", None, None]
    assert [query["returnData"] for query in queries] == [True, False, False]


@pytest.mark.parametrize(("region", "is_global", "there"), [("us-east-1", True, False), ("eu-west-1", True, True)])
def test_the_lag_behind_the_primary_region_is_measured_where_there_is_one(
    region: str,
    is_global: bool,  # noqa: FBT001
    there: bool,  # noqa: FBT001
) -> None:
    tap = regional_tap("prod", region)
    tap["spec"]["database"]["global"] = is_global
    assert ("alarm-database-global-lag" in wanted(monitoring(tap), "MetricAlarm")) is there


def test_what_measures_the_api_waits_for_its_id_and_nothing_else_does(make_tap: MakeTap) -> None:
    composed = monitoring(make_tap(), api="")
    assert [item.key for item in composed.withheld] == [
        "alarm-api-5xx",
        "alarm-api-latency",
        "changes-api",
        "changes-api-report",
    ]
    with_api = wanted(monitoring(make_tap()), "MetricAlarm")["alarm-api-5xx"]
    assert with_api["dimensions"] == {"ApiId": "abc123"}


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [
        ("https://abc123.execute-api.us-east-1.amazonaws.com", {"apiId": "abc123"}),
        ("https://abc123.execute-api.us-east-1.amazonaws.com/", {"apiId": "abc123"}),
        ("https://api.example.com", {}),
        (None, {}),
    ],
)
def test_the_region_reads_the_id_of_the_api_from_its_address(make_tap: MakeTap, endpoint: object, told: Json) -> None:
    processor = {"status": {"outputs": {"apiEndpoint": endpoint}}}
    composed = compose(make_tap(), of({"processor": processor}))
    spec = next(item.manifest for item in composed.resources if item.key == "monitoring")["spec"]
    assert {key: spec[key] for key in ("apiId",) if key in spec} == told


def test_the_dashboard_is_a_grid_without_overlaps_and_a_row_without_an_id_is_left_out(make_tap: MakeTap) -> None:
    whole, part = (
        json.loads(wanted(monitoring(make_tap(), api=api), "Dashboard")["dashboard"]["dashboardBody"])["widgets"]
        for api in ("abc123", "")
    )
    assert [len(widgets) for widgets in (whole, part)] == [13, 11]
    for widgets in (whole, part):
        for one, other in combinations(widgets, 2):
            apart = (
                one["x"] + one["width"] <= other["x"]
                or other["x"] + other["width"] <= one["x"]
                or one["y"] + one["height"] <= other["y"]
                or other["y"] + other["height"] <= one["y"]
            )
            assert apart, (one, other)
        assert all(widget["x"] + widget["width"] <= 24 for widget in widgets)
    assert len(whole[0]["properties"]["alarms"]) == 11


def test_the_topic_takes_tls_only_and_lets_two_services_of_this_account_publish(make_tap: MakeTap) -> None:
    policy = json.loads(wanted(monitoring(make_tap()), "TopicPolicy")["topic-policy"]["policy"])
    source = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert [(s["Effect"], s["Principal"], s["Action"], s["Condition"]) for s in policy["Statement"]] == [
        ("Deny", "*", ["sns:Publish", "sns:Subscribe"], {"Bool": {"aws:SecureTransport": "false"}}),
        ("Allow", {"Service": "cloudwatch.amazonaws.com"}, "sns:Publish", source),
        ("Allow", {"Service": "events.amazonaws.com"}, "sns:Publish", source),
    ]


def test_the_topic_is_encrypted_by_the_arn_of_the_key(make_tap: MakeTap) -> None:
    (topic,) = wanted(monitoring(make_tap()), "Topic").values()
    assert topic["kmsMasterKeyId"].startswith(f"arn:aws:kms:us-east-1:{ACCOUNT}:key/")


def test_a_subscription_keeps_its_key_wherever_it_stands_in_the_list(make_tap: MakeTap) -> None:
    two = [{"protocol": "email", "endpoint": "a@example.com"}, {"protocol": "https", "endpoint": "https://b.example"}]
    there = wanted(monitoring(make_tap(monitoring={"subscriptions": two})), "TopicSubscription")
    back = wanted(monitoring(make_tap(monitoring={"subscriptions": two[::-1]})), "TopicSubscription")
    assert there == back
    assert len(there) == 2


def test_rules_and_targets_name_the_default_bus(make_tap: MakeTap) -> None:
    """The trap: without it the provider's id of both is wrong (provider-upjet-aws#931, #932)."""
    composed = monitoring(make_tap())
    made = {**wanted(composed, "Rule"), **wanted(composed, "Target")}
    assert len(made) == 10
    assert {item["eventBusName"] for item in made.values()} == {"default"}


@pytest.mark.parametrize(
    ("chosen", "state", "reason"),
    [
        ({}, "DISABLED", ("False", "NoTrail")),
        ({"trail": "Existing"}, "ENABLED", ("True", "NobodyTrusted")),
        ({"trail": "Existing", "trustedPrincipals": [PROVIDER]}, "ENABLED", ("True", "TrailDeclared")),
    ],
)
def test_changes_are_reported_where_a_trail_is_declared_and_a_condition_says_so(
    make_tap: MakeTap, chosen: Json, state: str, reason: tuple[str, str]
) -> None:
    tap = make_tap(monitoring=chosen)
    composed = monitoring(tap)
    assert {rule["state"] for rule in wanted(composed, "Rule").values()} == {state}
    for said in (composed, compose(tap, {})):
        assert [(c.status, c.reason) for c in said.conditions if c.type == "ChangesReported"] == [reason]


def test_who_is_trusted_is_not_reported_neither_is_aws_itself(make_tap: MakeTap) -> None:
    chosen = {"trail": "Existing", "trustedPrincipals": [PROVIDER, SESSION, PERSON]}
    rule = wanted(monitoring(make_tap(monitoring=chosen)), "Rule")["changes-key"]
    service_roles = "arn:*:iam::*:role/aws-service-role/*"
    assert json.loads(rule["eventPattern"])["detail"]["userIdentity"] == {
        "$or": [
            {
                "sessionContext": {
                    "sessionIssuer": {"arn": [{"anything-but": {"wildcard": sorted([PROVIDER, service_roles])}}]}
                },
                "arn": [{"anything-but": {"wildcard": [SESSION]}}],
            },
            {
                "sessionContext": {"sessionIssuer": {"arn": [{"exists": False}]}},
                "arn": [{"anything-but": {"wildcard": [PERSON]}}],
            },
        ]
    }


def test_a_rule_that_the_provider_leaves_in_the_default_security_group_is_reported(make_tap: MakeTap) -> None:
    """terraform-provider-aws revokes what is there when it takes the group over, and nothing that comes later."""
    rule = wanted(monitoring(make_tap(monitoring={"trail": "Existing"})), "Rule")["changes-network"]
    told = set(json.loads(rule["eventPattern"])["detail"]["eventName"])
    assert told >= {"AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "ModifySecurityGroupRules"}


def test_iam_is_watched_in_the_one_region_that_has_its_events() -> None:
    rules = {region: wanted(monitoring(regional_tap("prod", region)), "Rule") for region in ("us-east-1", "eu-west-1")}
    assert {region: "changes-roles" in found for region, found in rules.items()} == {
        "us-east-1": True,
        "eu-west-1": False,
    }


def test_the_longest_list_of_trusted_principals_fits_into_every_pattern(make_tap: MakeTap) -> None:
    longest = [f"arn:aws:iam::{ACCOUNT}:user/{i:02}{'x' * 200}" for i in range(8)]

    def refused(principals: list[Any]) -> list[str]:
        tap = make_tap(monitoring={"trail": "Existing", "trustedPrincipals": principals})
        return [violation.code for violation in judge("RegionalTap", tap)]

    assert (refused(longest), refused([*longest, longest[0].replace("/00", "/99")])) == ([], ["TrustedPrincipals"])
    chosen = {"trail": "Existing", "trustedPrincipals": longest}
    for rule in wanted(monitoring(make_tap(monitoring=chosen)), "Rule").values():
        assert len(rule["eventPattern"]) <= 4096


def test_a_report_says_who_did_what_to_which_resource(make_tap: MakeTap) -> None:
    for target in wanted(monitoring(make_tap()), "Target").values():
        transformer = target["inputTransformer"]
        filled = transformer["inputTemplate"].replace("<parameters>", "{}")
        assert set(json.loads(filled)) >= {"who", "what", "service", "region", "at", "parameters"}
        assert all(f"<{name}>" in transformer["inputTemplate"] for name in transformer["inputPaths"])
