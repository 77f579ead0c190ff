"""Judges a manifest by the table."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from tap_api.base import ApiModel, own_spec
from tap_api.kinds import ENVIRONMENT_TAP, KINDS, REGIONAL_TAP, EnvironmentTapSpec, RegionalTapSpec
from tap_api.policy import head
from tap_api.policy.organisation import Organisation
from tap_api.policy.rule import Subject
from tap_api.policy.table import RULES
from tap_api.policy.violation import Severity, Violation, shape_violations


def judge(
    kind: str,
    manifest: Mapping[str, Any],
    old: Mapping[str, Any] | None = None,
    organisation: Organisation | None = None,
) -> list[Violation]:
    """Returns what `manifest` is refused for, sorted by path; empty where it may pass. See evaluate."""
    return [
        violation for violation in evaluate(kind, manifest, old, organisation) if violation.severity is Severity.ERROR
    ]


def advise(kind: str, manifest: Mapping[str, Any]) -> list[Violation]:
    """Returns what of `manifest` is allowed and had better be otherwise, sorted by path. Nothing is refused for it."""
    return [violation for violation in evaluate(kind, manifest) if violation.severity is Severity.WARNING]


def evaluate(
    kind: str,
    manifest: Mapping[str, Any],
    old: Mapping[str, Any] | None = None,
    organisation: Organisation | None = None,
) -> list[Violation]:
    """Returns every rule that `manifest` breaks, of either severity, sorted by path.

    Args:
        kind: Its kind. Kinds other than EnvironmentTap and RegionalTap are judged by their shape alone.
        manifest: The object, as JSON.
        old: The object that it replaces, None for a new one.
        organisation: What the organisation asks for; None: nothing is known of it.
    """
    faults = list(head.faults(manifest))
    try:
        model = KINDS[kind].spec.parse(own_spec(_mapping(manifest.get("spec"))))
    except ValidationError as error:
        return sorted([*faults, *shape_violations(error, model=KINDS[kind].spec)])
    if faults:
        return sorted(faults)
    if not isinstance(model, EnvironmentTapSpec | RegionalTapSpec):
        return []
    name = str(_mapping(manifest.get("metadata")).get("name", ""))
    return sorted(_broken(Subject(kind, name, model, _old_spec(kind, old), organisation)))


def _broken(subject: Subject) -> Iterator[Violation]:
    for rule in RULES:
        if subject.kind in rule.kinds:
            for path, message in rule.find(subject):
                yield Violation(path, rule.code, message, rule.severity)


def _old_spec(kind: str, old: Mapping[str, Any] | None) -> EnvironmentTapSpec | RegionalTapSpec | None:
    if old is None or kind not in (ENVIRONMENT_TAP.kind, REGIONAL_TAP.kind):
        return None
    try:
        model: ApiModel = KINDS[kind].spec.parse(own_spec(_mapping(old.get("spec"))))
    except ValidationError:
        return None
    return model if isinstance(model, EnvironmentTapSpec | RegionalTapSpec) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
