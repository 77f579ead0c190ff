"""The base of every API model: camelCase on the wire, frozen in memory, unknown fields refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError

GROUP = "tap.platform"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

#: A manifest or a piece of one, as `yaml.safe_load` gives it.
Json = dict[str, Any]

DnsLabel = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
RegionName = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[a-z0-9-]+$")]
#: An IPv4 network as written by a person; tap_api.policy judges it. 18 = len("255.255.255.255/32").
Cidr = Annotated[str, StringConstraints(min_length=9, max_length=18)]
#: 20 bytes to 2,048, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
Arn = Annotated[str, StringConstraints(min_length=20, max_length=2048, pattern=r"^arn:[a-z-]+:")]


class ApiEnum(StrEnum):
    """The values that a field may have, as JSON has them."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Takes text for a value, strict as the rest of a model is."""
        return cast("CoreSchema", {**handler(source), "strict": False})


class ApiModel(BaseModel):
    """A piece of the API: its JSON is what the apiserver stores.

    Strict, as the apiserver's schema is: `"yes"` is no boolean, and `"3"` no number. A model's validator is built when
    it is first asked for: most verbs ask a few of them.
    """

    model_config = ConfigDict(
        defer_build=True,
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
        use_enum_values=False,
    )

    def manifest(self) -> Json:
        """Returns the JSON form: camelCase, enums as strings, nothing that is `None`."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """Returns the model that `data` (JSON form) describes.

        Raises:
            pydantic.ValidationError: `data` is not of this shape; it lists every fault by its path.
        """
        return cls.model_validate(data)


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        kind, message = "int_type", "Input should be a valid integer"
        raise PydanticCustomError(kind, message)
    return value


#: For a Literal of numbers: Python, and with it pydantic, takes True for 1.
NOT_BOOLEAN = BeforeValidator(_no_boolean)


@dataclass(frozen=True)
class Check:
    """A rule of tap_api.policy in the words of the apiserver, for when no process of ours is up.

    Attributes:
        code: Its code in tap_api.policy; the message ends in it, as it does at every other door.
        rule: The CEL expression.
        message: What is wrong and what to do.
        field: Path of the field that breaks it, below the one that holds the rule: `.minCapacity`. Empty: that one.
        reason: What the apiserver says of the field.
    """

    code: str
    rule: str
    message: str
    field: str = ""
    reason: Literal["FieldValueInvalid", "FieldValueRequired", "FieldValueForbidden", "FieldValueDuplicate"] = (
        "FieldValueInvalid"
    )

    def json(self) -> Json:
        """Returns it as it stands in a schema."""
        beside = {"fieldPath": self.field, "reason": self.reason}
        invalid = self.reason == "FieldValueInvalid"
        return {
            "rule": self.rule,
            "message": f"{self.message} ({self.code})",
            **{key: value for key, value in beside.items() if value and not (key == "reason" and invalid)},
        }


def cel(*checks: Check) -> Json:
    """Returns the schema extra that makes the apiserver hold `checks`."""
    return {"x-kubernetes-validations": [check.json() for check in checks]}


def immutable(why: str) -> Json:
    """Returns the schema extra for a field that cannot change once it is set; `why` goes into the message."""
    return cel(Check("Immutable", "self == oldSelf", f"cannot be changed: {why}"))


def list_map(*keys: str) -> Json:
    """Returns the schema extra for a list whose items are told apart by `keys` (JSON names)."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


LIST_SET: Json = {"x-kubernetes-list-type": "set"}


def extras(*parts: Json) -> Json:
    """Returns the union of schema extras; their CEL rules are put one after another."""
    merged: Json = {}
    rules: list[Json] = []
    for part in parts:
        rules.extend(part.get("x-kubernetes-validations", []))
        merged.update(part)
    return {**merged, "x-kubernetes-validations": rules} if rules else merged


def own_spec(spec: Mapping[str, Any]) -> Json:
    """Returns the spec of an XR without `spec.crossplane`: Crossplane's own, which no model knows (04, item 2)."""
    return {key: value for key, value in spec.items() if key != "crossplane"}


class ObjectMeta(BaseModel):
    """The metadata of an object, as far as anything here reads it."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, extra="ignore", frozen=True)

    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    labels: Mapping[str, str] = Field(default_factory=dict)
    annotations: Mapping[str, str] = Field(default_factory=dict)
    deletion_timestamp: str | None = None
    owner_references: Sequence[Mapping[str, Any]] = ()
