"""The command lines of what is started, and the objects that are applied."""

import base64
import io
import json
from pathlib import Path

import pytest

from tap_cluster import (
    crossplane,
    kind,
    kubeconfig,
    kubectl,
    moto,
    nodes,
    package,
    plane,
    provider,
    provider_process,
    release,
    runtime,
    services,
    tap,
)
from tap_cluster.places import Places
from tap_stack import packages
from tap_stack.aws import KINDS

KEYS = plane.Keys(Path("/pki"), b"ca")
REVISION = {
    "apiVersion": "pkg.crossplane.io/v1",
    "kind": "FunctionRevision",
    "metadata": {"name": "function-tap-1", "labels": {"pkg.crossplane.io/package": "function-tap"}},
    "spec": {"desiredState": "Active"},
}


def addresses(argv: tuple[str, ...]) -> set[str]:
    return {word.partition("=")[2] for word in argv if word.startswith(("--listen-", "--bind-address", "--advertise-"))}


def test_the_control_plane_listens_on_loopback_alone() -> None:
    etcd = plane.etcd_argv(Path("etcd"), Path("/data"), KEYS, 1, 2)
    api = plane.apiserver_argv(Path("api"), KEYS, 3, 1)
    controllers = plane.controllers_argv(Path("kcm"), KEYS, Path("/config"), 4)
    assert addresses(etcd) == {"https://127.0.0.1:1", "https://127.0.0.1:2"}
    assert addresses(api) == {"127.0.0.1"}
    assert addresses(controllers) == {"127.0.0.1"}


def test_etcd_keeps_what_was_acknowledged_and_knows_its_clients() -> None:
    argv = plane.etcd_argv(Path("etcd"), Path("/data"), KEYS, 1, 2)
    assert not [word for word in argv if "fsync" in word]
    assert "--client-cert-auth" in argv
    assert "--peer-client-cert-auth" in argv


def test_the_garbage_collector_and_the_namespace_controller_have_accounts_of_their_own() -> None:
    argv = plane.controllers_argv(Path("kcm"), KEYS, Path("/config"), 4)
    assert "--use-service-account-credentials=true" in argv
    [listed] = [word for word in argv if word.startswith("--controllers=")]
    assert {"garbage-collector-controller", "namespace-controller", "serviceaccount-controller"} <= {
        *listed.partition("=")[2].split(",")
    }


def test_crossplanes_circuit_breaker_stays_closed_on_our_size() -> None:
    flags = crossplane.core_flags(Path("/cache"))
    assert "--circuit-breaker-burst=2000" in flags
    assert "--circuit-breaker-refill-rate=50" in flags
    assert "--package-runtime=Function=External;Provider=External" in flags


def test_of_a_chart_only_what_needs_no_node_is_taken() -> None:
    rendered = (
        "---\n# Source: a\nkind: Deployment\n---\nkind: ClusterRole\nname: a\n---\n# nothing\n---\nkind: Service\n"
    )
    assert crossplane.without_nodes(rendered) == "\nkind: ClusterRole\nname: a\n"


def test_the_operators_crds_are_told_from_the_rest() -> None:
    rendered = "---\nkind: CustomResourceDefinition\na: 1\n---\nkind: Role\nspec:\n  kind: CustomResourceDefinition\n"
    crds, others = tap.split(rendered)
    assert "a: 1" in crds
    assert others.lstrip().startswith("kind: Role")


def test_the_chart_is_told_that_the_webhook_is_a_process_here() -> None:
    assert tap.chart_values(4443, b"PEM") == {
        "deployments": {"enabled": False},
        "admission": {
            "service": {"externalName": "localhost", "port": 4443},
            "caBundle": base64.b64encode(b"PEM").decode(),
        },
    }


def test_the_webhooks_certificate_has_every_name_it_is_called_by() -> None:
    assert set(services.ADMISSION_NAMES) == {"tap-admission.tap-system.svc", "localhost", "127.0.0.1"}


