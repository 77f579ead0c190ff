"""The webhook behind the real apiserver: what reaches it, what it tells, and that nobody notices a renewed certificate."""

import base64
import http.client
import json
import shlex
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from prometheus_client.parser import text_string_to_metric_families

from cluster.world import World
from tap_api import manifest
from tap_api.base import API_VERSION, GROUP, VERSION, Json
from tap_cluster.api import Cluster, Kind
from tap_cluster.embedded import state_file
from tap_cluster.pki import Authority, Leaf
from tap_cluster.places import write_private
from tap_cluster.services import ADMISSION, ADMISSION_NAMES
from tap_cluster.state import State

CLAIMS = Path(__file__).parents[2] / "claims"
CONFIGURATION = ("validatingwebhookconfiguration", "tap-admission")


@pytest.fixture
def embedded(cluster: Cluster) -> Cluster:
    if cluster.kind is not Kind.EMBEDDED:
        pytest.skip("reads the files of processes on this machine")
    return cluster


def ports(cluster: Cluster) -> dict[str, int]:
    return State.load(state_file(cluster.places)).ports


def alone(**spec: object) -> Json:
    said = {"environment": "dev", "region": "eu-west-1", "cidr": "10.9.0.0/16", "tags": {"CostCenter": "x"}, **spec}
    return {"apiVersion": API_VERSION, "kind": "RegionalTap", "metadata": {"name": "alone"}, "spec": said}


def decisions(cluster: Cluster, namespace: str) -> set[tuple[str, ...]]:
    """Returns what the replicas logged of a namespace: who asked for what, and whether it was allowed.

    Not how often: a change that meets another one is judged once more.
    """
    found: set[tuple[str, ...]] = set()
    for replica in ADMISSION:
        for line in cluster.process(replica).log.read_text().splitlines():
            _, told, words = line.partition(" decision ")
            fields = dict(word.split("=", 1) for word in shlex.split(words)) if told else {}
            if fields.get("namespace") == namespace:
                found.add(tuple(fields[name] for name in ("who", "operation", "kind", "name", "allowed")))
    return found


def test_people_creating_and_changing_a_spec_reach_it_and_nothing_else_does(embedded: Cluster, world: World) -> None:
    """The operator, Crossplane and the controllers of Kubernetes are at work here all the time."""
    [claim] = manifest.read(CLAIMS / "dev.yaml")
    claim["spec"]["regions"] = claim["spec"]["regions"][:1]
    world.apply(claim)
    world.apply(alone(protection=False))
    world.until(lambda: "dev-us-east-1-sessions" in world.names("regionalsessions"), "the region is made")
    world.until(lambda: "alone-sessions" in world.names("regionalsessions"), "the other region is made")
    for kind, name in (("etap", "dev"), ("rtap", "alone")):
        world.kubectl("label", kind, name, "team=shop")
        world.kubectl("annotate", kind, name, "note=hello")
        for finalizers in (["example.org/wait"], []):
            world.kubectl(
                "patch", kind, name, "--type=merge", "-p", json.dumps({"metadata": {"finalizers": finalizers}})
            )
    status = json.dumps({"status": {"outputs": {"vpcId": "vpc-0"}}})
    world.kubectl("patch", "rtap", "alone", "--subresource=status", "--type=merge", "-p", status)
    for kind, name in (("etap", "dev"), ("rtap", "alone")):
        patch = json.dumps({"spec": {"tags": {"CostCenter": "y"}}})
        world.kubectl("patch", kind, name, "--type=merge", "-p", patch)
    world.kubectl_fails("patch", "rtap", "alone", "--type=merge", "-p", '{"spec":{"tags":{"costcenter":"z"}}}')
    world.delete("rtap/alone", "etap/dev")
    assert decisions(embedded, world.namespace) == {
        ("tap-admin", "CREATE", "EnvironmentTap", "dev", "true"),
        ("tap-admin", "CREATE", "RegionalTap", "alone", "true"),
        ("tap-admin", "UPDATE", "EnvironmentTap", "dev", "true"),
        ("tap-admin", "UPDATE", "RegionalTap", "alone", "true"),
        ("tap-admin", "UPDATE", "RegionalTap", "alone", "false"),
    }


