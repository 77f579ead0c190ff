"""The chart of the platform: objects that Crossplane's own CRDs take, and nothing that is written twice."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart.conftest import CHARTS, Render, complaints, documented, rendering, said
from crds import of_crd
from tap_api.base import Json
from tap_cluster import crossplane, release
from tap_cluster.places import Places
from tap_stack import packages
from tap_stack.emit import activation_policy

CHART = CHARTS / "platform"
GIVEN = {"registry": "registry.example.org/acme"}
ACCOUNT: Json = {
    "name": "provider-aws",
    "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/tap"},
}
VARIANTS: list[Json] = [
    {},
    {"version": "v1.2.3-rc.1", "pullSecrets": ["acme"]},
    {"function": {"replicas": 1, "resources": {}, "image": "tap-function:dev", "imagePullPolicy": "Never"}},
    {"providers": {"enabled": False}},
    {"providers": {"version": "v2.9.1", "mirror": "registry.example.org/mirror", "serviceAccount": ACCOUNT}},
]


@pytest.fixture(scope="session")
def render(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    return rendering(helm, CHART, tmp_path_factory.mktemp("values"))


@pytest.fixture(scope="session")
def crds() -> Path:
    """The folder of Crossplane's CRDs."""
    return crossplane.source(Places.find()) / "cluster" / "crds"


@pytest.fixture(scope="session")
def chart(render: Render) -> dict[str, Json]:
    return render(**GIVEN)


def faults(found: Json, crds: Path) -> list[str]:
    """Returns what Crossplane's CRDs find; an object of Kubernetes itself is held to its schema when it is rendered."""
    if "/" not in found["apiVersion"]:
        return []
    group, _, version = found["apiVersion"].partition("/")
    plural = re.sub(r"y$", "ie", found["kind"].lower()) + "s"
    return of_crd(crds / f"{group}_{plural}.yaml", version).faults(found)


@pytest.mark.parametrize("values", VARIANTS)
def test_every_object_is_one_that_crossplane_takes_and_helm_never_deletes_one(
    render: Render, crds: Path, values: Json
) -> None:
    found = render(**GIVEN, **values)
    assert {name: faults(one, crds) for name, one in found.items()} == {name: [] for name in found}
    account = values.get("providers", {}).get("serviceAccount", {})
    for one in found.values():
        own = account.get("annotations", {}) if one["kind"] == "ServiceAccount" else {}
        assert one["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep", **own}
        assert one["metadata"]["labels"]["app.kubernetes.io/part-of"] == "tap-crossplane"


def test_both_packages_are_those_that_are_published(chart: dict[str, Json], render: Render) -> None:
    version = release.this_version()
    for kind, name in (("Function", packages.FUNCTION), ("Configuration", packages.CONFIGURATION)):
        assert chart[f"{kind}/{name}"]["spec"]["package"] == f"registry.example.org/acme/{name}:{version}"
        later = render(**GIVEN, version="v9.8.7")[f"{kind}/{name}"]
        assert later["spec"]["package"] == f"registry.example.org/acme/{name}:v9.8.7"
    assert chart["Configuration/configuration-tap"]["spec"]["skipDependencyResolution"] is True


def test_all_that_the_configuration_depends_on_comes_with_the_chart(chart: dict[str, Json]) -> None:
    depends = packages.configuration(GIVEN["registry"], release.this_version())["spec"]["dependsOn"]
    installed = {
        (one["kind"], one["spec"]["package"].rpartition(":")[0])
        for one in chart.values()
        if one["kind"] in ("Function", "Provider")
    }
    assert installed == {(entry["kind"], entry["package"]) for entry in depends}


def test_a_provider_is_called_as_crossplane_calls_the_one_that_another_depends_on(chart: dict[str, Json]) -> None:
    assert "Provider/upbound-provider-family-aws" in chart
    for name, one in chart.items():
        if one["kind"] == "Provider":
            repository = one["spec"]["package"].rpartition(":")[0].partition("/")[2]
            assert name == f"Provider/{repository.replace('/', '-')}"
            assert one["spec"]["package"].endswith(f":{packages.OLDEST_PROVIDER}")


def test_the_activation_policy_is_the_one_that_is_generated(chart: dict[str, Json]) -> None:
    found = chart["ManagedResourceActivationPolicy/tap"]
    assert found["spec"] == activation_policy()["spec"]


