"""What our processes tell Prometheus on a real control plane, and which alerts that turns on."""

import http.client
from collections.abc import Mapping
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from chart.promtool import RULES, Alert, Wanted, judge
from cluster.test_admission import ports
from cluster.world import World
from tap_cluster.api import Kind
from tap_cluster.crossplane import NAMESPACE as CROSSPLANE
from tap_cluster.services import NAMESPACE
from tap_stack.packages import FUNCTION

#: A series, as Prometheus writes it -> its value.
Told = Mapping[str, float]


def exposition(world: World, port: str) -> str:
    """Returns what a process answers Prometheus; `port` is its name among the embedded cluster's."""
    if world.cluster.kind is not Kind.EMBEDDED:
        namespace, pod, number = _pod(world, port)
        return world.cluster.kubectl(
            "get", "--raw", f"/api/v1/namespaces/{namespace}/pods/{pod}:{number}/proxy/metrics"
        )
    connection = http.client.HTTPConnection("127.0.0.1", ports(world.cluster)[port], timeout=5)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def _pod(world: World, port: str) -> tuple[str, str, int]:
    """Returns the namespace, the name and the port of the pod that answers where no process of this machine does."""
    if port == "operator-health":  # The one that acts.
        path = "jsonpath={.spec.holderIdentity}"
        holder = world.cluster.kubectl("get", "lease", "tap-operator", "-n", NAMESPACE, "-o", path)
        return NAMESPACE, holder.rpartition("_")[0], 8081
    selector, path = f"--selector=pkg.crossplane.io/function={FUNCTION}", "jsonpath={.items[0].metadata.name}"
    return CROSSPLANE, world.cluster.kubectl("get", "pods", "-n", CROSSPLANE, selector, "-o", path), 8080


def scraped(world: World, port: str, **labels: str) -> dict[str, float]:
    """Returns the series with these labels that a process tells Prometheus of, by name."""
    families = text_string_to_metric_families(exposition(world, port))
    samples = (sample for family in families for sample in family.samples)
    return {sample.name: sample.value for sample in samples if labels.items() <= sample.labels.items()}


def of_taps(world: World) -> Told:
    """Returns what the operator tells of the taps of this world."""
    families = text_string_to_metric_families(exposition(world, "operator-health"))
    samples = (sample for family in families for sample in family.samples)
    found = {}
    for sample in samples:
        if sample.labels.get("namespace") == world.namespace and not sample.name.endswith("_created"):
            labels = ", ".join(f'{label}="{value}"' for label, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def about(world: World, value: str = "1", **labels: str) -> Alert:
    """Returns an alert about the environment `dev` of this world."""
    return Alert({"kind": "EnvironmentTap", "namespace": world.namespace, "name": "dev", **labels}, value)


def go_on(promtool: Path, folder: Path, before: Told, now: Told, wanted: Wanted) -> None:
    """Asserts which alerts about taps are on where it has been as it is `now` for three quarters of an hour.

    Args:
        promtool: Of the project's own tools.
        folder: Where what it reads may lie.
        before: What was told before something went wrong, for five minutes.
        now: What is told since.
        wanted: Name of an alert -> those of its name that are on; of what is not named there is none.
    """
    series = {}
    for name in before.keys() | now.keys():
        was = f"{before[name]:g}x4" if name in before else "_x5"
        series[name] = f"{was} {now[name]:g}x50" if name in now else f"{was} stale"
    judge(promtool, folder, series, {"50m": {**dict.fromkeys(about_taps(), ()), **wanted}})


def about_taps() -> list[str]:
    """Returns the alerts that are about taps: another operator's are none of this world's."""
    return [name for name, rule in RULES.items() if "tap_condition" in rule["expr"] or "tap_drift" in rule["expr"]]
