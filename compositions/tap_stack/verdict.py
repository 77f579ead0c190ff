"""What policy says of an XR, as a condition: a RegionalTap that nobody judged on its way in is judged here."""

from collections.abc import Sequence

from tap_api.policy import Violation
from tap_api.text import clip
from tap_stack.composed import Condition

POLICY_COMPLIANT = "PolicyCompliant"
#: Room for a dozen violations; a condition past that is read by nobody.
_LONGEST = 4096
ALLOWED = Condition(POLICY_COMPLIANT, "True", "RulesKept")


def policy_compliant(violations: Sequence[Violation]) -> Condition:
    """Returns the condition PolicyCompliant: every violation with its path and its code, or that there is none."""
    if not violations:
        return ALLOWED
    lines = "; ".join(map(str, violations))
    message = f"Nothing new is made and what is there is left as it is, until the spec is mended: {lines}"
    return Condition(POLICY_COMPLIANT, "False", "RulesBroken", clip(message, _LONGEST))
