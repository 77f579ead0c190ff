"""The platform as pods of a real kubelet: installed by helm, killed, drained, renewed, upgraded and uninstalled."""

import base64
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.world import World, confirm
from node import signer
from node.conftest import Node, processes, the_node
from node.stream import Stream, claim
from tap_api import manifest
from tap_cluster import api, images, machine, nodes, worker
from tap_cluster.api import Kind
from tap_cluster.crossplane import NAMESPACE as CROSSPLANE
from tap_cluster.errors import ClusterError
from tap_cluster.run import run
from tap_cluster.services import NAMESPACE

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "operator"
OURS = {"operator": "tap-operator", "admission": "tap-admission"}
FUNCTION = "pkg.crossplane.io/function=function-tap"


def component(name: str) -> str:
    return f"app.kubernetes.io/component={name}"


def ready(pod: Any) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def until(check: Callable[[], bool], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.5)


def whole(up: Node) -> bool:
    """Returns whether as many pods of everything are ready as there should be."""
    counts = [(NAMESPACE, component(name), 2) for name in OURS] + [(CROSSPLANE, FUNCTION, 1)]
    counts += [(CROSSPLANE, "app=crossplane", 1)]
    return all(sum(map(ready, up.pods(*where))) == count for *where, count in counts)


def upgraded(up: Node, **values: Any) -> None:
    up.helm("upgrade", "operator", str(CHART), "-n", NAMESPACE, "--reuse-values", "--wait", "--timeout=5m", **values)


def uninstalled(up: Node, release: str) -> None:
    up.helm("uninstall", release, "-n", NAMESPACE, "--wait")


def certificate(up: Node) -> dict[str, str]:
    """Returns what the Secret with the webhook's certificate holds."""
    return dict(up.read("secret", "tap-admission-tls", "-n", NAMESPACE)["data"])


@pytest.fixture(autouse=True)
def as_it_was(up: Node) -> None:
    """Has every test begin with all pods ready."""
    until(lambda: whole(up), "every pod is ready")


@pytest.fixture
def prod(world: World) -> World:
    """`claims/prod.yaml`, settled."""
    [document] = manifest.read(ROOT / "claims" / "prod.yaml")
    world.apply(document)
    world.settle("prod", 300)
    return world


@pytest.fixture
def signed(up: Node, tmp_path: Path) -> Iterator[None]:
    """The operator's chart as it installs where cert-manager is served, for the time of a test."""
    with signer.running(up, tmp_path / "cert-manager.log"):
        uninstalled(up, "operator")
        installed_anew(up)
        yield
        uninstalled(up, "operator")
    up.cluster.kubectl("delete", "secret", "tap-admission-tls", "tap-admission-ca", "-n", NAMESPACE)
    installed_anew(up)


def test_everything_of_ours_and_of_crossplane_is_a_pod_of_images_from_the_registry_beside_it(up: Node) -> None:
    host = up.supply.pull.partition("/")[0]
    pods = [pod for namespace in (NAMESPACE, CROSSPLANE) for pod in up.pods(namespace)]
    assert len(pods) == 7, [pod["metadata"]["name"] for pod in pods]
    for pod in pods:
        for box in pod["spec"]["containers"]:
            assert box["image"].startswith(f"{host}/"), pod["metadata"]["name"]
    assert not processes("tap-operator fanout --health-port"), "as `embedded` runs it"
    [function] = up.pods(CROSSPLANE, FUNCTION)
    assert "function-tap" in function["spec"]["containers"][0]["image"], "the image that its own package carries"


@pytest.mark.parametrize("name", [images.OPERATOR, images.FUNCTION])
def test_an_image_lists_each_distribution_that_its_lock_pins_and_no_other(up: Node, name: str, tmp_path: Path) -> None:
    references = {images.OPERATOR: "{repository}:{tag}".format(**up.supply.operator)}
    reference = references.get(name) or image_of_the_function(up)
    run([up.context.tools["crane"], "pull", reference, tmp_path / "image.tar"])
    listed = images.sbom(tmp_path / "image.tar")
    assert listed
    found = {
        f"{re.sub('[-_.]+', '-', one['name']).lower()}=={one['version']}" for one in json.loads(listed)["components"]
    }
    lock = (ROOT / "requirements" / f"{name.removeprefix('tap-')}.txt").read_text(encoding="utf-8")
    assert found == {pin.group() for pin in re.finditer(r"^[^\s;]+==[^\s;]+", lock, re.MULTILINE)}


def test_no_pod_that_the_restricted_standard_forbids_is_taken_where_ours_run(up: Node) -> None:
    for namespace in (NAMESPACE, CROSSPLANE):
        with pytest.raises(ClusterError) as caught:
            up.cluster.kubectl("run", "rooted", "-n", namespace, "--image=x", "--privileged")
        assert 'violates PodSecurity "restricted' in caught.value.output


