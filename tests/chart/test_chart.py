import base64
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from chart.conftest import CHART, Render
from tap_api import locks, manifest
from tap_api.base import Json
from tap_api.emit import files
from tap_api.kinds import PARTS, RegionalTapSpec
from tap_api.naming import ANNOTATION_CONFIRM_REMOVAL, LABEL_ENVIRONMENT_TAP, LABEL_HOLDS_TAPS
from tap_api.policy import Organisation, load
from tap_api.presets import PRESETS
from tap_api.teardown import FINALIZER
from tap_stack.catalogue import catalogue

PLURALS = [kind.plural for kind in PARTS]
BESIDE = {"deployments": {"enabled": False}}
PODS = {"Deployment", "Job", "NetworkPolicy", "Pod", "PodDisruptionBudget"}
POLICIES = [
    "tap-cidrblocks",
    "tap-credentials",
    "tap-locked-deletion",
    "tap-locks",
    "tap-machinery",
    "tap-namespaces",
    "tap-operator-configmaps",
    "tap-operator-environments",
    "tap-operator-expiry",
    "tap-operator-namespaces",
    "tap-owned-regions",
    "tap-ownership",
    "tap-parts",
    "tap-paused-environments",
    "tap-paused-regions",
    "tap-protection",
    "tap-teardown",
]


def of(kind: str, chart: dict[str, Json]) -> dict[str, Json]:
    return {name.partition("/")[2]: found for name, found in chart.items() if name.startswith(f"{kind}/")}


def test_helm_finds_nothing_to_complain_about(helm: Path) -> None:
    done = subprocess.run([helm, "lint", "--strict", "--quiet", CHART], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        pytest.param({}, {*PODS, "Secret"}, id="by default"),
        pytest.param({"admission": {"caBundle": "Q0E="}}, PODS, id="with a CA"),
        pytest.param(BESIDE, set(), id="beside"),
    ],
)
def test_the_processes_come_with_deployments_and_the_rest_without(
    render: Render, values: dict[str, Any], kinds: set[str]
) -> None:
    always = {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "CustomResourceDefinition",
        "Role",
        "RoleBinding",
        "Service",
        "ServiceAccount",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    }
    assert {name.partition("/")[0] for name in render(**values)} == always | kinds


def rules(chart: dict[str, Json]) -> list[Json]:
    return [rule for kind in ("ClusterRole", "Role") for role in of(kind, chart).values() for rule in role["rules"]]


def test_no_rule_has_a_wildcard(chart: dict[str, Json]) -> None:
    found = rules(chart)
    assert len(found) > 10
    for rule in found:
        for words in rule.values():
            assert not any("*" in word for word in words), rule


def test_no_rule_reads_secrets_or_writes_rights(chart: dict[str, Json]) -> None:
    for rule in rules(chart):
        assert "secrets" not in rule["resources"]
        assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"])
        if {"create", "update", "patch", "delete"} & set(rule["verbs"]):
            assert rule["apiGroups"] in (["tap.platform"], [""], ["coordination.k8s.io"])


def granted(role: Json) -> list[tuple[str, str, str]]:
    return sorted(
        (group, resource, " ".join(rule["verbs"]))
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    )


def test_each_account_has_just_the_rights_that_its_process_needs(chart: dict[str, Json]) -> None:
    roles = of("ClusterRole", chart) | of("Role", chart)
    crds = ("apiextensions.k8s.io", "customresourcedefinitions", "list watch")
    assert granted(roles["tap-admission"]) == [
        crds,
        ("coordination.k8s.io", "leases", "get"),
        ("tap.platform", "cidrblocks", "get"),
    ]
    assert granted(roles["tap-operator"]) == sorted(
        [
            ("", "configmaps", "get create patch"),
            ("", "events", "create"),
            ("", "namespaces", "get list patch"),
            crds,
            ("ec2.aws.m.upbound.io", "vpcs", "get"),
            ("tap.platform", "cidrblocks", "get list watch create update"),
            ("tap.platform", "environmenttaps", "get list watch patch delete"),
            ("tap.platform", "environmenttaps/status", "patch"),
            ("tap.platform", "regionaltaps", "get list watch create patch delete"),
            ("tap.platform", "regionaltaps/status", "patch"),
            *(("tap.platform", plural, "get delete") for plural in PLURALS),
            # What AWS says of what does not go.
            *((entry.api_version.partition("/")[0], entry.plural, "get") for entry in catalogue().values()),
        ]
    )
    assert roles["tap-operator-lease"]["rules"] == [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": ["tap-operator"],
            "verbs": ["get", "update"],
        },
    ]


