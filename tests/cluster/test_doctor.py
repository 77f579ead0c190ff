"""`tap doctor` on a real cluster: nothing to mend where all is well, and what was broken is found."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme

from cluster.world import World
from tap_api import manifest
from tap_cli.main import cli, run
from tap_cluster.api import Cluster, Kind

CLAIM = Path(__file__).parents[2] / "claims" / "dev.yaml"
WEBHOOK = ("validatingwebhookconfiguration", "tap-admission")


class Doctor:
    """`tap doctor` as somebody asks it."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def ask(self, kubeconfig: Path) -> tuple[int, list[Any]]:
        """Returns the exit code and the findings."""
        self._capsys.readouterr()
        code = run(partial(cli, ["doctor", "-o", "json", "--kubeconfig", str(kubeconfig)]))
        said = self._capsys.readouterr()
        assert said.err == ""
        return code, json.loads(said.out)["findings"]

    def problems(self, kubeconfig: Path) -> list[tuple[str, str]]:
        """Returns check and text of what is to be mended; each says how."""
        code, findings = self.ask(kubeconfig)
        found = [finding for finding in findings if finding["verdict"] == "problem"]
        assert code == (1 if found else 0)
        assert all(finding["mend"] for finding in found)
        return [(finding["check"], finding["text"]) for finding in found]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    return Doctor(capsys)


def test_where_all_is_well_there_is_nothing_to_mend(cluster: Cluster, doctor: Doctor) -> None:
    code, findings = doctor.ask(cluster.kubeconfig)
    odd = [finding for finding in findings if finding["verdict"] not in ("ok", "skipped")]
    # A cluster with nodes has packages of a version for this very tree (nodes.this_version): no release's.
    beside = {"credentials"} if cluster.kind is Kind.EMBEDDED else {"credentials", "function"}
    assert (code, [finding for finding in odd if finding["check"] not in beside]) == (0, [])
    assert {"kubernetes", "provider", "activation", "api", "function", "webhook", "operator", "versions"} - beside <= {
        finding["check"] for finding in findings if finding["verdict"] == "ok"
    }


def test_an_environment_without_credentials_is_found(world: World, doctor: Doctor) -> None:
    [claim] = manifest.read(CLAIM)
    claim["spec"]["regions"] = claim["spec"]["regions"][:1]
    world.apply(claim)
    expected = ("credentials", f"{world.namespace}/dev: ProviderConfig tap-dev is missing")
    assert expected in doctor.problems(world.cluster.kubeconfig)


def test_kinds_that_are_not_activated_are_found(cluster: Cluster, doctor: Doctor) -> None:
    policy = ("managedresourceactivationpolicy", "tap")
    was = json.loads(cluster.kubectl("get", *policy, "-o", "json"))
    # Whose it is stays with it: helm, on a cluster with nodes, takes it for its own again.
    kept = {key: was["metadata"][key] for key in ("name", "labels", "annotations") if key in was["metadata"]}
    again = {key: was[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": kept}
    cluster.kubectl("delete", *policy)
    try:
        [(check, text)] = doctor.problems(cluster.kubeconfig)
    finally:
        cluster.kubectl("create", "-f", "-", input=json.dumps(again))
    assert check == "activation"
    assert text.startswith("57 kinds that are composed are not activated")
    assert doctor.problems(cluster.kubeconfig) == []


@contextmanager
def changed(cluster: Cluster, path: str, value: Any) -> Iterator[None]:
    """The webhook's configuration with something else in a field."""
    before = json.loads(cluster.kubectl("get", *WEBHOOK, "-o", "json", "--show-managed-fields"))

    def put(path: str, value: Any) -> None:
        change = [{"op": "replace", "path": path, "value": value}]
        cluster.kubectl("patch", *WEBHOOK, "--type=json", "-p", json.dumps(change))

    put(path, value)
    try:
        yield
    finally:
        put("/webhooks", before["webhooks"])
        # And whose it is: else helm would find a conflict where it renews it.
        put("/metadata/managedFields", before["metadata"]["managedFields"])


def test_a_webhook_whose_certificate_is_of_another_ca_is_found(world: World, doctor: Doctor) -> None:
    cluster = world.cluster
    pem = trustme.CA().cert_pem.bytes()
    with changed(cluster, "/webhooks/0/clientConfig/caBundle", base64.b64encode(pem).decode()):
        # The apiserver takes up a configuration a moment later.
        world.until(lambda: bool(doctor.problems(cluster.kubeconfig)), "it is found", 30)
        [(check, text)] = doctor.problems(cluster.kubeconfig)
    assert check == "webhook"
    assert text.startswith("its certificate is not one of caBundle: ")
    world.until(lambda: not doctor.problems(cluster.kubeconfig), "all is well again", 30)


def test_a_webhook_that_judges_what_is_not_for_it_is_found(world: World, doctor: Doctor) -> None:
    """As cert-manager before 1.12 leaves it, whose types do not have the field."""
    cluster = world.cluster
    with changed(cluster, "/webhooks/0/matchConditions", []):
        [(check, text)] = doctor.problems(cluster.kubeconfig)
    assert check == "webhook"
    assert text.startswith("its matchConditions are gone: ")
    world.until(lambda: not doctor.problems(cluster.kubeconfig), "all is well again", 30)


def test_the_role_for_it_reads_all_but_what_it_would_have_to_write(
    world: World, doctor: Doctor, tmp_path: Path
) -> None:
    cluster, user = world.cluster, f"system:serviceaccount:{world.namespace}:doctor"
    world.kubectl("create", "serviceaccount", "doctor")
    cluster.kubectl("create", "clusterrolebinding", world.namespace, "--clusterrole=tap-doctor", f"--user={user}")
    try:
        document: Any = manifest.value(cluster.kubeconfig.read_text(), cluster.kubeconfig)
        token = world.kubectl("create", "token", "doctor").strip()
        document["users"] = [{"name": entry["name"], "user": {"token": token}} for entry in document["users"]]
        kubeconfig = tmp_path / "config"
        kubeconfig.write_text(json.dumps(document))
        _, findings = doctor.ask(kubeconfig)
    finally:
        cluster.kubectl("delete", "clusterrolebinding", world.namespace)
    denied = [finding["text"] for finding in findings if "you may not" in finding["text"]]
    assert len(denied) == 1, denied
    assert denied[0].startswith("whether it answers was not tried: you may not POST /apis/tap.platform/")
