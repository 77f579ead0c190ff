"""How to reach the apiserver: one answer for our own client and for kopf's."""

import kopf
from kubernetes.aio import client, config

from tap_operator.errors import ClusterError


async def login() -> client.Configuration:
    """Returns how to reach the apiserver: as the pod's service account, else as KUBECONFIG says.

    Raises:
        ClusterError: there is neither.
    """
    configuration = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except config.ConfigException:
        try:
            await config.load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        except (config.ConfigException, OSError) as error:
            message = f"no cluster to work on: not in a pod, and KUBECONFIG leads nowhere ({error})"
            raise ClusterError(0, "NoCluster", message) from error
    return configuration


async def log_in(**_: object) -> kopf.ConnectionInfo:
    """Gives kopf the very credentials that the operator itself uses; asked again when they expire."""
    configuration = await login()
    scheme, _space, token = (await configuration.get_api_key_with_prefix("BearerToken") or "").partition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        scheme=scheme.capitalize() or None,
        token=token or None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
    )
