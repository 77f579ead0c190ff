"""Alert rules: each has its section in the runbook, speaks of metrics that are there, and becomes a PrometheusRule."""

import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from chart.conftest import CHART, ROOT, Render, complaints
from tap_api import manifest
from tap_api.base import Json
from tap_function.metrics import Metrics as FunctionMetrics
from tap_operator.audit import Gauges
from tap_operator.metrics import Metrics as AdmissionMetrics
from tap_operator.told import TapMetrics

ALERTS = CHART / "files" / "alerts.yaml"
FILE: Any = manifest.value(ALERTS.read_text(encoding="utf-8"), ALERTS)
RULES: list[Json] = [rule for group in FILE["groups"] for rule in group["rules"]]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
METRICS = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
#: Of Crossplane (internal/circuit/circuit_metrics.go).
FOREIGN = {"circuit_breaker_opens_total"}
ON = {"monitoring": {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}}}
#: Which kind a metric is of -> what Prometheus calls its series.
SERIES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}


def exposed() -> dict[str, set[str]]:
    """Returns what our processes expose: documented name -> names of its series."""
    gauges = Gauges()
    TapMetrics(gauges.registry)
    registries: list[CollectorRegistry] = [gauges.registry, AdmissionMetrics().registry, FunctionMetrics().registry]
    found = {}
    for registry in registries:
        for family in registry.collect():
            if family.name.startswith("tap_"):
                name = f"{family.name}_total" if family.type == "counter" else family.name
                found[name] = {family.name + ending for ending in SERIES[family.type]}
    return found


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
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
    assert re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE) == [rule["alert"] for rule in RULES]
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
    for one, wanted in zip(made, RULES, strict=True):
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
