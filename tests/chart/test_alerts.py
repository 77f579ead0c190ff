"""Alert rules: each has its section in the runbook, speaks of metrics that are there, and becomes a PrometheusRule."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from chart.conftest import CHART, ROOT, Render, complaints
from chart.promtool import FILE, RULES, Alert, Wanted, judge, others
from tap_api.base import Json
from tap_function.metrics import Metrics as FunctionMetrics
from tap_operator.audit import Gauges
from tap_operator.metrics import Metrics as AdmissionMetrics
from tap_operator.told import TapMetrics

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
METRICS = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
#: Of Crossplane (internal/circuit/circuit_metrics.go).
FOREIGN = {"circuit_breaker_opens_total"}
ON = {"monitoring": {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}}}
#: Which kind a metric is of -> what Prometheus calls its series.
SERIES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}


def registries() -> list[CollectorRegistry]:
    """Returns what our processes expose when they start."""
    gauges = Gauges()
    TapMetrics(gauges.registry)
    return [gauges.registry, AdmissionMetrics().registry, FunctionMetrics().registry]


def exposed() -> dict[str, set[str]]:
    """Returns what our processes expose: documented name -> names of its series."""
    found = {}
    for registry in registries():
        for family in registry.collect():
            if family.name.startswith("tap_"):
                name = f"{family.name}_total" if family.type == "counter" else family.name
                found[name] = {family.name + ending for ending in SERIES[family.type]}
    return found


@dataclass(frozen=True)
class Case:
    """What makes one alert go on, and when.

    Attributes:
        series: What is told for as long as all is well, and then not: series -> values, from minute to minute.
        off: The last minute at which it is off.
        on: The first minute at which it is on.
        alert: The alert.
        over: A minute at which it is off again; 0: its trouble does not end.
    """

    series: Mapping[str, str]
    off: int
    on: int
    alert: Alert
    over: int = 0


DEV = {"kind": "EnvironmentTap", "namespace": "team", "name": "dev"}
TAP = 'kind="EnvironmentTap", namespace="team", name="dev"'


def condition(name: str, reason: str, pod: str = "a") -> str:
    return f'tap_condition{{{TAP}, condition="{name}", reason="{reason}", pod="{pod}"}}'


def slow(metric: str, quick: str, late: str, labels: str = "") -> dict[str, str]:
    """Returns a histogram of what is quick for ten minutes, 60 a minute, and then late."""
    below = {quick: "0+60x10 600x40", late: "0+60x50", "+Inf": "0+60x50"}
    return {f'{metric}_bucket{{{labels}le="{bound}"}}': values for bound, values in below.items()}


CASES = {
    # Why it is not ready changes, and which replica says so; the alert goes by neither.
    "TapNotReady": Case(
        {
            condition("Ready", "Available"): "1x4 stale _x60 1x5",
            condition("Ready", "Creating"): "_x5 0x20 stale",
            condition("Ready", "Waiting", "b"): "_x26 -1x39 stale",
        },
        *(34, 35, Alert(DEV, "0"), 66),
    ),
    "TapResourcesFailing": Case(
        {
            condition("ResourcesHealthy", "Healthy"): "1x4 stale",
            condition("ResourcesHealthy", "ResourcesFail"): "_x5 0x30",
        },
        *(14, 15, Alert(DEV)),
    ),
    "TapDrifted": Case(
        {f'tap_drifted_fields{{{TAP}, region="us-east-1"}}': "0x4 3x20 0x5"},
        *(19, 20, Alert({**DEV, "region": "us-east-1"}, "3"), 26),
    ),
    "TapDriftFound": Case(
        {f'tap_drift_found_total{{{TAP}, region="us-east-1"}}': "0x4 2x80"},
        *(4, 5, Alert({**DEV, "region": "us-east-1"}), 66),
    ),
    "TapRangeTaken": Case(
        {condition("CidrReserved", "Reserved"): "1x4 stale", condition("CidrReserved", "Taken"): "_x5 0x30"},
        *(14, 15, Alert(DEV)),
    ),
    "TapTeardownBlocked": Case(
        {condition("TornDown", "Waiting"): "0x20 stale", condition("TornDown", "Blocked"): "_x21 0x30"},
        *(35, 36, Alert(DEV)),
    ),
    "TapNotCompliant": Case(
        {condition("PolicyCompliant", "Compliant"): "1x4 stale", condition("PolicyCompliant", "Violated"): "_x5 0x30"},
        *(19, 20, Alert({**DEV, "condition": "PolicyCompliant"})),
    ),
    "TapPolicyViolations": Case(
        {
            'tap_policy_violations{kind="EnvironmentTap", code="TagMissing", severity="error", pod="a"}': "0x4 2x30",
            'tap_policy_violations{kind="EnvironmentTap", code="OpenRoute", severity="warning", pod="a"}': "1x34",
        },
        *(19, 20, Alert({"kind": "EnvironmentTap", "code": "TagMissing"}, "2")),
    ),
    "TapOperatorAbsent": Case(
        {'tap_operator_leader{pod="a"}': "1x4 0x9 1x5", 'tap_operator_leader{pod="b"}': "0x20"},
        *(6, 7, Alert({}), 15),
    ),
    "TapOperatorStuck": Case(
        {'tap_operator_stuck_seconds{pod="a"}': "0x4 60+60x5 0x5", 'tap_operator_stuck_seconds{pod="b"}': "0x20"},
        *(6, 7, Alert({}, "3m 0s"), 11),
    ),
    "TapOperatorFailing": Case(
        {
            'tap_operator_passes_total{kind="EnvironmentTap", result="failed"}': "0x4 1+1x30",
            'tap_operator_passes_total{kind="EnvironmentTap", result="done"}': "0+9x34",
        },
        *(19, 20, Alert({"kind": "EnvironmentTap"})),
    ),
    "TapOperatorLagging": Case(slow("tap_operator_lag_seconds", "0.5", "30"), *(25, 27, Alert({}, "29.7s"))),
    "TapAdmissionCannotJudge": Case(
        {'tap_admission_decisions_total{kind="", operation="", code="503", allowed="false"}': "0x4 1x20"},
        *(5, 6, Alert({}), 12),
    ),
    "TapAdmissionSlow": Case(
        slow("tap_admission_duration_seconds", "0.5", "3", 'operation="CREATE", '), *(20, 22, Alert({}, "2.975s"))
    ),
    "TapFunctionFailing": Case(
        {'tap_function_results_total{kind="RegionalTap", result="failed"}': "0x4 1x20"},
        *(4, 5, Alert({"kind": "RegionalTap"}), 16),
    ),
    "TapFunctionSlow": Case(
        slow("tap_function_render_seconds", "0.5", "5", 'kind="RegionalTap", '),
        *(20, 22, Alert({"kind": "RegionalTap"}, "4.955s")),
    ),
    "TapCircuitOpen": Case(
        {'circuit_breaker_opens_total{controller="composite/regionaltaps.tap.platform"}': "0x4 1x20"},
        *(4, 5, Alert({"controller": "composite/regionaltaps.tap.platform"}), 16),
    ),
}


def test_every_alert_has_a_case() -> None:
    assert list(CASES) == list(RULES)


@pytest.mark.parametrize("name", CASES)
def test_an_alert_goes_on_when_it_should_and_off_again_and_no_other_does(
    promtool: Path, tmp_path: Path, name: str
) -> None:
    case = CASES[name]
    # An operator and nothing else is there, unless the case is of that.
    series = {'tap_operator_leader{pod="a"}': "1x90", **case.series}
    at: dict[str, Wanted] = {f"{case.off}m": {name: ()}, f"{case.on}m": {name: (case.alert,), **others(name)}}
    if case.over:
        at[f"{case.over}m"] = {name: ()}
    judge(promtool, tmp_path, series, at)


def test_what_an_alert_counts_failures_of_is_told_before_there_is_one() -> None:
    """Or the first of them would be no increase (Prometheus, Instrumentation: avoid missing metrics)."""
    told = {
        (sample.name, sample.value, *sorted(sample.labels.items()))
        for registry in registries()
        for family in registry.collect()
        for sample in family.samples
    }
    for name in ("TapOperatorFailing", "TapAdmissionCannotJudge", "TapFunctionFailing"):
        series = next(key for key in CASES[name].series if "failed" in key or "503" in key)
        labels = sorted(re.findall(r'(\w+)="([^"]*)"', series))
        assert (series.partition("{")[0], 0.0, *labels) in told


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_alert_is_of_metrics_that_are_there_and_is_urgent_to_a_degree(rule: Json) -> None:
    known = set().union(*exposed().values()) | FOREIGN
    named = set(re.findall(r"\b(?:tap|circuit)_[a-z_]+\b", re.sub(r'"[^"]*"', "", rule["expr"])))
    assert named
    assert named <= known
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "description"}
    labels = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    assert labels <= {"kind", "namespace", "name", "region", "condition", "reason", "code", "controller"}


def test_every_alert_has_a_section_in_the_runbook_and_no_section_is_left_over() -> None:
    assert re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE) == list(RULES)
    for section in RUNBOOK.split("\n## ")[1:]:
        assert "\n\nLook: " in section
        assert "\n\nDo: " in section


def test_the_documents_name_every_metric_and_no_other() -> None:
    assert set(re.findall(r"^\| `(tap_\w+)` \|", METRICS, re.MULTILINE)) == set(exposed())


def test_the_chart_makes_a_rule_of_them_and_says_where_to_read_on(render: Render) -> None:
    monitoring = {"prometheusRule": {"enabled": True, "labels": {"release": "x"}, "runbook": "https://example.com/run"}}
    rule = render(monitoring=monitoring)["PrometheusRule/tap"]
    assert rule["metadata"]["labels"]["release"] == "x"
    made = [one for group in rule["spec"]["groups"] for one in group["rules"]]
    assert [group["name"] for group in rule["spec"]["groups"]] == [group["name"] for group in FILE["groups"]]
    for one, wanted in zip(made, RULES.values(), strict=True):
        address = one["annotations"].pop("runbook_url")
        assert address == f"https://example.com/run#{wanted['alert'].lower()}"
        assert one == wanted


@pytest.mark.parametrize(("component", "port"), [("operator", 8081), ("admission", 8082)])
def test_every_process_is_scraped_where_it_answers(render: Render, component: str, port: int) -> None:
    made = render(**ON)
    service, monitor = made[f"Service/tap-{component}-metrics"], made[f"ServiceMonitor/tap-{component}"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    pod = made[f"Deployment/tap-{component}"]["spec"]["template"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    [exposes] = service["spec"]["ports"]
    ports = {one["name"]: one["containerPort"] for one in pod["spec"]["containers"][0]["ports"]}
    assert ports[exposes["targetPort"]] == exposes["port"] == port
    [endpoint] = monitor["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"], endpoint["honorLabels"]) == (exposes["name"], "/metrics", True)
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == str(port)


def test_nothing_of_it_is_there_unless_it_is_asked_for(chart: dict[str, Json]) -> None:
    assert not [name for name in chart if name.startswith(("PrometheusRule/", "ServiceMonitor/"))]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"deployments": {"enabled": False}, **ON}, "serviceMonitor.enabled needs deployments.enabled"),
        ({"monitoring": {"prometheusRules": {}}}, "prometheusRules"),
        ({"monitoring": {"serviceMonitor": {"interval": "often"}}}, "interval"),
    ],
)
def test_values_that_make_no_sense_are_refused(helm: Path, values: dict[str, Any], words: str) -> None:
    assert words in complaints(helm, CHART, **values)
