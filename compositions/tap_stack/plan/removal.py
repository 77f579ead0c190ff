"""What deleting a claim does: everything of it goes, and what is protected stays in AWS."""

from tap_api.kinds import ENVIRONMENT_TAP, KINDS
from tap_stack.plan.change import Change, Plan
from tap_stack.plan.compute import gone
from tap_stack.plan.state import State
from tap_stack.plan.wanted import is_of


def removal(kind: str, namespace: str, name: str, state: State) -> Plan:
    """Returns what deleting the claim of that kind and name does where there is what `state` holds.

    Of an EnvironmentTap that is gone already, no region is known to be its own.
    """
    stored = state.find(KINDS[kind], name)
    if stored is None:
        return Plan(kind, namespace, name)
    if kind != ENVIRONMENT_TAP.kind:
        return Plan(kind, namespace, name, changes=tuple(gone(stored, stored["spec"]["region"], "", "", state)))
    changes: list[Change] = list(gone(stored, "", "", "", state))
    uid = state.environment_uid(name)
    for _, tap in sorted(state.regional_taps().items()):
        if is_of(tap, name, uid):
            changes += gone(tap, tap["spec"]["region"], "", "", state)
    return Plan(kind, namespace, name, changes=tuple(changes))
