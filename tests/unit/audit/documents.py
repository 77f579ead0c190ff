"""Every policy document that is composed: for every claim, in every wave, for every region."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from golden.world import Environment, claims
from tap_api.base import Json

BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
#: Fields that hold a policy.
FIELDS = ("policy", "assumeRolePolicy")


@dataclass(frozen=True)
class Document:
    """A policy document.

    Attributes:
        name: Where it stands: kind and key.
        text: Its text.
        identity: Whether it belongs to a role: it then says what the role may do.
    """

    name: str
    text: str
    identity: bool

    @property
    def json(self) -> Json:
        """The document."""
        found: Json = json.loads(self.text)
        return found

    @property
    def statements(self) -> list[Json]:
        """Its statements."""
        found: list[Json] = self.json["Statement"]
        return found


@cache
def documents() -> tuple[Document, ...]:
    """Returns every document, each once, in order; with and without a trail of our own."""
    environments = [Environment(claim) for claim in claims()]
    environments.append(Environment("prod", monitoring={"trail": "Create"}))
    found = {document for environment in environments for document in _of(environment)}
    return tuple(sorted(found, key=lambda document: (document.name, document.text)))


def _of(environment: Environment) -> Iterator[Document]:
    for _ in range(8):
        for turned in environment.turn().values():
            for _, composed in turned:
                for item in composed.resources:
                    yield from _in(item.manifest)


def _in(manifest: Json) -> Iterator[Document]:
    kind = f"{manifest['apiVersion'].partition('.')[0]}.{manifest['kind']}"
    for field in FIELDS:
        text = manifest["spec"].get("forProvider", {}).get(field)
        if text:
            key = manifest["metadata"]["name"]
            yield Document(f"{kind} {key} {field}", text, kind == "iam.RolePolicy")


def actions(statement: Json) -> list[str]:
    """Returns the actions of a statement."""
    return many(statement["Action"])


def many(value: Any) -> list[Any]:
    """Returns what may be one or many as a list."""
    return value if isinstance(value, list) else [value]
