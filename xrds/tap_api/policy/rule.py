"""What a rule is, and what it sees of a manifest."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from pydantic import ValidationError

from tap_api.base import Json
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP, EnvironmentTapSpec, RegionalTapSpec
from tap_api.policy.organisation import Organisation
from tap_api.policy.violation import Severity
from tap_api.presets import resolve


class Door(StrEnum):
    """Where a rule is answered."""

    SCHEMA = "schema"
    ADMISSION = "admission"
    FUNCTION = "function"
    VALIDATE = "tap validate"


@dataclass(frozen=True)
class Subject:
    """A manifest whose shape is right, as the rules see it.

    Attributes:
        kind: Its kind.
        name: Its name.
        spec: Its spec.
        old: The spec that it replaces, None for a new one (and for one whose old shape is no longer legal).
        organisation: What the organisation asks for; None where nobody said.
    """

    kind: str
    name: str
    spec: EnvironmentTapSpec | RegionalTapSpec
    old: EnvironmentTapSpec | RegionalTapSpec | None = None
    organisation: Organisation | None = None

    @cached_property
    def environment_tap(self) -> EnvironmentTapSpec | None:
        """The spec, where it is an EnvironmentTap's."""
        return self.spec if isinstance(self.spec, EnvironmentTapSpec) else None

    @cached_property
    def ranges(self) -> list[tuple[str, str, str]]:
        """Path, region and CIDR of every VPC that is asked for."""
        if isinstance(self.spec, EnvironmentTapSpec):
            return [(f"spec.regions[{i}].cidr", r.name, r.cidr) for i, r in enumerate(self.spec.regions)]
        return [("spec.cidr", self.spec.region, self.spec.cidr)]

    @cached_property
    def regions(self) -> list[tuple[str, str]]:
        """Path and name of every region that is asked for."""
        if isinstance(self.spec, EnvironmentTapSpec):
            return [(f"spec.regions[{i}].name", r.name) for i, r in enumerate(self.spec.regions)]
        return [("spec.region", self.spec.region)]

    @cached_property
    def sections(self) -> Json:
        """The sections with the preset's values filled in; empty where they have a fault of shape."""
        if isinstance(self.spec, RegionalTapSpec):
            return self.spec.manifest()
        try:
            return resolve(self.spec)
        except ValidationError:
            return {}


#: Path of a field, and what is wrong with it.
Finding = tuple[str, str]


@dataclass(frozen=True)
class Rule:
    """A rule of the table.

    Attributes:
        code: Its stable name: scripts and dashboards go by it.
        find: Yields the fields that break it.
        purpose: What it is for.
        remedy: What to do about it.
        severity: Whether breaking it is refused, or warned of.
        kinds: The kinds that it judges.
        schema: The kinds whose schema holds it too, so that it stands with every process down.
        changes: It judges a change and not an object: who sees no old object (a file, the function) does not ask it.
        organisational: It goes by what the organisation asks for, which the function is not told.
        example: A piece of a manifest that breaks it, as YAML; empty where no piece shows it.
    """

    code: str
    find: Callable[[Subject], Iterable[Finding]]
    purpose: str
    remedy: str
    severity: Severity = Severity.ERROR
    kinds: tuple[str, ...] = (ENVIRONMENT_TAP.kind, REGIONAL_TAP.kind)
    schema: tuple[str, ...] = ()
    changes: bool = False
    organisational: bool = False
    example: str = ""

    @property
    def page(self) -> str:
        """Where it is described, in the repository."""
        return f"docs/reference/policy.md#{self.code.lower()}"

    @property
    def doors(self) -> tuple[Door, ...]:
        """Where it is answered, in the order in which a claim comes by."""
        asked = {
            Door.SCHEMA: bool(self.schema),
            Door.ADMISSION: True,
            Door.FUNCTION: REGIONAL_TAP.kind in self.kinds
            and self.severity is Severity.ERROR
            and not (self.changes or self.organisational),
            Door.VALIDATE: not self.changes,
        }
        return tuple(door for door, is_asked in asked.items() if is_asked)
