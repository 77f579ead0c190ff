"""The programs of a node, with kube-scheduler: containerd, kubelet and kube-proxy. They run in a machine of their own.

What they write where they like best (`/run`, `/var/lib`, `/var/log`) is that machine's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tap_cluster import kubeconfig, machine, probes
from tap_cluster.context import Context
from tap_cluster.machine import Machine
from tap_cluster.pki import Authority, Leaf
from tap_cluster.places import write_private
from tap_cluster.plane import Keys, Site
from tap_cluster.run import program_env
from tap_cluster.supervisor import Program, always, digest_files

NODE = "tap-node"
PODS, SERVICES, FIRST, DNS = "10.244.0.0/24", "10.96.0.0/16", "10.96.0.1", "10.96.0.10"
DOMAIN = "cluster.local"
SOCKET = "/run/containerd/containerd.sock"
#: Debian's place of the plugins.
PLUGINS = "/usr/lib/cni"
#: A machine of its own has all ports.
PORTS = {"etcd": 2379, "etcd-peer": 2380, "apiserver": 6443, "controllers": 10257, "scheduler": 10259}
HEALTH = 10248
#: As an init system does: it ends where containerd is not there yet.
AGAIN = ("/bin/sh", "-c", 'until "$@"; do sleep 1; done', "again")
#: The kubelet's defaults are parts of a disk that is not its own.
ROOM = {"memory.available": "100Mi", "nodefs.available": "500Mi", "imagefs.available": "500Mi"}
USERS = {
    "kubelet": Leaf(f"system:node:{NODE}", "system:nodes"),
    "proxy": Leaf("system:kube-proxy"),
    "scheduler": Leaf("system:kube-scheduler"),
}


def site(made: Machine) -> Site:
    """Return where the control plane of a node runs: beside it, all its controllers on, and the kubelet known to it."""
    return Site(made.address, SERVICES, FIRST, ("*",), made.inside, _kubelet_flags)


def programs(context: Context, made: Machine, sandbox: str, registry: str) -> tuple[Program, ...]:
    """Return containerd, kube-scheduler, the kubelet and kube-proxy.

    Args:
        context: Where certificates, tools and state are.
        made: The machine.
        sandbox: Image that holds a pod's namespaces.
        registry: Host and port of the registry that is spoken to without TLS.
    """
    folder, env = context.places.private("worker"), program_env(context.places)
    env = {**env, "PATH": f"{env['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"}
    configs = {name: _user(context, name) for name in USERS}
    certificate = _authority(context).issue(folder / "kubelet-server", Leaf(NODE, names=(NODE, made.address)))
    ca = context.places.private("pki") / "apiserver" / "ca.crt"
    files = {
        "kubelet.json": kubelet(made, certificate, ca),
        "proxy.json": proxy(configs["proxy"]),
        "cni/10-tap.conflist": CNI,
    }
    for name, content in files.items():
        write_private(folder / name, json.dumps(content, indent=1) + "\n")
    write_private(folder / "containerd.toml", containerd(sandbox, folder))
    write_private(folder / "registries" / registry / "hosts.toml", plain(registry))
    seal, tools = digest_files([folder]), context.tools
    scheduler = (
        *(str(tools["kube-scheduler"]), f"--kubeconfig={configs['scheduler']}"),
        *("--bind-address=127.0.0.1", f"--secure-port={PORTS['scheduler']}", "--leader-elect=false"),
    )
    # They would look for the node of their host's name.
    named = (f"--hostname-override={NODE}",)
    argvs: Mapping[str, tuple[str, ...]] = {
        "containerd": ("/usr/bin/containerd", "--config", str(folder / "containerd.toml")),
        "kube-scheduler": scheduler,
        "kubelet": (
            *AGAIN,
            *(str(tools["kubelet"]), f"--config={folder / 'kubelet.json'}", f"--kubeconfig={configs['kubelet']}"),
            *(f"--node-ip={made.address}", *named),
        ),
        "kube-proxy": (str(tools["kube-proxy"]), f"--config={folder / 'proxy.json'}", *named),
    }
    answers = {"kubelet": probes.http_ready(HEALTH, "/healthz", made.address)}
    return tuple(Program(name, made.inside(argv), env, answers.get(name, always), seal) for name, argv in argvs.items())


def ready(context: Context) -> bool:
    """Say whether the node is Ready."""
    path = '{.status.conditions[?(@.type=="Ready")].status}'
    return context.kubectl.succeeds("get", "node", NODE) and (
        context.kubectl("get", "node", NODE, "-o", f"jsonpath={path}") == "True"
    )


def kubelet(made: Machine, certificate: Path, ca: Path) -> dict[str, Any]:
    """Return the kubelet's configuration: all pods below one control group, and the apiserver says who may come in."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(ca)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(certificate / "tls.crt"),
        "tlsPrivateKeyFile": str(certificate / "tls.key"),
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{machine.cgroup(made.number)}",
        "healthzBindAddress": made.address,
        "healthzPort": HEALTH,
        # It says that it is Ready again soon after it was away; by default that takes minutes.
        "nodeStatusUpdateFrequency": "2s",
        "nodeStatusReportFrequency": "10s",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [DNS],
        "clusterDomain": DOMAIN,
        "evictionHard": ROOM,
        "imageGCHighThresholdPercent": 100,
        "volumePluginDir": "/var/lib/kubelet/plugins-exec",
    }


def proxy(config: Path) -> dict[str, Any]:
    """Return kube-proxy's configuration. What it would set of connection tracking is this machine's to set."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": PODS,
        "clientConnection": {"kubeconfig": str(config)},
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


CNI: dict[str, Any] = {
    "cniVersion": "1.0.0",
    "name": "tap",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "ipMasq": True,
            "hairpinMode": True,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}]},
        }
    ],
}


def containerd(sandbox: str, folder: Path) -> str:
    """Return containerd's configuration. runc in namespaces may not lower a process's score for being killed."""
    return f"""\
version = 2

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{sandbox}"
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{PLUGINS}"
conf_dir = "{folder / "cni"}"

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{folder / "registries"}"
"""


def plain(registry: str) -> str:
    """Return containerd's configuration of a registry that is spoken to without TLS."""
    host = f"http://{registry}"
    return f'server = "{host}"\n\n[host."{host}"]\ncapabilities = ["pull", "resolve"]\n'


def _kubelet_flags(keys: Keys) -> tuple[str, ...]:
    return (
        f"--kubelet-certificate-authority={keys['apiserver'] / 'ca.crt'}",
        f"--kubelet-client-certificate={keys['admin'] / 'tls.crt'}",
        f"--kubelet-client-key={keys['admin'] / 'tls.key'}",
        "--kubelet-preferred-address-types=InternalIP",
        "--allow-privileged=true",  # As on every node: a namespace says whether it takes such a pod.
    )


def _authority(context: Context) -> Authority:
    root = context.places.private("pki", "ca")
    return Authority.load((root / "tls.crt").read_bytes(), (root / "tls.key").read_bytes())


def _user(context: Context, name: str) -> Path:
    authority = _authority(context)
    folder = authority.issue(context.places.private("worker") / name, USERS[name])
    return kubeconfig.with_certificate(
        context.places.private("kubeconfigs") / name, context.server, authority.pem, folder
    )