def test_each_environment_has_a_namespace_and_a_provider_configuration_of_its_own_name() -> None:
    found = [(o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in tap.environments()]
    assert found == [
        ("Namespace", None, "tap-dev"),
        ("Namespace", None, "tap-staging"),
        ("Namespace", None, "tap-prod"),
        ("ProviderConfig", "tap-dev", "tap-dev"),
        ("ProviderConfig", "tap-staging", "tap-staging"),
        ("ProviderConfig", "tap-prod", "tap-prod"),
    ]


def test_each_environment_is_told_of_moto_with_credentials_of_its_own_namespace() -> None:
    configs = [found for found in tap.environments(moto.provider_config) if found["kind"] == "ProviderConfig"]
    assert len(configs) == 3
    for config in configs:
        [reference] = [config["spec"]["credentials"]["secretRef"]]
        assert reference["namespace"] == config["metadata"]["namespace"]
        secret = moto.secret(reference["namespace"])
        assert secret["metadata"] == {"name": reference["name"], "namespace": reference["namespace"]}
        assert reference["key"] in secret["stringData"]


def test_every_service_that_is_composed_leads_to_moto() -> None:
    terraform = {"cloudwatchlogs": "logs", "cloudwatchevents": "events"}
    composed = {terraform.get(kind.service, kind.service) for kind in KINDS}
    assert set(moto.SERVICES) == composed | {"sts", "s3control"}


def test_moto_lets_no_account_be_made_up() -> None:
    assert "skip_credentials_validation" not in moto.provider_config("any"), "it would be 000000000000, not moto's"


def test_the_provider_may_do_what_a_provider_may_and_nothing_to_other_kinds() -> None:
    [account, role, binding] = provider_process.account(["kms.aws.m.upbound.io_keys.yaml"])
    assert binding["subjects"] == [{"kind": "ServiceAccount", **account["metadata"]}]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    allowed = {
        (group, resource): set(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    looks, writes = {"get", "list", "watch"}, {"update", "patch", "create"}
    assert allowed == {
        ("kms.aws.m.upbound.io", "keys"): looks | writes,
        ("kms.aws.m.upbound.io", "keys/status"): looks | writes,
        ("kms.aws.m.upbound.io", "*/finalizers"): {"update"},
        ("", "secrets"): looks | writes | {"delete"},
        ("", "events"): {"create", "patch"},
        ("apiextensions.k8s.io", "customresourcedefinitions"): looks,
    }


def test_crossplane_may_write_just_the_kinds_that_are_listed() -> None:
    role = provider.role(["kms.aws.m.upbound.io_keys.yaml", "kms.aws.m.upbound.io_aliases.yaml", "a.b_cs.yaml"])
    assert role["metadata"]["labels"] == {"rbac.crossplane.io/aggregate-to-crossplane": "true"}
    assert role["rules"] == [
        {"apiGroups": ["a.b"], "resources": ["cs", "cs/status"], "verbs": ["*"]},
        {
            "apiGroups": ["kms.aws.m.upbound.io"],
            "resources": ["keys", "keys/status", "aliases", "aliases/status"],
            "verbs": ["*"],
        },
    ]


def test_the_list_of_crds_names_each_once_and_only_namespaced_groups() -> None:
    names = provider.wanted(Places.find())
    assert len(names) == len(set(names)) > 60
    assert all(".aws.m.upbound.io_" in f".{name}" and name.endswith(".yaml") for name in names)


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {"name": "x", "labels": {"pkg.crossplane.io/package": "function-other"}}},
        {"spec": {"desiredState": "Inactive"}},
        {"metadata": {"name": "x"}},
    ],
    ids=["another function", "an old revision", "no labels"],
)
def test_the_runtime_leaves_alone_what_is_not_our_active_revision(change: dict[str, object]) -> None:
    assert runtime.wanted_status({**REVISION, **change}, "127.0.0.1:1") is None


def test_the_runtime_tells_a_new_revision_where_the_function_is_and_then_rests() -> None:
    status = runtime.wanted_status(REVISION, "127.0.0.1:1")
    assert status is not None
    assert status["endpoint"] == "127.0.0.1:1"
    assert [(c["type"], c["status"]) for c in status["conditions"]] == [("RuntimeHealthy", "True")]
    told = {**REVISION, "status": status}
    assert runtime.wanted_status(told, "127.0.0.1:1") is None
    moved = runtime.wanted_status(told, "127.0.0.1:2")
    assert moved is not None
    assert moved["endpoint"] == "127.0.0.1:2"


def test_watched_objects_are_read_one_by_one() -> None:
    stream = io.StringIO("".join(json.dumps({"n": n, "deep": {"a": [1]}}, indent=4) + "\n" for n in range(3)))
    assert [found["n"] for found in runtime.documents(stream)] == [0, 1, 2]


