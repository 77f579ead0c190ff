"""What may be asked for: one table of rules, answered by admission, the function and the command line alike.

`judge` is a pure function of a manifest (and of the one it replaces). It returns every violation at once, sorted by
path, so that nobody mends a claim one refusal at a time. What must hold even with every process down is in the schema
too, as CEL.
"""

from tap_api.policy.judgement import advise, evaluate, judge
from tap_api.policy.organisation import Organisation, load
from tap_api.policy.rule import Door, Rule, Subject
from tap_api.policy.table import RULES
from tap_api.policy.violation import Severity, Violation, shape_violations

__all__ = [
    "RULES",
    "Door",
    "Organisation",
    "Rule",
    "Severity",
    "Subject",
    "Violation",
    "advise",
    "evaluate",
    "judge",
    "load",
    "shape_violations",
]
