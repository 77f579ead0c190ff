"""What is left of a claim, or of one region of it, that is being destroyed: told by region and part. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text
from rich.tree import Tree

from tap_api.base import GROUP, Json
from tap_api.kinds import ENVIRONMENT_TAP, PARTS, REGIONAL_TAP
from tap_api.naming import LABEL_ENVIRONMENT_TAP, LABEL_PART, LABEL_REGION, part_name
from tap_cli.snapshot import Object, condition
from tap_cli.terminal import counted
from tap_stack.health import trouble
from tap_stack.observation import DictObservation

#: Part of a region's own key, which has no part.
_KEY = "key"
_MOST_NAMES = 3


@dataclass(frozen=True)
class Target:
    """What is destroyed.

    Attributes:
        kind: Kind of the claim.
        namespace: Its namespace.
        name: Its name.
        region: The region of it that goes; None: all of it goes.
    """

    kind: str
    namespace: str
    name: str
    region: str | None = None

    def __str__(self) -> str:
        """Returns it as people write it."""
        return f"{self.namespace}/{self.name}" + (f" {self.region}" if self.region else "")

    def has(self, obj: Object) -> bool:
        """Returns whether an object goes with it.

        By label, and where a region stands alone by its owner's name: both outlast the owner.
        """
        labels = obj["metadata"].get("labels") or {}
        if self.kind == ENVIRONMENT_TAP.kind:
            if obj["kind"] == ENVIRONMENT_TAP.kind:
                return self.region is None and bool(obj["metadata"]["name"] == self.name)
            mine = labels.get(LABEL_ENVIRONMENT_TAP) == self.name
            return mine and self.region in (None, labels.get(LABEL_REGION))
        if obj["kind"] == REGIONAL_TAP.kind:
            return bool(obj["metadata"]["name"] == self.name)
        parts = {(part.kind, part_name(self.name, part.part)) for part in PARTS}
        owners = obj["metadata"].get("ownerReferences") or ()
        return any((o.get("kind"), o.get("name")) in {(REGIONAL_TAP.kind, self.name), *parts} for o in owners)


@dataclass(frozen=True)
class Remains:
    """What is left of a target.

    Attributes:
        target: What is destroyed.
        claim: The claim itself, None once it is gone.
        objects: What is left: the regions, the parts, and the managed resources.
        most: The most managed resources that there were of it.
    """

    target: Target
    claim: Json | None
    objects: Sequence[Json]
    most: int

    @property
    def resources(self) -> list[Json]:
        """The managed resources that are left."""
        return [item for item in self.objects if not _is_ours(item)]

    def left(self) -> list[str]:
        """Returns what is left, a line for each region and part; first what holds it up, in AWS's words."""
        lines = [f"{self.target}: {line}" for line in self._held()]
        blocked = [f"{_where(item)}: {name_of(item)}: {words}" for item, words in _blocking(self.resources)]
        lines += blocked
        for place, items in _grouped(self.resources, _where).items():
            names = ", ".join(map(name_of, items[:_MOST_NAMES]))
            more = f" and {len(items) - _MOST_NAMES} more" if len(items) > _MOST_NAMES else ""
            lines.append(f"{place}: {names}{more}")
        ours = [item for item in self.objects if _is_ours(item)]
        lines += [f"{_where(item)}: {name_of(item)}" for item in ours]
        if not self.target.region and self.claim is not None:
            lines.append(f"{self.target}: {name_of(self.claim)}")
        return lines

    def summary(self) -> str:
        """Returns it in one line, for a log."""
        held = [*self._held(), *(f"{name_of(item)}: {words}" for item, words in _blocking(self.resources))]
        return "; ".join([f"{self.target}: {self._counts(self.resources, self.most)}", *held])

    def tree(self) -> Tree:
        """Returns it as a tree: a line for each region, and each of its parts."""
        head = Text.assemble((str(self.target), "bold"), (f"  {self._counts(self.resources, self.most)}", "cyan"))
        root = Tree(head)
        for line in self._held():
            root.add(Text(line, "dim"))
        for region, items in _grouped(self.objects, _region).items():
            left = f"  {counted(len(_aws(items)), 'AWS resource')} left"
            branch = root.add(Text.assemble((region, "bold"), (left, "cyan")))
            for part, below in _grouped(_aws(items), _part).items():
                leaf = branch.add(Text.assemble(("○ ", "yellow"), part, (f"  {len(below)} left", "cyan")))
                for item, words in _blocking(below):
                    leaf.add(Text(f"{name_of(item)}: {words}", "red"))
        return root

    @staticmethod
    def _counts(resources: Sequence[Json], most: int) -> str:
        return f"{len(resources)} of {counted(most, 'AWS resource')} left" if most else "no AWS resource left"

    def _held(self) -> list[str]:
        """Returns what the operator says of a claim that it is not in step with."""
        synced = condition(self.claim or {}, "Synced")
        said = str(synced.get("message") or "") if synced.get("status") == "False" else ""
        return [said] if said else []


def name_of(item: Object) -> str:
    """Returns kind and name of an object."""
    return f"{item['kind']} {item['metadata']['name']}"


def retained(objects: Iterable[Json], names: Iterable[tuple[str, str]]) -> list[Json]:
    """Returns what stays in AWS: of the objects with that kind and name, the region and what AWS calls them."""
    wanted = set(names)
    return [
        {
            "region": _region(item),
            "kind": item["kind"],
            "name": item["metadata"]["name"],
            "externalName": (item["metadata"].get("annotations") or {}).get("crossplane.io/external-name", ""),
        }
        for item in objects
        if (item["kind"], item["metadata"]["name"]) in wanted
    ]


def _blocking(resources: Iterable[Json]) -> list[tuple[Json, str]]:
    found = [(item, trouble(DictObservation(item))) for item in resources]
    return [(item, words) for item, words in found if words]


def _aws(items: Iterable[Json]) -> list[Json]:
    return [item for item in items if not _is_ours(item)]


def _is_ours(item: Object) -> bool:
    return bool(item["apiVersion"].partition("/")[0] == GROUP)


def _where(item: Object) -> str:
    return _region(item) if item["kind"] == REGIONAL_TAP.kind else f"{_region(item)}/{_part(item)}"


def _region(item: Object) -> str:
    labels: Mapping[str, Any] = item["metadata"].get("labels") or {}
    return str(labels.get(LABEL_REGION) or item["spec"].get("region") or "")


def _part(item: Object) -> str:
    return str((item["metadata"].get("labels") or {}).get(LABEL_PART) or _KEY)


def _grouped(items: Iterable[Json], by: Any) -> dict[str, list[Json]]:  # noqa: ANN401
    found: dict[str, list[Json]] = {}
    for item in items:
        found.setdefault(by(item), []).append(item)
    return dict(sorted(found.items()))