def test_every_binding_binds_a_role_that_there_is_to_an_account_that_there_is(chart: dict[str, Json]) -> None:
    for kind, bound in (("ClusterRoleBinding", "ClusterRole"), ("RoleBinding", "Role")):
        for binding in of(kind, chart).values():
            assert binding["roleRef"]["name"] in of(bound, chart)
            for subject in binding["subjects"]:
                assert subject["name"] in of("ServiceAccount", chart)
                assert subject["namespace"] == "tap-system"


def test_every_policy_is_bound_to_deny_and_fails_closed(chart: dict[str, Json]) -> None:
    policies = of("ValidatingAdmissionPolicy", chart)
    bindings = of("ValidatingAdmissionPolicyBinding", chart)
    assert sorted(policies) == POLICIES
    # The Leases of a namespace, for whom there are any (test_locks in tests/cluster).
    selector = {"matchExpressions": [{"key": locks.LABEL, "operator": "Exists"}]}
    params = {"tap-locked-deletion": {"paramRef": {"selector": selector, "parameterNotFoundAction": "Allow"}}}
    assert {name: binding["spec"] for name, binding in bindings.items()} == {
        name: {"policyName": name, "validationActions": ["Deny"], **params.get(name, {})} for name in policies
    }
    assert {policy["spec"]["failurePolicy"] for policy in policies.values()} == {"Fail"}


def guarded(policy: Json) -> list[str]:
    return sorted(
        resource for rule in policy["spec"]["matchConstraints"]["resourceRules"] for resource in rule["resources"]
    )


def test_the_policies_cover_every_part_that_there_is(chart: dict[str, Json]) -> None:
    policies = of("ValidatingAdmissionPolicy", chart)
    both = [name for plural in PLURALS for name in (plural, f"{plural}/status")]
    assert guarded(policies["tap-parts"]) == sorted(both)
    assert guarded(policies["tap-machinery"]) == sorted([*PLURALS, "regionaltaps"])
    assert guarded(policies["tap-owned-regions"]) == ["regionaltaps", "regionaltaps/status"]
    assert guarded(policies["tap-ownership"]) == ["environmenttaps", "regionaltaps"]
    assert guarded(policies["tap-cidrblocks"]) == ["cidrblocks"]
    assert guarded(policies["tap-credentials"]) == ["environmenttaps", "regionaltaps"]
    assert guarded(policies["tap-protection"]) == ["environmenttaps", "regionaltaps"]
    assert guarded(policies["tap-paused-environments"]) == ["environmenttaps"]
    assert guarded(policies["tap-paused-regions"]) == ["regionaltaps"]
    assert guarded(policies["tap-operator-configmaps"]) == ["configmaps"]
    spaces = ["namespaces", "namespaces/finalize", "namespaces/status"]
    assert guarded(policies["tap-namespaces"]) == guarded(policies["tap-operator-namespaces"]) == spaces


def test_an_environment_is_protected_where_its_preset_says_so(chart: dict[str, Json]) -> None:
    conditions = of("ValidatingAdmissionPolicy", chart)["tap-protection"]["spec"]["matchConditions"]
    [expression] = [condition["expression"] for condition in conditions if condition["name"] == "protected"]
    protected = sorted(environment for environment, preset in PRESETS.items() if preset["protection"])
    assert f"oldObject.spec.environment in {[str(environment) for environment in protected]}" in expression
    assert RegionalTapSpec.model_fields["protection"].default is True
    assert "request.kind.kind == 'RegionalTap' ||" in expression


def test_policies_and_the_operator_name_the_label_and_the_annotation_alike(chart: dict[str, Json]) -> None:
    policies = {name: str(policy["spec"]) for name, policy in of("ValidatingAdmissionPolicy", chart).items()}
    named = {
        name: set(re.findall(r"tap\.platform/[a-z-]+", text)) - {"tap.platform/"} for name, text in policies.items()
    }
    assert {name: words for name, words in named.items() if words} == {
        "tap-locked-deletion": {locks.WHY},
        "tap-locks": {
            *(locks.LABEL, locks.BROKEN_BY, locks.BROKEN_HOLDER, locks.BROKEN_AT, locks.BROKEN_WHY),
            locks.BROKEN_BY.removesuffix("by"),
        },
        "tap-namespaces": {LABEL_HOLDS_TAPS},
        "tap-operator-environments": {FINALIZER},
        "tap-operator-namespaces": {LABEL_HOLDS_TAPS},
        "tap-ownership": {LABEL_ENVIRONMENT_TAP},
        "tap-protection": {ANNOTATION_CONFIRM_REMOVAL},
    }


