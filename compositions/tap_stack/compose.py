"""Composes an XR: the one function that the gRPC edge, the plan and the tests call.

A pure function of the XR and of what it has composed so far. Crossplane makes what it returns, and deletes what it
stops to return.
"""

from collections.abc import Mapping
from typing import Any, cast

from tap_api.kinds import REGIONAL_TAP, RegionalTapSpec
from tap_stack import parts, region
from tap_stack.composed import Composed
from tap_stack.observation import Observed
from tap_stack.subject import Blocks, Subject, admit


def compose(xr: Mapping[str, Any], observed: Observed, blocks: Blocks | None = None) -> Composed:
    """Returns what composing `xr` gives.

    Args:
        xr: The XR as the apiserver has it, its status too.
        observed: What it has composed so far, by key.
        blocks: The CidrBlocks that there are, by name, of those that Composed.requires names. None: nobody looked, so
            what hangs on them is composed as if they said yes (a plan without a cluster).

    Raises:
        RefusedError: nothing can be composed for it; every violation is listed.
    """
    subject = admit(xr, observed, blocks)
    if subject.kind is REGIONAL_TAP:
        return region.compose(cast("Subject[RegionalTapSpec]", subject))
    return parts.compose(subject)
