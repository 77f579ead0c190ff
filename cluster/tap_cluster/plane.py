"""The control plane's three programs: their certificates, command lines and readiness.

Without a node everything is on 127.0.0.1. With one it runs in the node's machine, and kube-apiserver alone is reached
from outside of it (tap_cluster.machine).

etcd keeps its fsync, so that what `kubectl apply` acknowledged outlives a power cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tap_cluster import kubeconfig, probes
from tap_cluster.pki import LOOPBACK_NAMES, Authority, Leaf, service_account_key
from tap_cluster.places import Places
from tap_cluster.run import program_env
from tap_cluster.supervisor import Program, always, digest_files

ISSUER = "https://kubernetes.default.svc"
#: Most of kube-apiserver's heap are the schemas of CRDs, which never go. At its default, Go's collector walks them for
#: a fourth of all that the apiserver computes (https://go.dev/doc/gc-guide).
HEAP = {"GOGC": "300", "GOMEMLIMIT": "4GiB"}
PORTS = {"etcd": "etcd", "etcd-peer": "etcd", "apiserver": "kube-apiserver", "controllers": "kube-controller-manager"}
# What a cluster without nodes needs. Each has its own service account, which admission policies know by name.
CONTROLLERS = (
    "clusterrole-aggregation-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "validatingadmissionpolicy-status-controller",
)


@dataclass(frozen=True)
class Site:
    """Where a control plane runs.

    Attributes:
        address: Where kube-apiserver is reached.
        services: The range that Services have their addresses from.
        first: The first address of that range, which is kube-apiserver's own.
        controllers: What kube-controller-manager runs.
        inside: Makes of a command line one that is run there.
        flags: What kube-apiserver is given beside, from the keys.
    """

    address: str
    services: str
    first: str
    controllers: tuple[str, ...]
    inside: Callable[[Sequence[str]], tuple[str, ...]]
    flags: Callable[[Keys], tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """What kube-apiserver's certificate is for."""
        more = () if self.address in LOOPBACK_NAMES else (self.address,)
        return (*LOOPBACK_NAMES, "kubernetes.default.svc", self.first, *more)


@dataclass(frozen=True)
class Keys:
    """The folders of the certificates, each with `tls.crt`, `tls.key`, `ca.crt`."""

    root: Path
    ca: bytes

    def __getitem__(self, name: str) -> Path:
        """Return one of them."""
        return self.root / name


#: This machine, without a node. The Endpoints API refuses a loopback address.
HERE = Site("127.0.0.1", "10.0.0.0/24", "10.0.0.1", CONTROLLERS, tuple, lambda _: ("--endpoint-reconciler-type=none",))


def make_keys(places: Places, site: Site = HERE) -> Keys:
    """Have every certificate of the plane; etcd has an authority of its own, so that no user's certificate opens it."""
    root = places.private("pki")
    cluster = Authority.ensure(root / "ca", "tap-embedded-ca")
    store = Authority.ensure(root / "etcd-ca", "tap-embedded-etcd-ca")
    store.issue(root / "etcd", Leaf("etcd", names=LOOPBACK_NAMES))
    store.issue(root / "etcd-client", Leaf("kube-apiserver"))
    cluster.issue(root / "apiserver", Leaf("kube-apiserver", names=site.names))
    cluster.issue(root / "controllers-server", Leaf("kube-controller-manager", names=LOOPBACK_NAMES))
    cluster.issue(root / "controllers", Leaf("system:kube-controller-manager"))
    cluster.issue(root / "admin", Leaf("tap-admin", "system:masters"))
    service_account_key(root / "service-accounts.key")
    return Keys(root, cluster.pem)


