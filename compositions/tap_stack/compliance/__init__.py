"""The audit of what is composed: encryption, transport, exposure, rights and logs, as one table of controls.

It judges what is asked for, and is a pure function of that: nothing in the API can switch a control off, so a finding
is a fault of ours, a choice that opens the API, or a resource that is left as it was found. Whether AWS has it so is
what `Synced` and `ResourcesHealthy` tell.
"""

from tap_stack.compliance.control import Control, Exemption, Inventory, Item, inventory
from tap_stack.compliance.table import CONTROLS
from tap_stack.compliance.verdict import COMPLIANT, audit, condition, of_region, reported

__all__ = [
    "COMPLIANT",
    "CONTROLS",
    "Control",
    "Exemption",
    "Inventory",
    "Item",
    "audit",
    "condition",
    "inventory",
    "of_region",
    "reported",
]
