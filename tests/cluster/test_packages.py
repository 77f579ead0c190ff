"""The packages and charts on real Crossplane: what `make publish` pushed is pulled from a registry, and installed.

On a control plane of their own: a Configuration that is deleted takes its XRDs along, with all that is of their kinds.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from doubles.jobs import JobsDouble
from tap_api.kinds import XRS
from tap_cluster import crossplane, embedded, golang, package, recipes, release, runtime, services, tools
from tap_cluster.api import Cluster
from tap_cluster.context import Context
from tap_cluster.release import Release
from tap_cluster.run import child_env, run
from tap_stack.packages import CONFIGURATION, FUNCTION

NAMES = sorted(f"{xr.plural}.tap.platform" for xr in XRS)
KINDS = ("compositeresourcedefinition", "composition")
CHARTS = Path(__file__).resolve().parents[2] / "charts"
INSTALL = ("upgrade", "--install", "--namespace", "tap-system", "--create-namespace")
PACKAGES = (("configuration", CONFIGURATION), ("function.pkg.crossplane.io", FUNCTION))
FLAGS = ["--circuit-breaker-burst=2000", "--circuit-breaker-refill-rate=50"]


@pytest.fixture(scope="module")
def context(spare: Cluster) -> Context:
    """The spare control plane with a registry, and what tells Crossplane where functions run; `spare` ends both."""
    built = tools.ensure(recipes.EMBEDDED, spare.places, spare.progress)
    found = embedded.load(spare.places, built, spare.progress)
    found.supervisor.ensure(package.registry(found))
    runtime.install(found)
    services.install_function_certificate(found)
    found.supervisor.ensure(runtime.program(found))
    return found


@pytest.fixture(scope="module")
def pushed(context: Context, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The references of both packages, as `make publish` pushed them, with digests."""
    where = release.registry("", context.places)
    made = release.build(
        Release(where, release.this_version()), tmp_path_factory.mktemp("dist"), context.places, context.tools
    )
    return [release.push(one, context.tools) for one in made]


def read(cluster: Cluster, kind: str, name: str) -> Any:
    return json.loads(cluster.kubectl("get", kind, name, "-o", "json"))


def listed(cluster: Cluster, kind: str) -> dict[str, Any]:
    """Returns the objects of a kind by their names."""
    found = json.loads(cluster.kubectl("get", kind, "-o", "json"))["items"]
    return {one["metadata"]["name"]: one for one in found}


def true_conditions(found: Mapping[str, Any]) -> set[str]:
    said = found.get("status", {}).get("conditions", [])
    return {condition["type"] for condition in said if condition["status"] == "True"}


def until_nothing(missing: Callable[[], object], patience: float = 60) -> None:
    """Waits until `missing` returns nothing."""
    deadline = time.monotonic() + patience
    while found := missing():
        assert time.monotonic() < deadline, found
        time.sleep(0.3)


Helm = Callable[..., str]


@pytest.fixture(scope="module")
def helm(context: Context) -> Helm:
    """Runs helm against the spare control plane; returns what it says, and raises it where it fails."""

    def run(*words: str | Path, **values: Any) -> str:
        file = context.places.private("values") / "test.json"
        file.write_text(json.dumps(values))
        given = ("--values", file) if values else ()
        command: list[str | Path] = [context.tools["helm"], *words, *given]
        env = child_env(context.places, KUBECONFIG=context.kubeconfig)
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
        if done.returncode:
            raise ValueError(done.stderr)
        return done.stdout

    return run


@pytest.fixture(scope="module")
def platform(pushed: list[str]) -> dict[str, Any]:
    """The values of charts/platform here: no provider can be pulled, and its CRDs were applied before."""
    return {"registry": pushed[0].partition(f"/{FUNCTION}:")[0], "providers": {"enabled": False}}


def charted(context: Context, helm: Helm, **values: Any) -> str:
    """Returns the Deployment that Crossplane's own chart would make, for nobody to run."""
    chart = crossplane.source(context.places) / "cluster" / "charts" / "crossplane"
    shown = ("--show-only", "templates/deployment.yaml", "--namespace", crossplane.NAMESPACE)
    # In the source the chart has no version of its own.
    image = {"tag": golang.pinned(context.places.recipes / "crossplane", crossplane.MODULE)}
    return helm("template", "crossplane", chart, *shown, **{"replicas": 0, "image": image, **values})


