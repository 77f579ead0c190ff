"""What an organisation asks for beside the rules of the platform: a file, typed.

Patterns are matched by the engine that checks them here, Rust's `regex` (pydantic's own): it takes time linear in the
text, and knows no look-around and no back-reference, so no pattern can hold admission up.
"""

from functools import lru_cache
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from tap_api import manifest
from tap_api.base import ApiModel, RegionName
from tap_api.errors import TapError
from tap_api.limits import FIRST_TAGS, LONGEST_TAG_KEY, MOST_OBJECT_TAGS, OWN_TAGS
from tap_api.policy.violation import shape_violations, shown
from tap_api.regions import ZONES


class PolicyFileError(TapError):
    """A file of organisation rules that cannot be used."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        """Args: the file, and what is wrong in it, each with its field."""
        lines = "".join(f"\n- {fault}" for fault in faults)
        super().__init__(f"{path}: these are no rules of an organisation:{lines}")


def _range(text: str) -> str:
    try:
        network = IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        message = f"{error}; write an IPv4 range without host bits, such as 10.128.0.0/9"
        raise ValueError(message) from error
    if str(network) != text:
        message = f"write {network}"
        raise ValueError(message)
    return text


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> TypeAdapter[str]:
    return TypeAdapter(Annotated[str, StringConstraints(pattern=rf"^(?:{pattern})$")])


def _pattern(text: str) -> str:
    try:
        TypeAdapter(Annotated[str, StringConstraints(pattern=text)])
        _matcher(text)
    except SchemaError as error:
        reason = " ".join(str(error).splitlines()[-1].split())
        message = f"not a regular expression of Rust's regex or RE2 ({reason})"
        raise ValueError(message) from error
    return text


def _region(name: str) -> str:
    if name not in ZONES:
        message = f"not a region this system knows; use some of {', '.join(sorted(ZONES))}"
        raise ValueError(message)
    return name


def _not_own(key: str) -> str:
    if key.casefold() in {own.casefold() for own in OWN_TAGS}:
        message = "is set from the spec of every resource and cannot be asked for"
        raise ValueError(message)
    return key


TagKey = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_TAG_KEY, pattern=r"^[\w .:/=+@-]+$"),
    AfterValidator(_not_own),
]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_pattern)]


class ReservedRange(ApiModel):
    """Addresses that no VPC may have."""

    cidr: Annotated[str, StringConstraints(max_length=18), AfterValidator(_range)] = Field(description="The range.")
    reason: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="What it is kept for; whoever asks for it is told."
    )

    @property
    def network(self) -> IPv4Network:
        """The range."""
        return IPv4Network(self.cidr)


#: Hosts with Docker's default bridge cannot reach such a VPC (https://docs.docker.com/engine/network/drivers/bridge/).
DOCKER = ReservedRange(cidr="172.17.0.0/16", reason="Docker's default bridge")


class Organisation(ApiModel):
    """The rules of an organisation."""

    #: As many as an S3 object takes beside those of everybody: then a claim can always leave room for them.
    required_tags: list[TagKey] = Field(
        [], max_length=MOST_OBJECT_TAGS - len(FIRST_TAGS), description="Tags that every claim has to set."
    )
    allowed_tag_values: dict[TagKey, Pattern] = Field(
        {}, max_length=44, description="Tag -> the regular expression that the whole of its value has to match."
    )
    reserved_ranges: list[ReservedRange] = Field(
        [DOCKER], max_length=64, description="Address ranges that no VPC may overlap, such as those on premises."
    )
    allowed_regions: list[Annotated[RegionName, AfterValidator(_region)]] = Field(
        [], max_length=64, description="Regions that may be used; empty: all that are known."
    )

    def allows(self, key: str, value: str) -> bool:
        """Returns whether a tag may have a value."""
        pattern = self.allowed_tag_values.get(key)
        if pattern is None:
            return True
        try:
            _matcher(pattern).validate_python(value)
        except ValidationError:
            return False
        return True


def load(path: Path) -> Organisation:
    """Returns the rules in a file of YAML; an empty file: what holds where nothing is said.

    Raises:
        PolicyFileError: it holds something else; every fault is named with its field.
        ManifestError: it cannot be read, or is not YAML.
    """
    data = manifest.value(manifest.text_of(path), path)
    if not isinstance(data, dict):
        raise PolicyFileError(path, [f"expected an object with some of {', '.join(_FIELDS)}; got {shown(data)}"])
    try:
        return Organisation.parse(data)
    except ValidationError as error:
        faults = shape_violations(error, root="")
        raise PolicyFileError(path, [f"{f.path.removeprefix('.')}: {f.message}" for f in sorted(faults)]) from error


_FIELDS = [str(info.alias) for info in Organisation.model_fields.values()]