def counted(cluster: Cluster) -> float:
    """Returns how many decisions both replicas have counted."""
    total = 0.0
    for replica in ADMISSION:
        connection = http.client.HTTPConnection("127.0.0.1", ports(cluster)[f"{replica}-metrics"], timeout=10)
        connection.request("GET", "/metrics")
        for family in text_string_to_metric_families(connection.getresponse().read().decode()):
            if family.name == "tap_admission_decisions":
                total += sum(sample.value for sample in family.samples if sample.name.endswith("_total"))
        connection.close()
    return total


def test_what_is_decided_is_counted(embedded: Cluster, world: World) -> None:
    before = counted(embedded)
    world.kubectl("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(alone()))
    # What the schema refuses by itself never gets here; two keys that differ in case alone do.
    world.refused(alone(tags={"CostCenter": "x", "costcenter": "y"}))
    assert counted(embedded) == before + 2


@pytest.mark.parametrize("body", [b"", b"{", b"null", b'{"kind":"AdmissionReview"}', b"[" * 100_000, b"\xff"])
def test_what_is_no_review_is_answered_400(embedded: Cluster, body: bytes) -> None:
    connection = webhook(embedded)
    connection.request("POST", "/", body)
    answer = connection.getresponse()
    assert answer.status == 400
    assert json.loads(answer.read())["message"]
    connection.close()


SPELLINGS = (
    "010.0.0.0/16",
    "10.0.0.1/16",
    "10.0.0.0/0",
    "10.0.0.0/33",
    "10.0.0.0/255.255.0.0",
    "::ffff:10.0.0.0/112",
    "١٠.٠.٠.٠/١٦",
    "10.0.0.0/16\n",
    " 10.0.0.0/16",
    "0x0a.0.0.0/16",
    "9" * 2**20,
)


@pytest.mark.parametrize(
    "spec",
    [
        *({"cidr": text} for text in SPELLINGS),
        *({"tags": {"CostCenter": "x", key: "x"}} for key in ("aws:x", "ENVIRONMENT", "k" * 129, "a\nb", "🦀", "")),
        {"tags": {"CostCenter": "\t "}},
        {"tags": {"CostCenter": "x" * 2**20}},
        {"protection": "yes"},
        {"network": {"flowLogs": {"retentionDays": True}}},
        {"region": "us-east-1\n"},
    ],
    ids=lambda spec: json.dumps(spec)[:40],
)
def test_hostile_input_is_refused_with_a_message_by_the_door_as_a_whole(
    cluster: Cluster, shared_namespace: str, spec: Json
) -> None:
    objects: Any = client.CustomObjectsApi(config.new_client_from_config(str(cluster.kubeconfig)))  # type: ignore[no-untyped-call]
    with pytest.raises(client.ApiException) as refused:
        objects.create_namespaced_custom_object(
            GROUP, VERSION, shared_namespace, "regionaltaps", alone(**spec), dry_run="All"
        )
    said = json.loads(str(refused.value.body))["message"]
    assert refused.value.status == 422
    assert "spec." in said
    assert len(said) < 5000


def webhook(cluster: Cluster) -> http.client.HTTPSConnection:
    trust = ssl.create_default_context(cafile=folder(cluster) / "ca.crt")
    return http.client.HTTPSConnection("127.0.0.1", ports(cluster)["admission"], timeout=10, context=trust)


def folder(cluster: Cluster) -> Path:
    return cluster.places.private("pki-admission", "server")


class Stream:
    """Clients that create claims without a pause, good ones and bad ones by turns, all as dry runs."""

    CLIENTS = 4

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._kubeconfig, self._namespace = str(kubeconfig), namespace
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(self.CLIENTS)]
        self.answered = 0
        self.failures: list[str] = []

    def __enter__(self) -> "Stream":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def go_on(self, requests: int = 40) -> None:
        """Returns once that many more requests were answered."""
        enough, deadline = self.answered + requests, time.monotonic() + 60
        while self.answered < enough:
            assert time.monotonic() < deadline, f"answered {self.answered}; {self.failures[:3]}"
            time.sleep(0.05)

    def _run(self, number: int) -> None:
        objects: Any = client.CustomObjectsApi(config.new_client_from_config(self._kubeconfig))  # type: ignore[no-untyped-call]
        turn = 0
        while not self._stop.is_set():
            turn += 1
            good = turn % 2 == 0
            body = alone(tags={"CostCenter": "x"} if good else {})
            body["metadata"] = {"name": f"stream-{number}-{turn}"}
            try:
                objects.create_namespaced_custom_object(
                    GROUP, VERSION, self._namespace, "regionaltaps", body, dry_run="All"
                )
                said = "" if good else "let a bad claim pass"
            except client.ApiException as error:
                refused = error.status == 422 and "(TagMissing)" in str(error.body)
                said = "" if refused and not good else f"{error.status}: {error.body}"
            self.answered += 1
            if said:
                self.failures.append(said)


