"""What applying a claim does, computed before it is applied: a pure function of the claim and of what there is.

It asks the functions that the operator and Crossplane ask, so what it says is what they do: the claim fans out, every
region and part is composed with what is observed, and what is composed is held against what is stored.
"""

from tap_stack.plan.change import Action, Change, Field, Plan
from tap_stack.plan.compute import plan
from tap_stack.plan.removal import removal
from tap_stack.plan.rendered import Rendered, rendered
from tap_stack.plan.state import State

__all__ = ["Action", "Change", "Field", "Plan", "Rendered", "State", "plan", "removal", "rendered"]