def controller(found: Mapping[str, Any]) -> tuple[str, str] | None:
    """Returns kind and name of what controls an object."""
    owners = found["metadata"].get("ownerReferences", [])
    return next(((owner["kind"], owner["name"]) for owner in owners if owner.get("controller")), None)


def test_the_chart_looks_at_crossplane_before_it_installs_anything(
    spare: Cluster, context: Context, helm: Helm, platform: dict[str, Any]
) -> None:
    def refusal() -> str:
        with pytest.raises(ValueError, match="execution error") as caught:
            helm(*INSTALL, "platform", CHARTS / "platform", "--dry-run=server", **platform)
        return str(caught.value)

    assert "Crossplane is not there: no Deployment crossplane in namespace crossplane-system" in refusal()
    for values, said in (
        ({"image": {"tag": "v2.3.4"}, "args": FLAGS}, "Crossplane v2.3.4 is too old"),
        # What the chart says in a label, where the image has no tag.
        ({"image": {"repository": "r/crossplane", "ignoreTag": True}, "args": FLAGS}, "Crossplane 0.0.1 is too old"),
        ({}, "--circuit-breaker-burst has to be 2000 or more"),
        ({"args": [FLAGS[0], "--circuit-breaker-refill-rate=5"]}, "--circuit-breaker-refill-rate has to be 50 or more"),
    ):
        spare.kubectl("apply", "-f", "-", input=charted(context, helm, **values))
        assert said in refusal()
    spare.kubectl("apply", "-f", "-", input=charted(context, helm, args=FLAGS))
    assert "configuration-tap" in helm(*INSTALL, "platform", CHARTS / "platform", "--dry-run=server", **platform)


def test_the_platform_is_installed_and_takes_over_what_was_applied_before_it(
    spare: Cluster, context: Context, helm: Helm, platform: dict[str, Any]
) -> None:
    spare.kubectl("apply", "-f", "-", input=charted(context, helm, args=FLAGS))
    for room in ("xrds/regionalsessions.tap.platform.yaml", "compositions/regionalsessions.yaml"):
        spare.kubectl("apply", "-f", CHARTS.parent / room)
    uids = {kind: read(spare, kind, "regionalsessions.tap.platform")["metadata"]["uid"] for kind in KINDS}

    notes = helm(*INSTALL, "platform", CHARTS / "platform", **platform)
    waits = [shlex.split(line) for line in re.findall(r"^  kubectl (wait .*)$", notes, re.MULTILINE)]
    assert len(waits) == 2
    for words in waits:
        spare.kubectl(*words)

    installed = read(spare, "configuration", CONFIGURATION)
    assert true_conditions(installed) >= {"Installed", "Healthy"}
    revision = installed["status"]["currentRevision"]
    for kind in KINDS:
        objects = listed(spare, kind)
        assert {name: controller(found) for name, found in objects.items()} == dict.fromkeys(
            NAMES, ("ConfigurationRevision", revision)
        )
        assert objects["regionalsessions.tap.platform"]["metadata"]["uid"] == uids[kind], "made anew, not adopted"
    until_nothing(
        lambda: [name for name, xrd in listed(spare, KINDS[0]).items() if "Established" not in true_conditions(xrd)]
    )
    function = read(spare, "function.pkg.crossplane.io", FUNCTION)
    assert true_conditions(function) >= {"Installed", "Healthy"}
    assert function["spec"]["package"] == f"{platform['registry']}/{FUNCTION}:{release.this_version()}"


def test_what_helm_uninstalls_leaves_every_kind_where_it_is(
    spare: Cluster, context: Context, helm: Helm, platform: dict[str, Any]
) -> None:
    spare.kubectl("apply", "-f", "-", input=charted(context, helm, args=FLAGS))
    helm(*INSTALL, "platform", CHARTS / "platform", **platform)
    before = {kind: read(spare, kind, name)["metadata"]["uid"] for kind, name in PACKAGES}
    helm("uninstall", "platform", "--namespace", "tap-system")
    helm(*INSTALL, "platform", CHARTS / "platform", **platform)
    assert {kind: read(spare, kind, name)["metadata"]["uid"] for kind, name in PACKAGES} == before