def trust(cluster: Cluster, *authorities: Authority) -> None:
    bundle = base64.b64encode(b"".join(authority.pem for authority in authorities)).decode()
    change = [{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": bundle}]
    cluster.kubectl("patch", *CONFIGURATION, "--type=json", "-p", json.dumps(change))


def serve(cluster: Cluster, made: Path, go_on: Callable[[], None] = lambda: None) -> None:
    """Puts a certificate where the replicas look, file by file, and waits until both serve it."""
    for name in ("tls.crt", "tls.key"):
        write_private(folder(cluster) / name, (made / name).read_bytes())
        go_on()  # Half a renewal, for a while.
    wanted, deadline = ssl.PEM_cert_to_DER_cert((made / "tls.crt").read_text()), time.monotonic() + 20
    in_a_row = 0
    while in_a_row < 20:  # The kernel shares the connections out between the two.
        in_a_row = in_a_row + 1 if served(cluster) == wanted else 0
        assert time.monotonic() < deadline, "the certificate is not taken up"
        time.sleep(0.01)


def served(cluster: Cluster) -> bytes:
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", ports(cluster)["admission"])))


@contextmanager
def as_it_was(cluster: Cluster, kept: Path, old: Authority, new: Authority) -> Iterator[None]:
    kept.mkdir()
    for name in ("tls.crt", "tls.key"):
        write_private(kept / name, (folder(cluster) / name).read_bytes())
    try:
        yield
    finally:
        trust(cluster, old, new)
        serve(cluster, kept)
        trust(cluster, old)


def test_neither_a_renewed_certificate_nor_a_new_authority_fails_a_request(
    embedded: Cluster, world: World, tmp_path: Path
) -> None:
    old = Authority.ensure(embedded.places.private("pki-admission", "ca"), "tap-admission-ca")
    new = Authority.ensure(tmp_path / "new-ca", "tap-admission-ca-of-next-year")
    leaf = Leaf("tap-admission", names=ADMISSION_NAMES)
    renewed, of_the_new = old.issue(tmp_path / "renewed", leaf), new.issue(tmp_path / "of-the-new", leaf)
    with as_it_was(embedded, tmp_path / "kept", old, new), Stream(embedded.kubeconfig, world.namespace) as stream:
        stream.go_on()
        serve(embedded, renewed, stream.go_on)
        stream.go_on()
        trust(embedded, old, new)
        stream.go_on()
        serve(embedded, of_the_new, stream.go_on)
        stream.go_on()
        trust(embedded, new)
        stream.go_on(100)
    assert stream.failures == []
    assert stream.answered > 300
