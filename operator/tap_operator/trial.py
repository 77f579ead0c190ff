"""Whether claims are judged: what `helm test` asks of an installation."""

from tap_api.base import API_VERSION, Json
from tap_api.errors import TapError
from tap_operator.apiserver import connect
from tap_operator.cluster import ENVIRONMENT_TAPS, Cluster
from tap_operator.errors import ClusterError

_WEBHOOK = "claims.tap.platform"
#: What nobody's rules allow: two ranges that overlap.
_REFUSED: Json = {
    "environment": "dev",
    "primaryRegion": "us-east-1",
    "tags": {"CostCenter": "helm-test"},
    "regions": [{"name": "us-east-1", "cidr": "10.0.0.0/16"}, {"name": "us-east-2", "cidr": "10.0.128.0/17"}],
}
_SAID = "spec.regions"


class NotJudgedError(TapError):
    """A claim that every installation refuses was not refused by admission."""


async def run(namespace: str) -> None:
    """Ends where the apiserver asks admission of this installation, and takes its word; nothing is stored.

    Args:
        namespace: Where the claim would be.

    Raises:
        NotJudgedError: the claim was taken, or refused by somebody else; the message says what to look at.
    """
    async with connect() as cluster:
        await refused(cluster, namespace)


async def refused(cluster: Cluster, namespace: str) -> None:
    """Ends where admission refuses a claim whose regions overlap; see `run`."""
    metadata = {"name": "helm-test", "namespace": namespace}
    claim = {"apiVersion": API_VERSION, "kind": "EnvironmentTap", "metadata": metadata, "spec": _REFUSED}
    try:
        await cluster.create(ENVIRONMENT_TAPS, claim, dry_run=True)
    except ClusterError as error:
        if _WEBHOOK in str(error) and "denied the request" in str(error) and _SAID in str(error):
            return
        message = f"admission was not asked: {error}; look at `kubectl logs deployment/tap-admission -n {namespace}`"
        raise NotJudgedError(message) from error
    message = (
        "a claim whose regions overlap would be stored: the apiserver does not ask admission, or goes on without it"
        " (admission.failurePolicy); look at `kubectl describe validatingwebhookconfiguration tap-admission`"
    )
    raise NotJudgedError(message)
