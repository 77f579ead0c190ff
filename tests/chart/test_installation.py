"""What the operator's chart brings for an installation: certificates, who may come in, what helm asks and says."""

import base64
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from chart.conftest import CHART, Render, complaints, said
from chart.test_chart import of
from tap_api.base import Json

CERT_MANAGER = ("--api-versions", "cert-manager.io/v1/Certificate")


def documents(helm: Path, *options: str) -> str:
    """Returns the chart, rendered with options of helm's own."""
    argv: list[str | Path] = [helm, "template", "tap", CHART, "--namespace", "tap-system", *options]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def selected(policy: Json) -> str:
    return str(policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"])


def pods(chart: dict[str, Json]) -> dict[str, Json]:
    """Returns the pod of everything that runs one, by its component."""
    found = {name: item["spec"]["template"] for kind in ("Deployment", "Job") for name, item in of(kind, chart).items()}
    return {
        pod["metadata"]["labels"]["app.kubernetes.io/component"]: pod
        for pod in (*found.values(), *of("Pod", chart).values())
    }


def test_every_pod_has_a_policy_that_lets_it_reach_the_apiserver_alone(chart: dict[str, Json]) -> None:
    policies = {selected(policy): policy["spec"] for policy in of("NetworkPolicy", chart).values()}
    assert policies.keys() == pods(chart).keys() == {"operator", "admission", "uninstall", "test"}
    for spec in policies.values():
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        assert spec["egress"] == [{"ports": [{"port": port, "protocol": "TCP"} for port in (443, 6443)]}]


def test_a_pod_is_reached_on_the_ports_that_it_listens_on_and_no_other(chart: dict[str, Json]) -> None:
    policies = {selected(policy): policy["spec"] for policy in of("NetworkPolicy", chart).values()}
    for component, pod in pods(chart).items():
        listens = {port["containerPort"] for box in pod["spec"]["containers"] for port in box.get("ports", ())}
        assert {port["port"] for rule in policies[component]["ingress"] for port in rule["ports"]} == listens


def test_the_ports_of_the_apiserver_are_yours_to_say_and_so_is_whether_there_are_policies(render: Render) -> None:
    chart = render(networkPolicy={"enabled": True, "apiserverPorts": [16443]})
    for policy in of("NetworkPolicy", chart).values():
        assert policy["spec"]["egress"] == [{"ports": [{"port": 16443, "protocol": "TCP"}]}]
    assert not of("NetworkPolicy", render(networkPolicy={"enabled": False, "apiserverPorts": [443]}))


def test_a_process_has_a_priority_where_one_is_said(render: Render) -> None:
    plain = of("Deployment", render())
    assert not [name for name, item in plain.items() if "priorityClassName" in item["spec"]["template"]["spec"]]
    chosen = of("Deployment", render(admission={"priorityClassName": "system-cluster-critical"}))
    assert chosen["tap-admission"]["spec"]["template"]["spec"]["priorityClassName"] == "system-cluster-critical"
    assert "priorityClassName" not in chosen["tap-operator"]["spec"]["template"]["spec"]


def test_the_chart_signs_where_nobody_else_does(chart: dict[str, Json]) -> None:
    secret = of("Secret", chart)["tap-admission-tls"]
    ca, leaf = (x509.load_pem_x509_certificate(base64.b64decode(secret["data"][key])) for key in ("ca.crt", "tls.crt"))
    leaf.verify_directly_issued_by(ca)
    assert of("Secret", chart)["tap-admission-ca"]["data"]["tls.crt"] == secret["data"]["ca.crt"]
    volumes = [volume for pod in pods(chart).values() for volume in pod["spec"].get("volumes", ())]
    assert "tap-admission-ca" not in {volume.get("secret", {}).get("secretName") for volume in volumes}
    assert int(secret["metadata"]["annotations"]["tap.platform/signed-at"]) > 1_700_000_000
    webhook = of("ValidatingWebhookConfiguration", chart)["tap-admission"]
    assert webhook["webhooks"][0]["clientConfig"]["caBundle"] == secret["data"]["ca.crt"]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(CERT_MANAGER, id="where it is served"),
        pytest.param(("--set", "admission.certificates=cert-manager"), id="where it is asked for"),
    ],
)
def test_cert_manager_signs(helm: Path, options: tuple[str, ...]) -> None:
    text = documents(helm, *options)
    assert "cert-manager.io/inject-ca-from: tap-system/tap-admission" in text
    assert "secretName: tap-admission-tls" in text
    assert "dnsNames: [tap-admission.tap-system.svc]" in text
    assert "caBundle" not in text, "cert-manager writes it"
    assert "kind: Secret" not in text


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((*CERT_MANAGER, "--set", "admission.certificates=chart"), id="the chart is asked"),
        pytest.param((*CERT_MANAGER, "--set", "admission.caBundle=Q0E="), id="a CA is given"),
        pytest.param((*CERT_MANAGER, "--set", "deployments.enabled=false"), id="no pods"),
    ],
)
def test_cert_manager_is_left_alone_where_somebody_else_signs(helm: Path, options: tuple[str, ...]) -> None:
    assert "cert-manager.io" not in documents(helm, *options)


