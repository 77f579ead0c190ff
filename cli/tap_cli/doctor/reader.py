"""What `tap doctor` reads: one GET a question, and each refusal kept as an answer. It judges nothing."""

import socket
import ssl
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from tap_api import probe
from tap_api.base import API_VERSION, Json
from tap_api.kinds import ENVIRONMENT_TAP
from tap_api.naming import provider_config_name
from tap_cli.doctor.finding import Answer, Facts
from tap_cli.raw import RawCluster, RefusedError, path_of
from tap_stack.catalogue import catalogue

EXTENSIONS, PACKAGES = "/apis/apiextensions.crossplane.io", "/apis/pkg.crossplane.io"
PROVIDER = "aws.m.upbound.io/v1beta1"
WEBHOOK = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/tap-admission"
#: Where the chart is where its webhook configuration does not say.
NAMESPACE = "tap-system"
#: Question -> URL. What a check needs beside these follows from their answers.
QUESTIONS = {
    "version": "/version",
    "crossplane": "/apis/apps/v1/deployments?labelSelector=app%3Dcrossplane",
    "providers": f"{PACKAGES}/v1/providers",
    "functions": f"{PACKAGES}/v1/functions",
    "activation": f"{EXTENSIONS}/v1alpha1/managedresourceactivationpolicies",
    "xrds": f"{EXTENSIONS}/v2/compositeresourcedefinitions",
    "compositions": f"{EXTENSIONS}/v1/compositions",
    "environments": path_of(API_VERSION, ENVIRONMENT_TAP.plural),
    "api": f"/apis/{API_VERSION}",
    "webhook": WEBHOOK,
}
#: Seconds for a look at the webhook's certificate.
_PATIENCE = 3.0
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


def read(cluster: RawCluster, namespace: str = "default") -> Facts:
    """Returns all that the checks look at; the probe of the webhook is a dry run in `namespace`.

    Raises:
        ClusterError: the cluster does not answer.
    """
    answers = {question: _ask(cluster, url) for question, url in QUESTIONS.items()}
    groups = sorted({entry.api_version for entry in catalogue().values()})
    answers |= {group: _ask(cluster, f"/apis/{group}") for group in groups}
    home = service(answers["webhook"].found)["namespace"]
    answers["lease"] = _ask(cluster, path_of("coordination.k8s.io/v1", "leases", home, "tap-operator"))
    answers["deployments"] = _ask(cluster, path_of("apps/v1", "deployments", home))
    answers["service"] = _ask(cluster, path_of("v1", "services", home, "tap-admission"))
    for environment in (answers["environments"].found or {}).get("items") or ():
        answers |= _credentials(cluster, environment)
    return Facts(
        answers,
        datetime.now(UTC),
        version("tap-crossplane"),
        _probe(cluster, namespace),
        _certificate(answers["webhook"].found, answers["service"].found),
    )


def service(configuration: Json | None) -> Json:
    """Returns the Service that a webhook configuration names; that of the chart where there is no configuration."""
    webhooks = (configuration or {}).get("webhooks") or [{}]
    found = (webhooks[0].get("clientConfig") or {}).get("service") or {}
    return {"namespace": NAMESPACE, "name": "tap-admission", "port": 443, **found}


def bundle(configuration: Json | None) -> str:
    """Returns the certificates of a webhook configuration, as PEM."""
    webhooks = (configuration or {}).get("webhooks") or [{}]
    return b64decode((webhooks[0].get("clientConfig") or {}).get("caBundle") or "").decode("ascii", "replace")


def provider_config(environment: Json) -> str:
    """Returns the URL of the provider configuration of an environment."""
    meta, spec = environment["metadata"], environment["spec"]
    named = spec.get("providerConfigRef") or {}
    if named.get("kind") == "ClusterProviderConfig":
        return path_of(PROVIDER, "clusterproviderconfigs", "", named["name"])
    name = named.get("name") or provider_config_name(spec["environment"])
    return path_of(PROVIDER, "providerconfigs", meta["namespace"], name)


def secret(config: Json) -> str:
    """Returns the URL of the Secret that a provider configuration names; empty where it names none."""
    named = ((config.get("spec") or {}).get("credentials") or {}).get("secretRef") or {}
    place = named.get("namespace") or config["metadata"].get("namespace", "")
    return path_of("v1", "secrets", place, named["name"]) if named.get("name") else ""


def _credentials(cluster: RawCluster, environment: Json) -> Mapping[str, Answer]:
    place = provider_config(environment)
    config = _ask(cluster, place)
    kept = secret(config.found) if config.found else ""
    # Whether it is there, and nothing of what is in it.
    return {place: config, **({kept: _ask(cluster, kept, _METADATA)} if kept else {})}


def _ask(cluster: RawCluster, url: str, accept: str = "application/json") -> Answer:
    try:
        return Answer(cluster.request("GET", url, accept=accept))
    except RefusedError as error:
        if error.status == 404:
            return Answer()
        if error.status == 403:
            return Answer(right=f"GET {url.partition('?')[0]}")
        raise


def _probe(cluster: RawCluster, namespace: str) -> Answer:
    """Returns what the apiserver says to a claim that the webhook alone refuses; the URL where one may not ask."""
    url = path_of(API_VERSION, ENVIRONMENT_TAP.plural, namespace)
    try:
        cluster.request("POST", f"{url}?dryRun=All", probe.refused("tap-doctor"))
    except RefusedError as error:
        if error.status == 403 and "cannot create resource" in str(error):
            return Answer(right=f"POST {url} (a dry run)")
        return Answer(str(error))
    return Answer()


def _certificate(configuration: Json | None, there: Json | None) -> datetime | str:
    """Returns when the certificate that the webhook shows expires; or why it cannot be seen from here."""
    host = ((there or {}).get("spec") or {}).get("externalName")
    if not configuration or not host:
        return "it is shown inside the cluster alone"
    try:
        context = ssl.create_default_context(cadata=bundle(configuration))
        place = service(configuration)
        with (
            socket.create_connection((host, place["port"]), timeout=_PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=f"{place['name']}.{place['namespace']}.svc") as secured,
        ):
            shown = secured.getpeercert() or {}
    except (OSError, ValueError) as error:
        return f"from here it cannot be seen: {' '.join(str(error).split())}"
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
