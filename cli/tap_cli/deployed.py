"""What `tap deploy` says of what it did, to people and to programs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from tap_api.kinds import ENVIRONMENT_TAP
from tap_cli.intent import Intent
from tap_cli.snapshot import Snapshot
from tap_stack.plan import Plan


@dataclass
class Deployment:
    """A claim on its way.

    Attributes:
        plan: What applying it does.
        wanted: What is applied.
        warnings: What the cluster says of it beside its yes.
        applied: Whether it was applied.
    """

    plan: Plan
    wanted: Intent
    warnings: Sequence[str] = ()
    applied: bool = False

    @property
    def pending(self) -> bool:
        """Whether it is to be applied and was not yet."""
        return bool(self.plan.changes) and not self.applied


def summary(made: Deployment, snapshots: Sequence[Snapshot]) -> dict[str, object]:
    """Returns a claim that was deployed: what was applied of it, and its regions where they were waited for."""
    plan, told = made.plan, made.plan.json()
    key = (plan.namespace, plan.name)
    status = next((s.environment.get("status") or {} for s in snapshots if (s.namespace, s.name) == key), None)
    return {
        "kind": plan.kind,
        "namespace": plan.namespace,
        "name": plan.name,
        "applied": made.applied,
        "summary": told["summary"],
        "violations": told["violations"],
        "warnings": list(made.warnings),
        "leftOut": list(made.wanted.left_out),
        "regions": None if status is None else status.get("regions", []),
    }


def refused(plans: Sequence[Plan]) -> str:
    """Returns what to say of plans that policy refuses."""
    found = [f"- {plan.name}: {violation}" for plan in plans for violation in plan.violations]
    return "\n".join(["refused; nothing was applied. Mend the claim:", *found])


def on_its_way(made: Sequence[Deployment]) -> list[str]:
    """Returns how to look again at what goes on when this command does not."""
    return [again(one.wanted) for one in made if not one.pending] or ["nothing was applied"]


def unfinished(error: Exception, made: Sequence[Deployment]) -> str:
    """Returns what to say of a failure: where it came between two claims, what of them was applied too."""
    applied = [one for one in made if one.applied]
    if not (applied and any(one.pending for one in made)):
        return str(error)
    lines = [f"{one.plan.kind} {one.plan.name} was applied before that; {again(one.wanted)}" for one in applied]
    return "\n".join([str(error), *lines])


def again(wanted: Intent) -> str:
    """Returns how to look at a claim again."""
    meta = wanted.document["metadata"]
    if wanted.document["kind"] == ENVIRONMENT_TAP.kind:
        return f"it goes on; look again with: tap status {meta['name']} -n {meta['namespace']} --watch"
    return f"it goes on; look again with: kubectl get rtap {meta['name']} -n {meta['namespace']} --watch"
