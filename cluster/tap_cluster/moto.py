"""moto, a simulation of AWS, as a process of this machine. It keeps all in memory: what was made is gone when it ends.

No name is resolved on the way there. S3 Control puts the account's id before the host, and no resolver knows
`123456789012.<host>` without being told. So the provider calls a host that exists nowhere, and moto's own server is its
HTTP proxy: one that is asked for a whole URL answers for whatever host that names (RFC 9112, section 3.2.2).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from tap_cluster import probes
from tap_cluster.context import Context
from tap_cluster.crossplane import NAMESPACE
from tap_cluster.kubectl import Manifest, manifests
from tap_cluster.run import program_env
from tap_cluster.supervisor import Program, digest, digest_files

NAME = "moto"
PORTS = {NAME: NAME}
#: The ClusterProviderConfig, and the Secret with its credentials.
CONFIG, SECRET, KEY = "moto", "moto-credentials", "credentials"
ENDPOINT = "http://aws.moto.internal"
#: As Terraform names them. STS tells the account's id; S3 Control reads the tags of a bucket.
SERVICES = (
    *("apigatewayv2", "cloudtrail", "cloudwatch", "dynamodb", "ec2", "events", "iam", "kms", "lambda", "logs", "rds"),
    *("s3", "s3control", "sns", "sqs", "sts"),
)
#: moto takes whatever it is given.
CREDENTIALS = "[default]\naws_access_key_id = moto\naws_secret_access_key = moto\n"
#: How moto behaves: a bucket is in the path and never in the host; the policies that AWS manages are there.
BEHAVIOUR = {"S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true", "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}


def program(context: Context) -> Program:
    """Return moto's server."""
    port = context.ports[NAME]
    argv = (sys.executable, "-m", "tap_cluster", "moto", str(port))
    code = context.places.repository / "cluster"
    env = program_env(context.places, PYTHONPATH=code, **BEHAVIOUR)
    # What else is edited does not end it: all that it holds would be gone.
    seal = digest(version("moto"), digest_files([code], "tap_cluster/moto_*.py"))
    return Program(NAME, argv, env, probes.http_ready(port, "/moto-api/"), seal)


def proxy(context: Context) -> str:
    """Return where it listens, as what goes there by way of a proxy is told."""
    return f"http://127.0.0.1:{context.ports[NAME]}"


def install(context: Context, namespaces: Iterable[str]) -> None:
    """Apply the configuration that any namespace can name, and the credentials for those of `namespaces`."""
    context.apply_once("moto's provider configuration", manifests(objects(namespaces)))


def objects(namespaces: Iterable[str]) -> list[Manifest]:
    """Return what `install` applies."""
    config: Manifest = {
        "apiVersion": "aws.m.upbound.io/v1beta1",
        "kind": "ClusterProviderConfig",
        "metadata": {"name": CONFIG},
        "spec": provider_config(NAMESPACE),
    }
    return [config, *(secret(namespace) for namespace in (NAMESPACE, *namespaces))]


def secret(namespace: str) -> Manifest:
    """Return the credentials. A ProviderConfig reads them in its own namespace."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": SECRET, "namespace": namespace},
        "stringData": {KEY: CREDENTIALS},
    }


def provider_config(namespace: str) -> dict[str, Any]:
    """Return the spec of a provider configuration that leads to moto, with credentials that lie in `namespace`.

    The credentials are not skipped: the provider would take the account 000000000000, which is not moto's.
    """
    return {
        "credentials": {"source": "Secret", "secretRef": {"namespace": namespace, "name": SECRET, "key": KEY}},
        "endpoint": {
            "source": "Custom",
            "hostnameImmutable": True,
            "url": {"type": "Static", "static": ENDPOINT},
            "services": list(SERVICES),
        },
        "s3_use_path_style": True,
        "skip_metadata_api_check": True,
    }