def etcd_argv(tool: Path, data: Path, keys: Keys, port: int, peer: int) -> tuple[str, ...]:
    """Return etcd's command line."""
    client, other = f"https://127.0.0.1:{port}", f"https://127.0.0.1:{peer}"
    cert, trusted = keys["etcd"], keys["etcd"] / "ca.crt"
    return (
        str(tool),
        "--name=tap",
        f"--data-dir={data}",
        *(f"--{flag}={client}" for flag in ("listen-client-urls", "advertise-client-urls")),
        *(f"--{flag}={other}" for flag in ("listen-peer-urls", "initial-advertise-peer-urls")),
        f"--initial-cluster=tap={other}",
        *(f"--{who}cert-file={cert / 'tls.crt'}" for who in ("", "peer-")),
        *(f"--{who}key-file={cert / 'tls.key'}" for who in ("", "peer-")),
        *(f"--{who}trusted-ca-file={trusted}" for who in ("", "peer-")),
        *(f"--{who}client-cert-auth" for who in ("", "peer-")),
        "--auto-compaction-retention=1h",
        "--quota-backend-bytes=4294967296",
        "--log-level=warn",
    )


def apiserver_argv(tool: Path, keys: Keys, port: int, etcd: int, site: Site = HERE) -> tuple[str, ...]:
    """Return kube-apiserver's command line."""
    accounts = keys["service-accounts.key"]
    return (
        str(tool),
        f"--bind-address={site.address}",
        f"--secure-port={port}",
        f"--advertise-address={site.address}",
        "--external-hostname=localhost",
        f"--etcd-servers=https://127.0.0.1:{etcd}",
        f"--etcd-cafile={keys['etcd-client'] / 'ca.crt'}",
        f"--etcd-certfile={keys['etcd-client'] / 'tls.crt'}",
        f"--etcd-keyfile={keys['etcd-client'] / 'tls.key'}",
        f"--tls-cert-file={keys['apiserver'] / 'tls.crt'}",
        f"--tls-private-key-file={keys['apiserver'] / 'tls.key'}",
        f"--client-ca-file={keys['apiserver'] / 'ca.crt'}",
        "--authorization-mode=Node,RBAC",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={accounts}",
        f"--service-account-signing-key-file={accounts}",
        f"--service-cluster-ip-range={site.services}",
        *site.flags(keys),
        "--profiling=false",
    )


def controllers_argv(tool: Path, keys: Keys, config: Path, port: int, site: Site = HERE) -> tuple[str, ...]:
    """Return kube-controller-manager's command line."""
    return (
        str(tool),
        f"--kubeconfig={config}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={keys['controllers-server'] / 'tls.crt'}",
        f"--tls-private-key-file={keys['controllers-server'] / 'tls.key'}",
        f"--root-ca-file={keys['apiserver'] / 'ca.crt'}",
        f"--controllers={','.join(site.controllers)}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--profiling=false",
    )


def programs(
    places: Places, tools: Mapping[str, Path], ports: Mapping[str, int], site: Site = HERE
) -> tuple[Program, Program, Program]:
    """Return etcd, kube-apiserver and kube-controller-manager, with their kubeconfigs written."""
    keys = make_keys(places, site)
    server = f"https://{site.address}:{ports['apiserver']}"
    kubeconfig.with_certificate(places.kubeconfig, server, keys.ca, keys["admin"])
    config = places.private("kubeconfigs") / "controllers"
    kubeconfig.with_certificate(config, server, keys.ca, keys["controllers"])
    env, seal = program_env(places), digest_files([keys.root])
    etcd = etcd_argv(tools["etcd"], places.private("etcd"), keys, ports["etcd"], ports["etcd-peer"])
    api = apiserver_argv(tools["kube-apiserver"], keys, ports["apiserver"], ports["etcd"], site)
    controllers = controllers_argv(tools["kube-controller-manager"], keys, config, ports["controllers"], site)
    ca, client = keys["apiserver"] / "ca.crt", keys["etcd-client"]
    etcd_ready = probes.https_ready(ports["etcd"], "/health", client / "ca.crt", client)
    api_ready = probes.https_ready(ports["apiserver"], "/readyz", ca, host=site.address)
    controllers_ready = probes.https_ready(ports["controllers"], "/healthz", ca)
    if site is not HERE:  # Nobody reaches their loopback from here: what asks the apiserver waits for both.
        etcd_ready = controllers_ready = always
    return (
        Program("etcd", site.inside(etcd), env, etcd_ready, seal),
        Program("kube-apiserver", site.inside(api), {**env, **HEAP}, api_ready, seal, patience=120),
        Program("kube-controller-manager", site.inside(controllers), env, controllers_ready, seal + server),
    )
