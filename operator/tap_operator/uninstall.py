"""Whether the operator may go: what the chart asks before `helm uninstall` deletes anything (docs/teardown.md)."""

from tap_api.errors import TapError
from tap_api.fanout import is_of_environment
from tap_operator.apiserver import connect
from tap_operator.cluster import ENVIRONMENT_TAPS, REGIONAL_TAPS, Cluster

_MOST_NAMED = 10
#: Each resource, and its short name.
_TAPS = ((ENVIRONMENT_TAPS, "etap"), (REGIONAL_TAPS, "rtap"))


class TapsLeftError(TapError):
    """Taps are left, which nobody could delete without the operator."""


async def allow(keep: str) -> None:
    """Ends where the operator of this cluster may be uninstalled.

    Args:
        keep: The command by which the release is kept after all. Helm marks a release before it asks, and takes no
            upgrade of one that is marked ("has no deployed releases"; seen with Helm 4.0).

    Raises:
        TapsLeftError: taps are left; it names them, and says what to do.
        ClusterError: the apiserver could not be asked.
    """
    async with connect() as cluster:
        await empty(cluster, keep)


async def empty(cluster: Cluster, keep: str = "") -> None:
    """Ends where there is no tap in `cluster`; see `allow`."""
    left = [
        f"  kubectl delete {short} {tap['metadata']['name']} -n {tap['metadata']['namespace']}"
        for resource, short in _TAPS
        async for tap in cluster.select(resource)
        # A region of an environment goes with it.
        if not is_of_environment(tap)
    ]
    if not left:
        return
    more = [f"  and {len(left) - _MOST_NAMED} more"] if len(left) > _MOST_NAMED else []
    message = "\n".join(
        (
            f"taps are left ({len(left)}), and without the operator nobody could delete them. Nothing was uninstalled.",
            "Delete them, wait until they are gone, and uninstall again:",
            *left[:_MOST_NAMED],
            *more,
            *([f"To keep the operator (helm refuses every upgrade before that): {keep}"] if keep else []),
            "Who means to install another operator over them: helm uninstall --no-hooks",
        )
    )
    raise TapsLeftError(message)