def test_helm_test_passes_and_leaves_nothing_and_fails_where_claims_are_not_judged(up: Node) -> None:
    assert "Succeeded" in up.helm("test", "operator", "-n", NAMESPACE)
    assert not up.pods(NAMESPACE, component("test"))
    upgraded(up, admission={"failurePolicy": "Ignore"})
    try:
        up.cluster.kubectl("scale", "deployment/tap-admission", "--replicas=0", "-n", NAMESPACE)
        up.cluster.kubectl("wait", "--for=delete", "pod", "-l", component("admission"), "-n", NAMESPACE)
        with pytest.raises(ClusterError):
            up.helm("test", "operator", "-n", NAMESPACE)
        said = up.cluster.kubectl("logs", "tap-test", "-n", NAMESPACE)
        assert "a claim whose regions overlap would be stored" in said
    finally:
        up.cluster.kubectl("scale", "deployment/tap-admission", "--replicas=2", "-n", NAMESPACE)
        upgraded(up, admission={"failurePolicy": "Fail"})


def test_a_claim_becomes_three_regions_and_is_shown_and_goes(prod: World) -> None:
    assert len(prod.objects("regionaltaps")) == 3
    assert len(prod.managed()) > 130
    before = prod.managed()
    prod.remove("etap", "prod")
    assert before
    assert not prod.managed()


@pytest.mark.parametrize(
    ("account", "may", "may_not"),
    [
        (
            f"system:serviceaccount:{NAMESPACE}:tap-operator",
            [("create", "regionaltaps.tap.platform"), ("patch", "environmenttaps.tap.platform/status")],
            [("create", "environmenttaps.tap.platform"), ("get", "secrets"), ("create", "pods"), ("patch", "crds")],
        ),
        (
            f"system:serviceaccount:{NAMESPACE}:tap-admission",
            [("get", "cidrblocks.tap.platform"), ("get", "leases.coordination.k8s.io")],
            [("create", "cidrblocks.tap.platform"), ("get", "secrets"), ("list", "environmenttaps.tap.platform")],
        ),
        (
            f"system:serviceaccount:{CROSSPLANE}:crossplane",
            [("create", "vpcs.ec2.aws.m.upbound.io"), ("create", "regionalnetworks.tap.platform")],
            [("delete", "environmenttaps.tap.platform"), ("create", "pods")],
        ),
    ],
)
def test_an_account_may_do_what_it_needs_and_no_more(
    up: Node, account: str, may: list[tuple[str, str]], may_not: list[tuple[str, str]]
) -> None:
    def can(verb: str, what: str) -> bool:
        try:
            up.cluster.kubectl("auth", "can-i", verb, what, f"--as={account}", "-n", "tap-dev", "-q")
        except ClusterError:
            return False
        return True

    assert [words for words in may if not can(*words)] == []
    assert [words for words in may_not if can(*words)] == []


def test_pods_that_are_killed_lose_no_claim_and_none_is_refused_wrongly(up: Node, world: World) -> None:
    with Stream(world) as stream:
        stream.more(20)
        for name in ("admission", "admission", "operator", "operator"):
            pod = min(up.pods(NAMESPACE, component(name)), key=lambda pod: pod["metadata"]["creationTimestamp"])
            up.cluster.kubectl("delete", "pod", pod["metadata"]["name"], "-n", NAMESPACE)
            stream.more(20)
            until(lambda: whole(up), "another took its place")
        for selector in (FUNCTION, "app=crossplane"):
            [pod] = up.pods(CROSSPLANE, selector)
            words = ("--grace-period=0", "--force")
            up.cluster.kubectl("delete", "pod", pod["metadata"]["name"], "-n", CROSSPLANE, *words)
            until(lambda: whole(up), "another took its place")
        stream.more(40)
    all_is_well(stream)


