"""What `tap deploy` prints for programs. Pure."""

from collections.abc import Sequence

from tap_cli.intent import Intent
from tap_cli.snapshot import Snapshot
from tap_stack.plan import Plan


def summary(plan: Plan, wanted: Intent, snapshots: Sequence[Snapshot]) -> dict[str, object]:
    """Returns a claim that was deployed: what was applied of it, and its regions where they were waited for."""
    key = (plan.namespace, plan.name)
    status = next((s.environment.get("status") or {} for s in snapshots if (s.namespace, s.name) == key), None)
    return {
        "kind": plan.kind,
        "namespace": plan.namespace,
        "name": plan.name,
        "applied": bool(plan.changes),
        "summary": plan.json()["summary"],
        "leftOut": list(wanted.left_out),
        "regions": None if status is None else status.get("regions", []),
    }
