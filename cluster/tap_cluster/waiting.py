"""Waiting for objects of the cluster."""

from __future__ import annotations

from collections.abc import Iterable

from tap_cluster.context import Context
from tap_cluster.errors import ClusterError
from tap_cluster.supervisor import wait_until

NAMES = '{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="%s")].status}{"\\n"}{end}'


def wait_for_condition(
    context: Context, kind: str, condition: str, names: Iterable[str], patience: float = 60.0
) -> None:
    """Wait until objects of one cluster-scoped kind have a condition.

    One list a poll: `kubectl wait` takes a tenth of a second for each object even when all are ready (83 CRDs: 8.6 s).

    Raises:
        ClusterError: some did not get it in time; they are named.
    """
    wanted = set(names)
    missing: set[str] = set()

    def check() -> bool:
        rows = context.kubectl("get", kind, "-o", f"jsonpath={NAMES % condition}").split()
        missing.clear()
        missing.update(wanted - {name for name, _, status in (row.partition("=") for row in rows) if status == "True"})
        return not missing

    try:
        wait_until(check, patience, "", "")
    except ClusterError as error:
        what = f"{kind} {', '.join(sorted(missing))} not {condition} within {patience:.0f} s"
        raise ClusterError(what, f"Read `kubectl describe {kind}`") from error