def test_a_node_that_is_drained_goes_on_judging_and_loses_no_claim(up: Node, world: World) -> None:
    drain = ("drain", worker.NODE, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=40s")
    with Stream(world) as stream:
        stream.more(20)
        selector = "--pod-selector=app.kubernetes.io/name=operator"
        with pytest.raises(ClusterError):  # There is no other node: one of each is not let go.
            up.cluster.kubectl(*drain, selector)
        left = [len([pod for pod in up.pods(NAMESPACE, component(name)) if ready(pod)]) for name in OURS]
        assert left == [1, 1]
        stream.more(20)
        up.cluster.kubectl("uncordon", worker.NODE)
        until(lambda: whole(up), "every pod is back")
        stream.more(20)
    all_is_well(stream)


def test_a_certificate_that_is_renewed_by_an_upgrade_refuses_no_claim(up: Node, world: World) -> None:
    def serial() -> str:
        return certificate(up)["tls.crt"]

    def authorities() -> int:
        return base64.b64decode(certificate(up)["ca.crt"]).count(b"BEGIN")

    before_all = authorities()
    with Stream(world) as stream:
        stream.more(20)
        for asked, trusted in (((), before_all), (("delete", "secret", "tap-admission-ca", "-n", NAMESPACE), 2)):
            before = serial()
            if asked:  # A new CA: the one before is trusted until the certificate is in every pod.
                up.cluster.kubectl(*asked)
            upgraded(up, admission={"renewAfterDays": 0})
            assert (serial() != before, authorities()) == (True, trusted)
            stream.more(400, 200)  # Longer than a kubelet takes to bring it.
    renewed = serial()
    upgraded(up, admission={"renewAfterDays": 365})
    assert serial() == renewed, "it is as good as new"
    all_is_well(stream)


@pytest.mark.usefixtures("signed")
def test_a_certificate_that_cert_manager_signed_is_renewed_by_it_and_refuses_no_claim(up: Node, world: World) -> None:
    def trusted() -> set[str]:
        found = up.read("validatingwebhookconfiguration", "tap-admission")
        return {webhook["clientConfig"]["caBundle"] for webhook in found["webhooks"]}

    wanted = ("certificate", "tap-admission", "-n", NAMESPACE)
    assert ready(up.read(*wanted))
    first = certificate(up)
    assert trusted() == {first["ca.crt"]}
    with Stream(world) as stream:
        stream.more(20)
        # As `cmctl renew` asks for it (https://cert-manager.io/docs/reference/cmctl/#renew).
        asked = {"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "message": "renewed by a test"}
        kept = [item for item in up.read(*wanted)["status"]["conditions"] if item["type"] != "Issuing"]
        patch = json.dumps({"status": {"conditions": [*kept, asked]}})
        up.cluster.kubectl("patch", *wanted, "--subresource=status", "--type=merge", "-p", patch)
        until(lambda: certificate(up)["tls.crt"] != first["tls.crt"], "cert-manager signs anew")
        stream.more(400, 200)  # Longer than a kubelet takes to bring it.
        upgraded(up)  # Which has nothing to say about who is trusted.
        stream.more(20)
    assert trusted() == {certificate(up)["ca.crt"]} == {first["ca.crt"]}, "by the same CA"
    all_is_well(stream)


def test_an_upgrade_of_all_that_is_ours_makes_nothing_anew_and_refuses_nothing_wrongly(up: Node, prod: World) -> None:
    def identities() -> dict[str, str]:
        found = [*prod.objects("regionaltaps"), *prod.managed()]
        return {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"] for item in found}

    before, version = identities(), f"{nodes.this_version(up.context.places).rpartition('.')[0]}.{int(time.time())}"
    other = {**up.supply.operator, "tag": f"upgrade-{int(time.time())}"}
    image = "{repository}:{tag}".format
    crane = up.context.tools["crane"]
    run([crane, "mutate", image(**up.supply.operator), "--label=upgrade=1", f"--tag={image(**other)}"])
    nodes.push(up.context, up.supply, version)
    with Stream(prod) as stream:
        stream.more(20)
        upgraded(up, image=other)
        where = ("upgrade", "platform", str(ROOT / "charts" / "platform"), "-n", NAMESPACE, "--reuse-values")
        up.helm(*where, version=version)
        until(lambda: image_of_the_function(up).endswith(version), "Crossplane runs the new function", 240)
        until(lambda: whole(up), "every pod is ready", 240)
        stream.more(40)
    all_is_well(stream)
    assert {key: uid for key, uid in identities().items() if key in before} == before, "something was made anew"
    # What it composes now is by the new function, and what it composed then is the same.
    prod.kubectl("patch", "etap", "prod", "--type=merge", "-p", json.dumps({"spec": {"tags": {"Upgraded": "yes"}}}))
    prod.until(lambda: all_have_the_tag(prod), "every region has the new tag", 240)
    assert {key: uid for key, uid in identities().items() if key in before} == before
    installed_anew(up)  # The registry forgets what nobody but this test pushed.


def test_the_operator_is_not_uninstalled_while_a_tap_is_left_and_the_platform_leaves_every_kind(
    up: Node, world: World
) -> None:
    world.apply(claim(world, "left", "10.9.0.0/16"))
    world.until(lambda: bool(world.objects("regionaltaps")), "its region is there")
    with pytest.raises(ClusterError) as caught:
        uninstalled(up, "operator")
    assert f"kubectl delete etap left -n {world.namespace}" in caught.value.output
    assert whole(up)
    [keep] = re.findall(r"helm (rollback [\w-]+ \d+ --namespace [\w-]+)", caught.value.output)
    up.helm(*keep.split())
    upgraded(up)
    with pytest.raises(ClusterError):
        uninstalled(up, "operator")
    assert whole(up)
    uninstalled(up, "platform")
    assert world.objects("regionaltaps")
    confirm(up.cluster, world.namespace, "etap", "left")
    world.delete("etap", "left")
    uninstalled(up, "operator")
    assert {"environmenttaps.tap.platform", "cidrblocks.tap.platform"} <= {
        item["metadata"]["name"] for item in up.read("crds")["items"]
    }
    installed_anew(up)


def test_what_each_pod_takes_is_far_from_its_limit(up: Node, prod: World) -> None:
    assert prod.objects("regionaltaps")
    summary = json.loads(up.cluster.kubectl("get", "--raw", f"/api/v1/nodes/{worker.NODE}/proxy/stats/summary"))
    used = {pod["podRef"]["name"]: pod["memory"]["workingSetBytes"] for pod in summary["pods"]}
    rows = []
    for namespace in (NAMESPACE, CROSSPLANE):
        for pod in up.pods(namespace):
            name, memory = pod["metadata"]["name"], used[pod["metadata"]["name"]] / 2**20
            rows.append(f"{name:48} {memory:6.0f} MiB  ready after {started(pod):4.0f} s")
            if namespace == NAMESPACE or "function" in name:
                [box] = pod["spec"]["containers"]
                limit = int(box["resources"]["limits"]["memory"].removesuffix("Mi"))
                assert memory < limit * 0.6, rows[-1]
    images = ("{repository}:{tag}".format(**up.supply.operator), image_of_the_function(up))
    rows += [f"{name.rpartition('/')[2]:48} {packed(up, name) / 2**20:6.0f} MiB packed" for name in images]
    sys.stdout.write("\n" + "\n".join(rows) + "\n")


def test_what_ends_leaves_nothing_and_what_starts_again_has_its_data(up: Node, world: World) -> None:
    world.apply(claim(world, "kept", "10.9.0.0/16"))
    world.until(lambda: bool(world.objects("regionaltaps")), "its region is there")
    uid = world.objects("regionaltaps")[0]["metadata"]["uid"]
    which, state = machine.number(up.context.places), str(up.context.places.embedded)
    up.cluster.down()
    assert not Path(f"/sys/class/net/tapnode{which:04x}").exists()
    assert not list(machine.CGROUPS.glob(f"**/{machine.cgroup(which)}"))
    assert state not in Path("/proc/mounts").read_text(encoding="utf-8")
    assert not processes(state)
    api.ensure(Kind.NODE)
    until(lambda: whole(up), "every pod is ready", 240)
    assert world.objects("regionaltaps")[0]["metadata"]["uid"] == uid


def installed_anew(up: Node) -> None:
    """Installs both charts just as `up` does; it is told by what it did, so that is forgotten."""
    state = the_node(up.cluster).context.state
    for name in ("operator", "platform"):
        del state.done[f"helm install {name}"]
    state.save()
    api.ensure(Kind.NODE)


def all_is_well(stream: Stream) -> None:
    """Asserts that nothing was refused or taken wrongly, and that each claim that was taken became its region."""
    assert stream.wrong == []
    assert stream.stored
    world = stream.world
    wanted = {f"{name}-us-east-1" for name in stream.stored}
    world.until(lambda: wanted <= set(world.names("regionaltaps")), "every claim became a region", 180)
    for name in stream.stored:
        world.settle(name, 240)


def all_have_the_tag(world: World) -> bool:
    """Returns whether the regions of `prod`, and their VPCs, have the tag that it was given; claims beside it have not."""
    taps = [tap for tap in world.objects("regionaltaps") if tap["metadata"]["name"].startswith("prod-")]
    vpcs = [vpc for vpc in world.objects("vpcs.ec2.aws.m.upbound.io") if vpc["metadata"]["name"].startswith("prod-")]
    tags = [tap["spec"]["tags"] for tap in taps] + [vpc["spec"]["forProvider"]["tags"] for vpc in vpcs]
    return len(tags) == 6 and all(one.get("Upgraded") == "yes" for one in tags)


def image_of_the_function(up: Node) -> str:
    found = [pod for pod in up.pods(CROSSPLANE, FUNCTION) if ready(pod)]
    return str(found[0]["spec"]["containers"][0]["image"]) if len(found) == 1 else ""


def started(pod: Any) -> float:
    """Returns how many seconds a pod took from being scheduled to being ready."""
    at = {item["type"]: item["lastTransitionTime"] for item in pod["status"]["conditions"]}
    times = [time.mktime(time.strptime(at[name], "%Y-%m-%dT%H:%M:%SZ")) for name in ("PodScheduled", "Ready")]
    return times[1] - times[0]


def packed(up: Node, reference: str) -> int:
    """Returns the bytes of an image as the registry has it."""
    found = json.loads(run([up.context.tools["crane"], "manifest", reference]))
    return sum(layer["size"] for layer in found["layers"])
