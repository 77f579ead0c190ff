"""CoreDNS, which answers for the names of Services in a node's cluster."""

from __future__ import annotations

from tap_cluster import worker
from tap_cluster.context import Context
from tap_cluster.kubectl import Manifest, manifests
from tap_cluster.nodes import RESTRICTED_CONTAINER

NAME, NAMESPACE = "coredns", "kube-system"
#: Of nothing but the cluster: a node of ours reaches nothing beyond its machine.
COREFILE = f"""\
.:5353 {{
    errors
    health :8080
    ready :8181
    kubernetes {worker.DOMAIN} in-addr.arpa {{
        pods insecure
    }}
    cache 5
    loop
}}
"""


def install(context: Context, image: str) -> None:
    """Install it under the address that the kubelet tells every pod."""
    context.apply_once("CoreDNS", manifests(objects(image)))


def objects(image: str) -> list[Manifest]:
    """Return its objects, with the rights that its `kubernetes` plugin needs."""
    metadata = {"name": NAME, "namespace": NAMESPACE}
    labels = {"app": NAME}
    rules = [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "tap:coredns"}
    ports = [{"name": name.lower(), "port": 53, "targetPort": 5353, "protocol": name} for name in ("UDP", "TCP")]
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": role["name"]},
            "rules": rules,
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": role["name"]},
            "roleRef": role,
            "subjects": [subject],
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"Corefile": COREFILE}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"clusterIP": worker.DNS, "selector": labels, "ports": ports},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": _pod(image)},
            },
        },
    ]


def _pod(image: str) -> Manifest:
    container = {
        "name": NAME,
        "image": image,
        "args": ["-conf", "/etc/coredns/Corefile"],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 2},
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}},
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": RESTRICTED_CONTAINER,
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
    }
    return {
        "serviceAccountName": NAME,
        "dnsPolicy": "Default",
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": NAME}}],
    }
