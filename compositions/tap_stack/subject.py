"""The XR in hand: parsed, judged, and with the names that everything it composes is derived from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from pydantic import ValidationError

from tap_api.base import GROUP, Json, own_spec
from tap_api.common import RegionContext
from tap_api.errors import TapError
from tap_api.kinds import KINDS, REGIONAL_TAP, XRS, Kind, PartSpec
from tap_api.naming import account_name, account_suffix, part_name, resource_name
from tap_api.policy import Violation, judge, shape_violations
from tap_stack.observation import Observed
from tap_stack.values import Unknown

#: Name -> the CidrBlock.
Blocks = Mapping[str, Mapping[str, Any]]
SpecT_co = TypeVar("SpecT_co", bound=RegionContext, covariant=True)


class RefusedError(TapError):
    """An XR that nothing can be composed for.

    Attributes:
        violations: Every rule that it breaks.
    """

    def __init__(self, kind: str, name: str, violations: Sequence[Violation]) -> None:
        """Args: kind and name of the XR, and its violations."""
        self.violations = tuple(violations)
        lines = "".join(f"\n- {violation}" for violation in violations)
        super().__init__(f"{kind} {name} is refused; nothing was changed. Mend its spec:{lines}")


@dataclass(frozen=True)
class Subject(Generic[SpecT_co]):
    """The XR in hand.

    Attributes:
        kind: Its kind.
        name: Its name.
        namespace: Its namespace.
        spec: Its spec.
        regional_tap: Name of the RegionalTap that it is, or that controls it; empty for a part without one.
        observed: What it has composed so far, by key.
        status: Its status as it stands.
        controller: The uid of the RegionalTap that controls it; empty for what is no part.
        blocks: The CidrBlocks that there are, by name; None where nobody looked, as a plan without a cluster does not.
        violations: The rules that its spec, whose shape is right, breaks.
    """

    kind: Kind
    name: str
    namespace: str
    spec: SpecT_co
    regional_tap: str
    observed: Observed
    status: Mapping[str, Any] = field(default_factory=dict)
    controller: str = ""
    blocks: Blocks | None = None
    violations: tuple[Violation, ...] = ()

    @cached_property
    def suffix(self) -> str:
        """What names that are unique in an AWS account end in: the same in a RegionalTap and in all of its parts.

        The environment where there is one (it stands in every part's spec), else the RegionalTap, whose name a part
        has from its controller.
        """
        return account_suffix(self.namespace, self.spec.environment_ref, self.regional_tap)

    @property
    def region(self) -> str:
        """The AWS region."""
        return self.spec.region

    @property
    def account(self) -> str | Unknown:
        """The AWS account, which the ARN of the region's key tells."""
        known = self.spec.account_id if isinstance(self.spec, PartSpec) else None
        return known or Unknown("the ARN of the region's KMS key, which tells the account")

    @property
    def key_arn(self) -> str | Unknown:
        """ARN of the region's KMS key, fit for use by the services."""
        known = self.spec.key_arn if isinstance(self.spec, PartSpec) else None
        return known or Unknown("the region's KMS key, until AWS shows the policy that admits the services")

    def resource_name(self, key: str) -> str:
        """Returns the name of the object with that key."""
        return resource_name(self.name, key)

    def part_ref(self, part: str, key: str, *, always: bool = False) -> Json:
        """Returns a reference to the resource `key` of another part of the region: they share the namespace (02).

        Args:
            part: The part.
            key: Key of the resource.
            always: As of values.Ref. A list of references is resolved anew only where one of them always is.
        """
        name = resource_name(part_name(self.regional_tap, part), key)
        return {"name": name, **({"policy": {"resolve": "Always"}} if always else {})}

    def account_name(self, *words: str, limit: int = 63) -> str:
        """Returns a name that is unique in the AWS account: `<regionaltap>-<words>-<suffix>`."""
        return account_name(self.regional_tap, *words, suffix=self.suffix, limit=limit)


def admit(xr: Mapping[str, Any], observed: Observed, blocks: Blocks | None = None) -> Subject[RegionContext]:
    """Returns the subject that `xr` is, with the rules that it breaks; `blocks` as of Subject.

    Raises:
        RefusedError: nothing composes its kind, or its spec is not of that kind's shape.
    """
    metadata = _mapping(xr.get("metadata"))
    kind_name, name = str(xr.get("kind", "")), str(metadata.get("name", ""))
    kind = KINDS.get(kind_name)
    if kind is None or kind not in XRS:
        known = ", ".join(kind.kind for kind in XRS)
        raise RefusedError(
            kind_name, name, [Violation("kind", "Kind", f"is composed by nobody here; use one of {known}")]
        )
    try:
        model = cast("RegionContext", kind.spec.parse(own_spec(_mapping(xr.get("spec")))))
    except ValidationError as error:
        raise RefusedError(kind_name, name, sorted(shape_violations(error))) from error
    regional_tap, uid = (name, "") if kind is REGIONAL_TAP else _controller(metadata)
    return Subject(
        kind=kind,
        name=name,
        namespace=str(metadata.get("namespace", "")),
        spec=model,
        regional_tap=regional_tap,
        observed=observed,
        status=_mapping(xr.get("status")),
        controller=uid,
        blocks=blocks,
        violations=tuple(judge(kind_name, xr)),
    )


def _controller(metadata: Mapping[str, Any]) -> tuple[str, str]:
    """Returns name and uid of the RegionalTap that controls the object; empty where none does."""
    owners = metadata.get("ownerReferences")
    for owner in owners if isinstance(owners, list) else ():
        ours = str(owner.get("apiVersion", "")).partition("/")[0] == GROUP and owner.get("kind") == REGIONAL_TAP.kind
        if ours and owner.get("controller"):
            return str(owner.get("name", "")), str(owner.get("uid", ""))
    return "", ""


def _mapping(value: object) -> Json:
    return dict(value) if isinstance(value, Mapping) else {}