def test_only_the_break_glass_group_passes_every_policy(render: Render) -> None:
    values = {
        **BESIDE,
        "breakGlassGroup": "acme:night-shift",
        "crossplane": {"users": ["system:serviceaccount:cp:core", "cp"]},
    }
    for name, policy in of("ValidatingAdmissionPolicy", render(**values)).items():
        conditions = {c["name"]: c["expression"] for c in policy["spec"]["matchConditions"]}
        assert conditions["not-break-glass"] == (
            "!(has(request.userInfo.groups) && 'acme:night-shift' in request.userInfo.groups)"
        ), name
        text = str(policy)
        assert "system:masters" not in text
        if name in ("tap-credentials", "tap-machinery", "tap-owned-regions", "tap-parts"):
            assert "request.userInfo.username in ['system:serviceaccount:cp:core', 'cp']" in text


def test_the_webhook_sees_peoples_creations_and_changes_of_a_spec_and_nothing_else(render: Render) -> None:
    values = {
        **BESIDE,
        "admission": {"caBundle": "Q0E=", "service": {"port": 39443, "externalName": "localhost"}},
    }
    chart = render(**values)
    [webhook] = of("ValidatingWebhookConfiguration", chart)["tap-admission"]["webhooks"]
    conditions = {condition["name"]: condition["expression"] for condition in webhook.pop("matchConditions")}
    assert webhook == {
        "name": "claims.tap.platform",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "matchPolicy": "Equivalent",
        "failurePolicy": "Fail",
        "timeoutSeconds": 3,
        "clientConfig": {
            "caBundle": "Q0E=",
            "service": {"name": "tap-admission", "namespace": "tap-system", "port": 39443, "path": "/"},
        },
        "rules": [
            {
                "apiGroups": ["tap.platform"],
                "apiVersions": ["v1alpha1"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["environmenttaps", "regionaltaps"],
                "scope": "Namespaced",
            }
        ],
    }
    assert list(conditions) == [
        "not-the-operator",
        "not-crossplane",
        "not-a-controller",
        "not-on-its-way-out",
        "new-or-another-spec",
    ]
    assert "tap-operator" in conditions["not-the-operator"]
    service = of("Service", chart)["tap-admission"]["spec"]
    assert (service["type"], service["externalName"], "selector" in service) == ("ExternalName", "localhost", False)


def test_the_certificate_that_the_chart_makes_is_from_the_ca_that_the_webhook_trusts(chart: dict[str, Json]) -> None:
    secret = of("Secret", chart)["tap-admission-tls"]
    [webhook] = of("ValidatingWebhookConfiguration", chart)["tap-admission"]["webhooks"]
    assert webhook["clientConfig"]["caBundle"] == secret["data"]["ca.crt"]
    authority, leaf = (
        x509.load_pem_x509_certificate(base64.b64decode(secret["data"][name])) for name in ("ca.crt", "tls.crt")
    )
    leaf.verify_directly_issued_by(authority)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["tap-admission.tap-system.svc"]
    deployment = of("Deployment", chart)["tap-admission"]
    assert deployment["spec"]["template"]["spec"]["volumes"][0]["secret"]["secretName"] == "tap-admission-tls"


def pods(chart: dict[str, Json]) -> dict[str, Any]:
    """Returns what runs in a pod, by its name: the spec of the pod."""
    found = {**of("Deployment", chart), **of("Job", chart)}
    return {name: one["spec"]["template"]["spec"] for name, one in found.items()}


def test_pods_run_as_the_restricted_standard_asks(chart: dict[str, Json]) -> None:
    assert sorted(pods(chart)) == ["tap-admission", "tap-operator", "tap-uninstall"]
    for pod in pods(chart).values():
        [container] = pod["containers"]
        assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["seccompProfile"]) == (
            True,
            {"type": "RuntimeDefault"},
        )
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]


def test_each_process_is_there_twice_with_its_own_account_and_probes(chart: dict[str, Json]) -> None:
    for name, deployment in of("Deployment", chart).items():
        assert deployment["spec"]["replicas"] == 2
        assert pods(chart)[name]["serviceAccountName"] == name
        [container] = pods(chart)[name]["containers"]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)