def test_helm_test_asks_as_an_account_that_may_try_a_claim_and_nothing_else(chart: dict[str, Json]) -> None:
    [rule] = of("Role", chart)["tap-test"]["rules"]
    assert rule == {"apiGroups": ["tap.platform"], "resources": ["environmenttaps"], "verbs": ["create"]}
    pod = of("Pod", chart)["tap-test"]
    assert pod["spec"]["serviceAccountName"] == "tap-test"
    for kind in ("ServiceAccount", "Role", "RoleBinding", "Pod"):
        notes = of(kind, chart)["tap-test"]["metadata"]["annotations"]
        assert notes["helm.sh/hook"] == "test"
        assert "hook-succeeded" in notes["helm.sh/hook-delete-policy"], "nothing of it stays"


@pytest.mark.parametrize("component", ["operator", "admission", "uninstall", "test"])
def test_every_pod_is_what_the_restricted_standard_asks_for(chart: dict[str, Json], component: str) -> None:
    spec = pods(chart)[component]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for box in spec["containers"]:
        assert box["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert box["resources"]["limits"]["memory"]


def test_an_image_can_be_one_very_image(render: Render) -> None:
    digest = "sha256:" + "ab" * 32
    chart = render(image={"repository": "registry.example.org/acme/tap-operator", "tag": "v0.1.0", "digest": digest})
    images = {box["image"] for pod in pods(chart).values() for box in pod["spec"]["containers"]}
    assert images == {f"registry.example.org/acme/tap-operator:v0.1.0@{digest}"}


def test_what_helm_says_after_an_installation_is_the_next_command(helm: Path) -> None:
    notes = said(helm, CHART)
    assert "helm test tap" in notes
    assert "helm upgrade --install platform charts/platform" in notes
    assert "The chart signed the webhook's certificate" in notes
    beside = said(helm, CHART, deployments={"enabled": False})
    assert "helm test" not in beside
    assert "helm upgrade --install platform charts/platform" in beside


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"admission": {"certificates": "nobody"}}, "certificates"),
        ({"admission": {"renewAfterDays": -1}}, "renewAfterDays"),
        ({"admission": {"priorityClassName": "No Class"}}, "priorityClassName"),
        ({"networkPolicy": {"apiserverPorts": []}}, "apiserverPorts"),
        ({"networkPolicy": {"apiserverPorts": [70000]}}, "apiserverPorts"),
        ({"networkPolicy": {"ports": [443]}}, "networkPolicy"),
        ({"image": {"repository": "a", "digest": "5e55"}}, "digest"),
    ],
)
def test_a_value_of_another_shape_is_refused(helm: Path, values: dict[str, Any], path: str) -> None:
    assert path in complaints(helm, CHART, **values)