def test_the_providers_run_as_the_account_that_is_chosen_and_come_from_the_mirror(render: Render) -> None:
    found = render(**GIVEN, providers={"serviceAccount": ACCOUNT, "mirror": "registry.example.org/m"})
    config = found["DeploymentRuntimeConfig/tap-provider-aws"]
    # An account that several packages ask Crossplane to make is fought over by their revisions (crossplane#7769).
    pods = {"serviceAccountName": ACCOUNT["name"], "containers": []}
    assert config["spec"] == {"deploymentTemplate": {"spec": {"selector": {}, "template": {"spec": pods}}}}
    account = found[f"ServiceAccount/{ACCOUNT['name']}"]["metadata"]
    assert account["namespace"] == "crossplane-system"
    assert account["annotations"] == {"helm.sh/resource-policy": "keep", **ACCOUNT["annotations"]}
    alone = render(**GIVEN, providers={"serviceAccount": {"name": "", "annotations": ACCOUNT["annotations"]}})
    assert alone["DeploymentRuntimeConfig/tap-provider-aws"]["spec"] == {
        "serviceAccountTemplate": {"metadata": {"annotations": ACCOUNT["annotations"]}}
    }
    assert not [name for name in alone if name.startswith("ServiceAccount/")]
    providers = [one for one in found.values() if one["kind"] == "Provider"]
    assert {one["spec"]["runtimeConfigRef"]["name"] for one in providers} == {"tap-provider-aws"}
    assert found["ImageConfig/tap-provider-aws"]["spec"] == {
        "matchImages": [{"type": "Prefix", "prefix": f"{packages.PROVIDER_REGISTRY}/"}],
        "rewriteImage": {"prefix": "registry.example.org/m/"},
    }


def test_the_check_asks_for_the_flags_that_the_embedded_cluster_has_and_for_the_version_of_the_packages() -> None:
    text = (CHART / "templates" / "_crossplane.tpl").read_text()
    for flag in crossplane.core_flags(Path("/cache")):
        if "circuit-breaker" in flag:
            name, _, value = flag.removeprefix("--").partition("=")
            assert f'"{name}" {value}' in text
            assert flag in text
    assert f'semverCompare "{packages.CROSSPLANE.replace("v", "")}-0"' in text


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"registry": ""}, "registry is not set: where `make publish REGISTRY=…` pushed the packages"),
        ({"registry": "https://registry.example.org"}, "at '/registry'"),
        ({"registry": "localhost:5000/tap"}, "at '/registry'"),
        ({"version": "latest"}, "at '/version'"),
        ({"providers": {"version": "v2.6.0"}}, "providers.version v2.6.0 is outside of >=v2.7.0, <v3.0.0"),
        ({"providers": {"version": "v3.0.0"}}, "providers.version v3.0.0 is outside of >=v2.7.0, <v3.0.0"),
        ({"function": {"replicas": 0}}, "at '/function/replicas'"),
        ({"provider": {}}, "additional properties 'provider' not allowed"),
        ({"crossplane": {"namespace": ""}}, "at '/crossplane/namespace'"),
    ],
)
def test_values_that_make_no_sense_are_refused_with_what_to_do(render: Render, values: Json, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        render(**{**GIVEN, **values})


@pytest.mark.parametrize(
    "registry", ["ghcr.io/acme", "127.0.0.1:5000/tap", "registry.example.org", "quay.io/a-b/c_d/e.f"]
)
def test_the_chart_takes_the_registries_that_packages_are_published_to(render: Render, registry: str) -> None:
    assert release.REGISTRY.fullmatch(registry)
    assert render(registry=registry)


@pytest.mark.parametrize("values", VARIANTS)
def test_helm_finds_nothing_to_complain_about(helm: Path, values: Json) -> None:
    assert complaints(helm, CHART, **GIVEN, **values) == ""


def test_the_notes_say_what_to_wait_for_and_the_next_command(helm: Path) -> None:
    notes = said(helm, CHART, **GIVEN)
    assert "functions.pkg.crossplane.io function-tap" in notes
    assert "helm upgrade --install dev charts/environment" in notes
    assert "providers.pkg.crossplane.io --all" in notes
    without = said(helm, CHART, **GIVEN, providers={"enabled": False})
    assert "providers.pkg.crossplane.io" not in without
    assert "docs/reference/provider-packages.yaml" in without


@pytest.mark.parametrize(("where", "text"), documented("platform"))
def test_the_values_in_the_documents_are_valid(render: Render, crds: Path, where: str, text: str) -> None:
    values: dict[str, Any] = yaml.safe_load(text)
    assert [fault for one in render(**values).values() for fault in faults(one, crds)] == [], where


def test_the_functions_pod_is_what_the_restricted_standard_asks_for_and_knows_no_cluster(render: Render) -> None:
    spec = render(**GIVEN)["DeploymentRuntimeConfig/function-tap"]["spec"]
    pod = spec["deploymentTemplate"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["seccompProfile"]["type"]) == (
        True,
        "RuntimeDefault",
    )
    [box] = pod["containers"]
    assert box["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