def test_the_runtime_may_touch_function_revisions_alone() -> None:
    [role] = [o for o in runtime.objects() if o["kind"] == "ClusterRole"]
    assert {resource for rule in role["rules"] for resource in rule["resources"]} == {
        "functionrevisions",
        "functionrevisions/status",
    }


def test_the_package_is_pushed_to_loopback() -> None:
    argv = package.push_argv(Path("cli"), Path("/x.xpkg"), "127.0.0.1:5/tap/function-tap:t")
    assert argv == ["cli", "xpkg", "push", "--package-files=/x.xpkg", "127.0.0.1:5/tap/function-tap:t"]


def test_a_kubeconfig_is_private_and_of_one_user(tmp_path: Path) -> None:
    path = kubeconfig.with_token(tmp_path / "config", "https://127.0.0.1:1", b"ca", "secret", "ns")
    assert path.stat().st_mode & 0o777 == 0o600
    config = json.loads(path.read_text())
    assert config["users"][0]["user"] == {"token": "secret"}
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:1"


def test_an_identity_is_enough_to_delete_an_object_and_no_more() -> None:
    found = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a", "namespace": "b", "uid": "c"}, "spec": {}}
    assert json.loads(kubectl.identity(found)) == {
        "apiVersion": "v1",
        "kind": "X",
        "metadata": {"name": "a", "namespace": "b"},
    }


def test_kind_is_created_and_deleted_with_a_kubeconfig_of_its_own() -> None:
    tool, config = Path("/t/kind"), Path("/state/kind/kubeconfig")
    assert kind.create_argv(tool, Path("/c/kind.yaml"), config) == [
        *("/t/kind", "create", "cluster", "--name", "tap", "--config", "/c/kind.yaml"),
        *("--kubeconfig", "/state/kind/kubeconfig", "--wait", "180s"),
    ]
    assert kind.delete_argv(tool, config) == [
        *("/t/kind", "delete", "cluster", "--name", "tap", "--kubeconfig", "/state/kind/kubeconfig")
    ]


def test_kind_gets_the_images_that_are_built_here() -> None:
    assert kind.build_argv("tap-operator:dev", "operator/Dockerfile", Path("/r")) == [
        *("docker", "build", "--quiet", "--tag", "tap-operator:dev", "--file", "/r/operator/Dockerfile", "/r")
    ]
    assert kind.load_argv(Path("kind"), ("a:1", "b:1")) == [
        "kind",
        "load",
        "docker-image",
        "a:1",
        "b:1",
        "--name",
        "tap",
    ]


def test_on_nodes_crossplane_gets_the_circuit_breaker_but_not_the_external_runtime() -> None:
    values = nodes.crossplane_values(Places.find(), nodes.KIND)
    assert values["args"] == ["--circuit-breaker-burst=2000", "--circuit-breaker-refill-rate=50"]
    assert values["image"] == {"tag": "v2.4.0"}, "of the chart's own repository"
    assert values["provider"] == {"defaultActivations": None}, "or every kind of every provider is served"
    assert nodes.helm_argv(Path("helm"), "crossplane", Path("/chart"), "ns")[:5] == [
        *("helm", "upgrade", "--install", "crossplane", "/chart")
    ]


def test_on_kind_the_operator_runs_from_the_loaded_image_and_the_package_comes_from_the_registry_inside() -> None:
    assert nodes.KIND.operator == {"repository": "tap-operator", "tag": "dev", "pullPolicy": "Never"}
    values = nodes.platform_values(nodes.KIND, "v0.1.7")
    assert (values["registry"], values["version"]) == ("registry.tap-registry.svc.cluster.local:5000/tap", "v0.1.7")
    assert values["function"] == {"replicas": 1, "image": "tap-function:dev", "imagePullPolicy": "Never"}
    assert values["providers"] == {"enabled": False}


def test_a_tree_has_a_version_of_its_own_that_goes_with_what_the_configuration_asks_for() -> None:
    version = nodes.this_version(Places.find())
    assert version.startswith(release.this_version().rpartition(".")[0] + ".")
    assert packages.compatible(version).startswith(f">={version}, <")
    assert version == nodes.this_version(Places.find())


def test_the_registrys_port_is_the_one_that_kind_maps() -> None:
    text = (Places.find().repository / "cluster" / "kind.yaml").read_text()
    assert f"hostPort: {nodes.NODE_PORT}\n" in text
    assert f"containerPort: {nodes.NODE_PORT}\n" in text
    assert "listenAddress: 127.0.0.1\n" in text
