"""The answers to admission reviews: every violation of tap_api.policy, in one message.

kopf serves and this decides; kopf configures nothing, the chart does. One handler a kind, because of several kopf would
pass on the fastest one's denial alone (04, item 30).
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import kopf

from tap_api.base import GROUP, VERSION
from tap_api.kinds import Kind
from tap_api.policy import Organisation, Violation, advise, judge
from tap_operator.cluster import Cluster
from tap_operator.decisions import note
from tap_operator.holders import taken
from tap_operator.locked import locked
from tap_operator.reviews import BY_PLURAL
from tap_operator.settings import registry

_LOG = logging.getLogger(__name__)


def handlers(cluster: Cluster, organisation: Organisation | None = None) -> kopf.OperatorRegistry:
    """Returns the kopf handlers that judge, by what `organisation` asks for and who holds what in `cluster`."""
    made = registry()
    for kind in BY_PLURAL.values():
        _register(made, kind, cluster, organisation)
    return made


def _register(made: kopf.OperatorRegistry, kind: Kind, cluster: Cluster, organisation: Organisation | None) -> None:
    @kopf.on.validate(GROUP, VERSION, kind.plural, id=kind.singular, registry=made)
    async def judge_it(**review: Any) -> None:  # noqa: ANN401  (kopf passes two dozen things)
        # A creation that is only a probe of ours has no uid; what it shows has to hold in every organisation.
        new, old = review["new"], review["old"]
        asked = organisation if review["uid"] else None
        try:
            held, warnings = await _looked_up(cluster, kind, review) if new and review["uid"] else ([], [])
            refusal = decide(kind, new, old, asked, held)
        except Exception:
            _LOG.exception("cannot judge a %s", kind.kind)
            raise
        if refusal:
            raise kopf.AdmissionError(refusal, code=422)
        review["warnings"].extend([*map(str, advise(kind.kind, new or {})), *warnings])


async def _looked_up(cluster: Cluster, kind: Kind, review: Mapping[str, Any]) -> tuple[list[Violation], list[str]]:
    """Returns what only the cluster can tell of a review, and what to warn of; both reads run at once."""
    new, old, user = review["new"], review["old"], str(review["userinfo"].get("username", ""))
    (held, warnings), barred = await asyncio.gather(
        taken(cluster, kind, new, old), locked(cluster, kind, new, old, user)
    )
    return [*held, *barred], warnings


def decide(
    kind: Kind,
    new: Mapping[str, Any] | None,
    old: Mapping[str, Any] | None,
    organisation: Organisation | None = None,
    held: Sequence[Violation] = (),
) -> str:
    """Returns why `new` may not take the place of `old`, empty if it may; `held` is what only the cluster tells."""
    if new is None:
        return ""  # A deletion; who may delete what is in ValidatingAdmissionPolicies.
    violations = sorted([*judge(kind.kind, new, old, organisation), *held])
    note(violations)
    return denial(kind, new, violations) if violations else ""


def denial(kind: Kind, manifest: Mapping[str, Any], violations: Sequence[Violation]) -> str:
    """Returns the message that a person gets."""
    meta = manifest.get("metadata") or {}
    count = "1 problem" if len(violations) == 1 else f"{len(violations)} problems"
    name = f"{meta['namespace']}/{meta.get('name', '')}" if meta.get("namespace") else str(meta.get("name", ""))
    return "\n".join([f"{count} in {kind.kind} {name}:", *map(str, violations)])