def test_helm_asks_the_operator_before_it_uninstalls_it(chart: dict[str, Json]) -> None:
    job = of("Job", chart)["tap-uninstall"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-delete"
    assert job["spec"]["backoffLimit"] == 0
    # It lists what the operator lists, as the operator.
    assert pods(chart)["tap-uninstall"]["serviceAccountName"] == "tap-operator"
    [container] = pods(chart)["tap-uninstall"]["containers"]
    assert re.fullmatch(r"--keep=helm rollback \S+ 1 --namespace \S+", container["args"][1])


def test_the_processes_take_the_arguments_that_the_pods_give_them(chart: dict[str, Json]) -> None:
    from click.testing import CliRunner

    from tap_operator.main import main

    for pod in pods(chart).values():
        [container] = pod["containers"]
        done = CliRunner().invoke(main, [*container["args"], "--help"])
        assert done.exit_code == 0, done.output
        known = {word for word in done.output.split() if word.startswith("--")}
        assert {arg.partition("=")[0] for arg in container["args"] if arg.startswith("--")} <= known


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"breakGlasGroup": "x"}, "breakGlasGroup"),
        ({"breakGlassGroup": "x' in ['x"}, "breakGlassGroup"),
        ({"crossplane": {"users": []}}, "users"),
        ({"admission": {"failurePolicy": "Maybe"}}, "failurePolicy"),
        ({"admission": {"timeoutSeconds": 60}}, "timeoutSeconds"),
        ({"admission": {"caBundle": "-----BEGIN"}}, "caBundle"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(render: Render, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        render(**values)


def test_the_crds_are_the_ones_that_are_generated_and_outlive_the_release(chart: dict[str, Json]) -> None:
    found = of("CustomResourceDefinition", chart)
    made = [text for path, text in files().items() if path.is_relative_to("charts/operator")]
    assert len(made) == len(found) == 2
    for crd in (document for text in made for document in manifest.load(text, CHART)):
        assert found[crd["metadata"]["name"]] == crd
        assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


POLICY: Json = {
    "requiredTags": ["Owner"],
    "allowedTagValues": {"CostCenter": r"[a-z]+-\d{4}", "Owner": "team: .+"},
    "reservedRanges": [{"cidr": "10.128.0.0/9", "reason": "the offices: all of them"}],
    "allowedRegions": ["eu-west-1"],
}


def policy_of(chart: dict[str, Json], tmp_path: Path) -> Organisation:
    """Returns the rules in the chart's ConfigMap, as both processes read them."""
    path = tmp_path / "policy.yaml"
    path.write_text(of("ConfigMap", chart)["tap-policy"]["data"]["policy.yaml"])
    return load(path)


def test_the_rules_of_the_organisation_are_read_as_they_were_written(render: Render, tmp_path: Path) -> None:
    assert policy_of(render(policy=POLICY), tmp_path) == Organisation.parse(POLICY)
    assert policy_of(render(), tmp_path) == Organisation()
    nothing: Json = {"reservedRanges": [], "requiredTags": [], "allowedTagValues": {}, "allowedRegions": []}
    assert policy_of(render(policy=nothing), tmp_path).reserved_ranges == []


def test_both_processes_have_the_rules_and_start_anew_when_they_change(render: Render) -> None:
    def templates(**values: Json) -> list[Json]:
        return [d["spec"]["template"] for d in of("Deployment", render(**values)).values()]

    for template in templates():
        (container,) = template["spec"]["containers"]
        assert "--policy=/policy/policy.yaml" in container["args"]
        assert {"name": "policy", "mountPath": "/policy", "readOnly": True} in container["volumeMounts"]
        assert {"name": "policy", "configMap": {"name": "tap-policy", "defaultMode": 0o444}} in template["spec"][
            "volumes"
        ]
    for before, after, again in zip(templates(), templates(policy=POLICY), templates(policy=POLICY), strict=True):
        assert before["metadata"]["annotations"] != after["metadata"]["annotations"] == again["metadata"]["annotations"]


@pytest.mark.parametrize(
    "policy",
    [
        {"requiredTag": []},
        {"requiredTags": list("abcde")},
        {"reservedRanges": [{"cidr": "10.0.0.0"}]},
        {"reservedRanges": [{"cidr": "10.0.0.0/8"}]},
        {"allowedTagValues": {"a": ""}},
        {"allowedRegions": ["Mars"]},
    ],
)
def test_rules_of_another_shape_are_refused_before_anything_is_installed(render: Render, policy: Json) -> None:
    with pytest.raises(ValueError, match="policy"):
        render(policy=policy)


def test_who_may_look_may_look_at_every_resource_that_is_composed(chart: dict[str, Json]) -> None:
    looked_at = granted(of("ClusterRole", chart)["tap-view"])
    assert [rule for rule in looked_at if ".aws." in rule[0]] == sorted(
        (entry.group, entry.plural, "get list watch") for entry in catalogue().values()
    )