def test_an_environment_is_installed_and_its_namespace_outlives_it(spare: Cluster, helm: Helm) -> None:
    values = {"environment": "staging", "credentials": {"source": "PodIdentity"}}
    helm(*INSTALL, "staging", CHARTS / "environment", **values)
    config = json.loads(spare.kubectl("get", "providerconfigs.aws.m.upbound.io", "-n", "tap-staging", "-o", "json"))
    assert [found["spec"] for found in config["items"]] == [{"credentials": {"source": "PodIdentity"}}]
    helm("uninstall", "staging", "--namespace", "tap-system")
    assert not spare.kubectl("get", "providerconfigs.aws.m.upbound.io", "-n", "tap-staging", "-o", "name")
    assert read(spare, "namespace", "tap-staging")["status"]["phase"] == "Active"


def test_the_operator_is_not_uninstalled_while_a_tap_is_left(
    spare: Cluster, context: Context, helm: Helm, platform: dict[str, Any], tmp_path: Path
) -> None:
    """Nobody could delete one then. Nothing of the chart goes, and whoever asked is told what to do."""
    spare.kubectl("apply", "-f", "-", input=charted(context, helm, args=FLAGS))
    helm(*INSTALL, "platform", CHARTS / "platform", **platform)
    # Nobody runs the pods here, admission neither.
    helm(*INSTALL, "operator", CHARTS / "operator", admission={"failurePolicy": "Ignore"})
    spare.kubectl("create", "namespace", "tap-dev")
    spare.kubectl("apply", "-f", CHARTS.parent / "claims" / "dev.yaml")

    def there() -> set[str]:
        kinds = "deployments,serviceaccounts,configmaps,validatingadmissionpolicies,clusterroles"
        selector = "--selector=app.kubernetes.io/instance=operator"
        return set(spare.kubectl("get", kinds, "-n", "tap-system", selector, "-o", "name").split())

    before = there()
    with JobsDouble(spare.kubectl, "tap-system", tmp_path) as jobs:
        with pytest.raises(ValueError, match=r"Job/tap-system/tap-uninstall not ready\. status: Failed"):
            helm("uninstall", "operator", "--namespace", "tap-system")
        [said] = jobs.said
        assert said.startswith("tap-operator: taps are left (1), and without the operator nobody could delete them.")
        [advice] = re.findall(r"^  kubectl (delete .*)$", said, re.MULTILINE)
        assert there() == before
        spare.kubectl(*shlex.split(advice))
        helm("uninstall", "operator", "--namespace", "tap-system")
        assert jobs.said == [said, ""]
    assert there() == set()
    assert {"environmenttaps.tap.platform", "cidrblocks.tap.platform"} <= listed(spare, "crd").keys()
    # Installed again, it takes over what stayed.
    helm(*INSTALL, "operator", CHARTS / "operator", admission={"failurePolicy": "Ignore"})
    assert there() == before


def test_what_is_pushed_again_keeps_its_digest(context: Context, pushed: list[str], tmp_path: Path) -> None:
    where = release.registry("", context.places)
    made = release.build(Release(where, release.this_version()), tmp_path, context.places, context.tools)
    assert [release.push(one, context.tools) for one in made] == pushed


def test_an_image_is_pushed_beside_them_and_can_be_pulled(context: Context, tmp_path: Path) -> None:
    crane, file, layer = context.tools["crane"], tmp_path / "tap-operator.tar", tmp_path / "layer.tar"
    with tarfile.open(layer, "w") as tar:
        tar.add(Path(__file__), "app/program")
    run([crane, "append", "--new_tag", "tap-operator:1", "--new_layer", layer, "--output", file])
    reference = f"{release.registry('', context.places)}/tap-operator:{release.this_version()}"
    pushed = release.push(release.Package(file, reference), context.tools)
    assert re.fullmatch(re.escape(reference) + "@sha256:[0-9a-f]{64}", pushed)
    run([crane, "pull", pushed, tmp_path / "pulled.tar"])
    with tarfile.open(tmp_path / "pulled.tar") as tar:
        assert [name for name in tar.getnames() if name.endswith(".tar.gz")]
