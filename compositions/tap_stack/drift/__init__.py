"""Drift: what AWS has otherwise than is wanted, though it once was as it is wanted. Pure.

`wanted` is what is composed, never what late initialization added; `real` is what the provider reports
(`status.atProvider`). What a provider repairs before anybody looks is seen by nobody.
"""

from tap_stack.drift.compare import Difference
from tap_stack.drift.judge import Judged, judge, listed, parse, status, text
from tap_stack.drift.report import condition, mode, of_region

__all__ = ["Difference", "Judged", "condition", "judge", "listed", "mode", "of_region", "parse", "status", "text"]
