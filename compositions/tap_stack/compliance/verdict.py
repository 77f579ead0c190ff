"""From controls to a verdict: what status.compliance lists, and the condition `Compliant`."""

from collections.abc import Iterable, Sequence
from typing import Any

from tap_api.kinds import PARTS
from tap_api.status import ComplianceFinding
from tap_stack.compliance.control import Inventory
from tap_stack.compliance.table import CONTROLS
from tap_stack.composed import Condition
from tap_stack.observation import Observed

COMPLIANT = "Compliant"
#: The most that status.compliance can list (tap_api.status).
MAX_FINDINGS = 50
_MAX_NAMED = 5
_LONGEST = 400


def audit(there: Inventory) -> list[ComplianceFinding]:
    """Returns every control that a resource breaks, sorted: one line for each resource and control."""
    found: dict[tuple[str, str], list[str]] = {}
    for control in CONTROLS:
        for item, what in control.find(there):
            found.setdefault((item.key, control.code), []).append(what)
    return [
        ComplianceFinding(resource=key, code=code, message="; ".join(faults)[:_LONGEST])
        for (key, code), faults in sorted(found.items())
    ]


def condition(findings: Sequence[ComplianceFinding], silent: Sequence[str] = ()) -> Condition:
    """Returns the condition `Compliant`.

    Args:
        findings: What breaks a control.
        silent: What has not been judged yet, such as a part; nothing is compliant by being empty.
    """
    if findings:
        lines = [f"{f.resource}: {f.message} ({f.code})" for f in findings[:_MAX_NAMED]]
        more = [f"and {len(findings) - _MAX_NAMED} more in status.compliance"] if len(findings) > _MAX_NAMED else []
        return Condition(COMPLIANT, "False", "ControlsBroken", "; ".join([*lines, *more]))
    if silent:
        return Condition(COMPLIANT, "Unknown", "NotReported", f"Not judged yet: {', '.join(silent)}.")
    return Condition(COMPLIANT, "True", "ControlsHold")


def reported(findings: Sequence[ComplianceFinding]) -> dict[str, Any]:
    """Returns the status field `compliance`; nothing where there is nothing to say."""
    return {"compliance": list(findings[:MAX_FINDINGS])} if findings else {}


def of_region(own: Iterable[ComplianceFinding], observed: Observed) -> tuple[list[ComplianceFinding], list[str]]:
    """Returns what a region's own resources and its parts break, and which parts have not said anything yet."""
    found, silent = list(own), []
    for kind in PARTS:
        part = observed.get(kind.part)
        said = part.condition(COMPLIANT) if part else None
        if part is None or said is None or said.status == "Unknown":
            silent.append(kind.part)
            continue
        listed = part.field("status", "compliance")
        for entry in listed if isinstance(listed, list) else ():
            if isinstance(entry, dict) and {"resource", "code"} <= set(entry):
                resource = f"{kind.part}/{entry['resource']}"
                message = str(entry.get("message", ""))[:_LONGEST]
                found.append(ComplianceFinding(resource=resource[:127], code=str(entry["code"]), message=message))
    return found, silent
