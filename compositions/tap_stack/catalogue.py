"""What the provider's CRDs say of each kind that is composed. Generated into catalogue.json, never kept by hand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

FILE = "catalogue.json"


@dataclass(frozen=True)
class Entry:
    """A kind of the provider.

    Attributes:
        api_version: Group and version.
        kind: The kind.
        plural: Name of the resource, as in a URL.
        tags: Whether it can carry tags.
        region: Whether it is in a region (IAM is not).
    """

    api_version: str
    kind: str
    plural: str
    tags: bool
    region: bool

    @property
    def group(self) -> str:
        """The API group."""
        return self.api_version.partition("/")[0]

    @property
    def crd(self) -> str:
        """Name of its CRD."""
        return f"{self.plural}.{self.group}"


@dataclass(frozen=True, order=True)
class AwsKind:
    """A kind, told apart by its service too: `Route` is one of ec2 and one of apigatewayv2 (05, section 1).

    Attributes:
        service: First word of its group, such as `ec2`.
        kind: The kind.
        needs: Fields of status.atProvider that make a resource of use; `Ready` alone can be early (05, section 1).
        most_tags: Tags that AWS takes, less the three that the provider sets (05, section 1).
        repeatable: Whether making it again changes nothing: it is a setting of something else, so a provider that has
            lost its name in AWS does no harm.
    """

    service: str
    kind: str
    needs: tuple[str, ...] = ("id",)
    most_tags: int = 47
    repeatable: bool = False

    @property
    def group(self) -> str:
        """The API group: the namespaced one, `.m.`."""
        return f"{self.service}.aws.m.upbound.io"

    @property
    def entry(self) -> Entry:
        """What the catalogue says of it."""
        return catalogue()[str(self)]

    def __str__(self) -> str:
        """Returns its key in the catalogue."""
        return f"{self.service}.{self.kind}"


@cache
def catalogue() -> Mapping[str, Entry]:
    """Returns the catalogue."""
    text = resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    return {
        key: Entry(
            api_version=entry["apiVersion"],
            kind=entry["kind"],
            plural=entry["plural"],
            tags=entry["tags"],
            region=entry["region"],
        )
        for key, entry in json.loads(text).items()
    }


def describe(crd: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the entry of a kind, read from its CRD."""
    spec = crd["spec"]
    # One version each, v1beta1 (05, section 1); were there more, the stored one is what the provider writes.
    version = next(version for version in spec["versions"] if version["storage"])
    properties = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["forProvider"]["properties"]
    return {
        "apiVersion": f"{spec['group']}/{version['name']}",
        "kind": spec["names"]["kind"],
        "plural": spec["names"]["plural"],
        "tags": "tags" in properties,
        "region": "region" in properties,
    }
