"""The embedded control plane: it survives what machines do to it, and touches nothing that is not its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tap_cluster import api, golang
from tap_cluster.api import Cluster, Kind
from tap_cluster.errors import ClusterError
from tap_cluster.part import Part
from tap_cluster.state import State

PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "crossplane", "crossplane-rbac")


def up(cluster: Cluster) -> Cluster:
    # With none, whatever AWS= says to the tests beside it: the provider needs the whole platform.
    return api.ensure(Kind.EMBEDDED, places=cluster.places, control_plane_only=True, aws="none")


def pids(cluster: Cluster) -> dict[str, int]:
    return {name: cluster.process(name).pid for name in PLANE}


def remember(cluster: Cluster, name: str) -> None:
    cluster.kubectl("create", "configmap", name, "--from-literal=kept=yes")


def remembers(cluster: Cluster, name: str) -> bool:
    return cluster.kubectl("get", "configmap", name, "-o", "jsonpath={.data.kept}") == "yes"


def of_this_state(cluster: Cluster) -> list[str]:
    """Return the command lines of all processes that name the state folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(cluster.places.state) in command:
            found.append(command)
    return found


def may(cluster: Cluster, account: str, verb: str, what: str, namespace: str = "default") -> bool:
    who = f"--as=system:serviceaccount:{account}"
    try:
        return cluster.kubectl("auth", "can-i", verb, what, who, "-n", namespace).strip() == "yes"
    except ClusterError:
        return False


def test_the_server_says_the_version_that_the_recipe_pins(spare: Cluster) -> None:
    said = json.loads(spare.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
    assert said == golang.pinned(spare.places.recipes / "kubernetes", "k8s.io/kubernetes")


def test_up_again_from_another_shell_is_a_no_op(spare: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"/opt/other/bin:{os.environ['PATH']}")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    before, begun = pids(spare), time.monotonic()
    up(spare)
    assert pids(spare) == before
    assert time.monotonic() - begun < 15  # two seconds on an idle machine


@pytest.mark.parametrize("victims", [("kube-apiserver",), ("etcd",), PLANE], ids=lambda names: "+".join(names)[:20])
def test_what_was_killed_comes_back_with_its_data(spare: Cluster, victims: tuple[str, ...]) -> None:
    name = f"before-{victims[0]}-{len(victims)}"
    up(spare)
    remember(spare, name)
    before = pids(spare)
    for victim in victims:
        spare.process(victim).kill()
    assert not any(spare.process(victim).alive for victim in victims)
    up(spare)
    assert remembers(spare, name)
    changed = {process for process, pid in pids(spare).items() if pid != before[process]}
    assert changed == set(victims)


def test_what_ended_by_itself_is_started_again(spare: Cluster) -> None:
    spare.process("kube-controller-manager").kill()
    assert spare.revive() == ["kube-controller-manager"]
    assert spare.process("kube-controller-manager").alive
    assert spare.revive() == []


@pytest.mark.parametrize("victim", ["etcd", "kube-apiserver"])
def test_controllers_that_may_have_missed_something_look_at_everything_anew(spare: Cluster, victim: str) -> None:
    up(spare)
    before = pids(spare)
    spare.process(victim).kill()
    assert spare.revive() == [victim, "kube-controller-manager"]
    assert {name for name, pid in pids(spare).items() if pid != before[name]} == {victim, "kube-controller-manager"}


def test_a_stale_process_id_kills_nobody(spare: Cluster) -> None:
    up(spare)
    remember(spare, "stale")
    for name in PLANE:
        spare.process(name).kill()
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        file = spare.places.embedded / "state.json"
        raw = json.loads(file.read_text())
        for record in raw["processes"].values():
            record["identity"]["pid"] = stranger.pid
        file.write_text(json.dumps(raw))
        part = Part("etcd", spare.places, spare.progress)
        assert not part.alive
        part.kill()
        assert api.down(Kind.EMBEDDED, places=spare.places) == []
        up(spare)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
    assert remembers(spare, "stale")


def test_a_port_that_a_stranger_took_is_left_to_the_stranger(spare: Cluster) -> None:
    up(spare)
    remember(spare, "port")
    state = spare.places.embedded / "state.json"
    port = State.load(state).ports["apiserver"]
    spare.process("kube-apiserver").kill()
    with socket.create_server(("127.0.0.1", port), reuse_port=False):
        up(spare)
        assert State.load(state).ports["apiserver"] != port
        assert remembers(spare, "port")


def test_a_cluster_whose_data_was_removed_is_made_anew(spare: Cluster) -> None:
    up(spare)
    remember(spare, "gone")
    spare.down()
    shutil.rmtree(spare.places.embedded / "etcd")
    up(spare)
    with pytest.raises(ClusterError, match="NotFound"):
        remembers(spare, "gone")
    assert "True" in spare.kubectl(
        "get", "crd", "vpcs.ec2.aws.m.upbound.io", "-o", "jsonpath={.status.conditions[*].status}"
    )


def test_down_leaves_no_process_and_up_comes_back_with_the_data(spare: Cluster) -> None:
    up(spare)
    remember(spare, "down")
    ended = api.down(Kind.EMBEDDED, places=spare.places)
    assert ended == list(reversed(PLANE))
    assert of_this_state(spare) == []
    up(spare)
    assert remembers(spare, "down")


def test_secrets_are_readable_by_their_owner_only(spare: Cluster) -> None:
    up(spare)
    assert spare.kubeconfig.stat().st_mode & 0o777 == 0o600
    keys = list(spare.places.embedded.rglob("*.key"))
    assert keys
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
    assert spare.places.embedded.stat().st_mode & 0o777 == 0o700


def test_crossplane_has_the_rights_of_its_chart_and_of_our_kinds(spare: Cluster) -> None:
    up(spare)
    who = "crossplane-system:crossplane"
    assert may(spare, who, "create", "vpcs.ec2.aws.m.upbound.io")
    assert may(spare, who, "update", "clusters.rds.aws.m.upbound.io/status")
    assert may(spare, who, "get", "secrets")
    for verb, what in [("create", "pods"), ("create", "clusterroles"), ("delete", "namespaces"), ("get", "nodes")]:
        assert not may(spare, who, verb, what), (verb, what)
    # It composes namespaced kinds only; what decides about accounts and credentials is not its to write.
    assert not may(spare, who, "bind", "clusterroles")
    assert not may(spare, who, "impersonate", "users")


def test_crossplane_runs_with_its_own_account(spare: Cluster) -> None:
    up(spare)
    for account, name in (("crossplane", "crossplane"), ("rbac-manager", "rbac-manager")):
        config = spare.places.embedded / "kubeconfigs" / account
        who = json.loads(spare.kubectl("--kubeconfig", config, "auth", "whoami", "-o", "json"))
        assert who["status"]["userInfo"]["username"] == f"system:serviceaccount:crossplane-system:{name}"


def test_only_crossplane_listens_beyond_loopback(spare: Cluster) -> None:
    """Crossplane has no flag for the host of its webhook, metrics and probes."""
    up(spare)
    assert {name for name in PLANE if listens_to_others(spare.process(name).pid)} == {"crossplane"}


def listens_to_others(pid: int) -> bool:
    own = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    loopback = {"0100007F", "0000000000000000FFFF00000100007F"}
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            local, state, inode = (row.split()[column] for column in (1, 3, 9))
            if state == "0A" and f"socket:[{inode}]" in own and local.partition(":")[0] not in loopback:
                return True
    return False
