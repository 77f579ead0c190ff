"""What `tap deploy` says of what it did, to people and to programs. Pure."""

from collections.abc import Sequence

from tap_api.kinds import ENVIRONMENT_TAP
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


def refused(plans: Sequence[Plan]) -> str:
    """Returns what to say of plans that policy refuses."""
    found = [f"- {plan.name}: {violation}" for plan in plans for violation in plan.violations]
    return "\n".join(["refused; nothing was applied. Mend the claim:", *found])


def again(wanted: Intent) -> str:
    """Returns how to look at a claim again."""
    meta = wanted.document["metadata"]
    if wanted.document["kind"] == ENVIRONMENT_TAP.kind:
        return f"it goes on; look again with: tap status {meta['name']} -n {meta['namespace']} --watch"
    return f"it goes on; look again with: kubectl get rtap {meta['name']} -n {meta['namespace']} --watch"
