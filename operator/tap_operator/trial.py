"""Whether claims are judged: what `helm test` asks of an installation."""

from tap_api import probe
from tap_api.errors import TapError
from tap_operator.apiserver import connect
from tap_operator.cluster import ENVIRONMENT_TAPS, Cluster
from tap_operator.errors import ClusterError

_WEBHOOK = "claims.tap.platform"
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
    try:
        await cluster.create(ENVIRONMENT_TAPS, probe.refused("helm-test", namespace), dry_run=True)
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
