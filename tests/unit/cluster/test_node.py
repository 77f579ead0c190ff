"""CLUSTER=node: what its machine is, and what the programs in it are told."""

import io
import json
import os
import tarfile
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from tap_cluster import api, dns, machine, node, nodeimages, nodes, plane, worker
from tap_cluster.api import Kind
from tap_cluster.errors import ClusterError
from tap_cluster.machine import Machine
from tap_cluster.places import Places

MADE = Machine(7, 4711)
KEYS = plane.Keys(Path("/pki"), b"ca")


def places(folder: str) -> Places:
    return node.of(Places(Path("/repository"), Path(folder), Path("/cache")))


def test_a_node_has_a_state_of_its_own_beside_the_embedded_cluster() -> None:
    given = Places(Path("/repository"), Path("/state"), Path("/cache"))
    assert node.of(given).embedded == Path("/state/node")
    assert api.kubeconfig(Kind.NODE, places=given) == Path("/state/node/kubeconfig")
    assert given.embedded == Path("/state/embedded")


def test_each_state_folder_has_a_joint_of_its_own_whose_ends_are_private_and_in_one_range() -> None:
    numbers = {machine.number(places(f"/work/{clone}")) for clone in range(50)}
    assert len(numbers) >= 49
    for number in (*numbers, 0, machine.JOINTS.num_addresses // 4 - 1):
        here, there = (IPv4Address(end) for end in machine.ends(number))
        assert int(there) == int(here) + 1
        assert here.is_private
        assert here in machine.JOINTS
        assert there in machine.JOINTS
        assert int(here) % 4 == 1, "the first address of a /30 that is a host's"


def test_what_runs_in_the_machine_enters_its_network_its_mounts_and_its_processes() -> None:
    argv = MADE.inside(("kubelet", "--config=x"))
    assert Path(argv[0]).name == "nsenter"
    assert argv[1:] == ("--target=4711", "--net", "--mount", "--pid", "--", "kubelet", "--config=x")


def test_who_is_not_root_is_told_so_and_what_is_missing_is_one_line_with_the_packages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ClusterError, match="needs root") as caught:
        machine.check()
    assert "CLUSTER=embedded" in str(caught.value)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine, "NEEDED", {"no-such-command": "some-package", "/no/such/file": "another"})
    with pytest.raises(ClusterError, match="no-such-command, /no/such/file are not here") as caught:
        machine.check()
    assert "apt-get install --no-install-recommends another some-package" in str(caught.value)


def test_the_control_plane_of_a_node_is_reached_in_its_machine_and_listens_nowhere_else() -> None:
    site = worker.site(MADE)
    _, address = machine.ends(7)
    argv = plane.apiserver_argv(Path("api"), KEYS, 6443, 2379, site)
    assert f"--bind-address={address}" in argv
    assert f"--advertise-address={address}" in argv
    assert f"--service-cluster-ip-range={worker.SERVICES}" in argv
    assert not [word for word in argv if word.startswith("--endpoint-reconciler-type")], "pods find it by its Service"
    assert "--kubelet-certificate-authority=/pki/apiserver/ca.crt" in argv
    assert {address, worker.FIRST, "localhost", "127.0.0.1"} <= set(site.names)
    assert "--controllers=*" in plane.controllers_argv(Path("kcm"), KEYS, Path("/config"), 1, site)
    assert plane.HERE.names == ("localhost", "127.0.0.1", "kubernetes.default.svc", "10.0.0.1")


def test_the_kubelet_asks_the_apiserver_who_may_come_in_and_keeps_pods_below_its_own_group() -> None:
    config = worker.kubelet(MADE, Path("/server"), Path("/ca.crt"))
    assert config["authentication"]["anonymous"] == {"enabled": False}
    assert config["authorization"] == {"mode": "Webhook"}
    assert config["cgroupRoot"] == "/tap-node-0007"
    assert all(room.endswith("Mi") for room in config["evictionHard"].values()), "parts of a shared disk say nothing"


def test_only_the_nodes_own_registry_is_spoken_to_without_tls() -> None:
    text = worker.plain("10.213.0.1:5000")
    assert 'server = "http://10.213.0.1:5000"' in text
    assert '[host."http://10.213.0.1:5000"]' in text
    folder = Path("/state/worker")
    config = worker.containerd("10.213.0.1:5000/sandbox:dev", folder)
    assert f'config_path = "{folder}/registries"' in config
    assert "http://" not in config


def test_names_of_services_are_answered_at_the_address_that_every_pod_is_told() -> None:
    objects = {(item["kind"], item["metadata"]["name"]): item for item in dns.objects("registry/coredns:v1")}
    service = objects["Service", "coredns"]["spec"]
    [told] = worker.kubelet(MADE, Path("/s"), Path("/c"))["clusterDNS"]
    assert service["clusterIP"] == told
    pod = objects["Deployment", "coredns"]["spec"]["template"]
    assert service["selector"].items() <= pod["metadata"]["labels"].items()
    rules = objects["ClusterRole", "tap:coredns"]["rules"]
    assert not [rule for rule in rules if "*" in json.dumps(rule) or set(rule["verbs"]) - {"list", "watch"}]


def test_an_image_of_one_program_holds_it_and_what_it_reads_whatever_the_machine_says_of_their_times(
    tmp_path: Path,
) -> None:
    program, text = tmp_path / "program", tmp_path / "crd.yaml"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)
    text.write_text("kind: X\n")
    made = [nodeimages.layer({"bin/program": program, "crds/crd.yaml": text}) for _ in range(2)]
    os.utime(program, (1, 1))
    assert made[0] == made[1] == nodeimages.layer({"crds/crd.yaml": text, "bin/program": program})
    with tarfile.open(fileobj=io.BytesIO(made[0])) as archive:
        assert {entry.name: entry.mode for entry in archive} == {"bin/program": 0o755, "crds/crd.yaml": 0o644}


def test_the_namespaces_of_ours_and_of_crossplane_enforce_the_restricted_standard() -> None:
    made = nodes.restricted("tap-system")
    assert made["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    values = nodes.crossplane_values(Places.find(), nodes.KIND)
    for part in ("securityContextCrossplane", "securityContextRBACManager"):
        assert values[part]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert values[part]["capabilities"] == {"drop": ["ALL"]}
