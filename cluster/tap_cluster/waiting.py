"""Waiting for objects of the cluster."""

from __future__ import annotations

from tap_cluster.context import Context
from tap_cluster.errors import ClusterError
from tap_cluster.supervisor import wait_until

STATUSES = '{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="%s")].status}{"\\n"}{end}'


def wait_for_condition(context: Context, kind: str, condition: str, patience: float = 60.0) -> None:
    """Wait until all objects of a cluster-scoped kind have a condition.

    One list a poll: `kubectl wait` takes a tenth of a second for each object even when all are ready.

    Raises:
        ClusterError: some did not get it in time; they are named.
    """

    def missing() -> list[str]:
        rows = context.kubectl("get", kind, "-o", f"jsonpath={STATUSES % condition}").split()
        return sorted(name for name, _, status in (row.partition("=") for row in rows) if status != "True")

    if not missing():
        return
    short = kind.partition(".")[0]
    with context.progress.step(f"{short} becoming {condition}"):
        try:
            wait_until(lambda: not missing(), patience, "", "")
        except ClusterError as error:
            what = f"{short} {', '.join(missing())} not {condition} within {patience:.0f} s"
            raise ClusterError(what, f"Read `kubectl describe {kind}`") from error
