"""What is observed, read lazily: an object can be large, and a composer wants a handful of its fields.

The function reads protobuf, tests and the command line read dictionaries; both are an `Observation`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

#: The field manager of what Crossplane composes; a digest follows (crossplane's FieldOwnerComposedPrefix).
COMPOSED = "apiextensions.crossplane.io/composed"


@dataclass(frozen=True)
class ObservedCondition:
    """A condition of an observed object.

    Attributes:
        status: True, False or Unknown.
        reason: Why, in one word.
        message: Why, for a person.
        generation: Generation of the spec that it speaks of; 0 where it does not say.
    """

    status: str
    reason: str
    message: str
    generation: int = 0


class Observation(Protocol):
    """An observed object."""

    def field(self, *path: str) -> Any:  # noqa: ANN401
        """Returns the value at `path` as JSON; None where there is none, or where the path leaves the objects."""

    def condition(self, type_: str) -> ObservedCondition | None:
        """Returns the condition of that type."""


#: Key of a composed resource -> the resource.
Observed = Mapping[str, Observation]


class DictObservation:
    """An object that is at hand as JSON."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        """Args: manifest: the object."""
        self._manifest = manifest

    def field(self, *path: str) -> Any:  # noqa: ANN401
        """Returns the value at `path`; see Observation."""
        node: Any = self._manifest
        for step in path:
            # A dict is asked for first: what asks for a Mapping takes five times as long, and is asked 100,000 times.
            if not isinstance(node, (dict, Mapping)):
                return None
            node = node.get(step)
        return node

    def condition(self, type_: str) -> ObservedCondition | None:
        """Returns the condition of that type; see Observation."""
        conditions = self.field("status", "conditions")
        for condition in conditions if isinstance(conditions, list) else ():
            if isinstance(condition, (dict, Mapping)) and condition.get("type") == type_:
                return ObservedCondition(
                    status=str(condition.get("status", "")),
                    reason=str(condition.get("reason", "")),
                    message=str(condition.get("message", "")),
                    generation=int(condition.get("observedGeneration") or 0),
                )
        return None


def of(manifests: Mapping[str, Mapping[str, Any]]) -> dict[str, Observation]:
    """Returns the observations of `manifests`, by the same keys."""
    return {key: DictObservation(manifest) for key, manifest in manifests.items()}
