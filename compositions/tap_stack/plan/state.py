"""What there is, as a plan sees it: plain objects, from a cluster, from files, or none at all. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tap_api.base import GROUP, Json
from tap_api.kinds import ENVIRONMENT_TAP, KINDS, REGIONAL_TAP, Kind
from tap_stack.observation import Observed, of

KEY_ANNOTATION = "crossplane.io/composition-resource-name"


@dataclass(frozen=True)
class State:
    """The objects of one namespace.

    Attributes:
        objects: Every object that is of interest: claims, regions, parts, resources of AWS. Others are passed over.
    """

    objects: tuple[Json, ...] = ()

    @classmethod
    def of(cls, objects: Iterable[Json], namespace: str) -> "State":
        """Returns the state of `namespace`."""
        found = (item for item in objects if item.get("metadata", {}).get("namespace", "default") == namespace)
        return cls(tuple(item for item in found if isinstance(item.get("spec"), dict)))

    @staticmethod
    def fault(item: Mapping[str, Any]) -> str:
        """Returns which field of an object is not of the shape that every apiserver gives; empty where all are."""
        metadata, status = item["metadata"], item.get("status") or {}
        owners = metadata.get("ownerReferences") or []
        if not (isinstance(owners, list) and all(isinstance(owner, Mapping) for owner in owners)):
            return "metadata.ownerReferences"
        fields = metadata.get("managedFields") or []
        if not (isinstance(fields, list) and all(isinstance(entry, Mapping) for entry in fields)):
            return "metadata.managedFields"
        for name in ("labels", "annotations"):
            if not isinstance(metadata.get(name) or {}, Mapping):
                return f"metadata.{name}"
        if not isinstance(status, Mapping):
            return "status"
        return "" if _is_texts(status.get("outputs") or {}) else "status.outputs"

    def find(self, kind: Kind, name: str) -> Json | None:
        """Returns the object of ours of that kind and name."""
        return next((item for item in self._ours(kind) if item["metadata"]["name"] == name), None)

    def environment_uid(self, name: str) -> str:
        """Returns the uid of an EnvironmentTap: its own, or what its regions say where it was not saved itself."""
        stored = self.find(ENVIRONMENT_TAP, name)
        if stored:
            return str(stored["metadata"].get("uid", ""))
        owners = (controller(tap) for tap in self._ours(REGIONAL_TAP))
        return next((uid for kind, owner, uid in owners if (kind, owner) == (ENVIRONMENT_TAP.kind, name)), "")

    def regional_taps(self) -> dict[str, Json]:
        """Returns the RegionalTaps by name."""
        return {tap["metadata"]["name"]: tap for tap in self._ours(REGIONAL_TAP)}

    def composed(self, xr: Mapping[str, Any]) -> dict[str, Json]:
        """Returns what an XR has composed, by key."""
        uid = xr["metadata"].get("uid")
        found = self._children.get((xr["kind"], xr["metadata"]["name"]), ())
        return {key: item for key, owner, item in found if not uid or not owner or owner == uid}

    @cached_property
    def world(self) -> dict[str, Observed]:
        """What is observed of each XR: its name -> its composed resources (tap_stack.tree)."""
        xrs = [item for kind in KINDS.values() if kind is not ENVIRONMENT_TAP for item in self._ours(kind)]
        known = {(item["kind"], item["metadata"]["name"]): item for item in xrs}
        missing = (key for key in self._children if key not in known)
        heads = [{"kind": kind, "metadata": {"name": name}} for kind, name in missing]
        return {xr["metadata"]["name"]: of(self.composed(xr)) for xr in (*xrs, *heads)}

    @cached_property
    def _children(self) -> dict[tuple[str, str], list[tuple[str, str, Json]]]:
        """Kind and name of an XR -> key, uid of the owner, and object of everything that it composed."""
        found: dict[tuple[str, str], list[tuple[str, str, Json]]] = {}
        for item in self.objects:
            key = (item["metadata"].get("annotations") or {}).get(KEY_ANNOTATION)
            kind, name, uid = controller(item)
            if key and kind:
                found.setdefault((kind, name), []).append((key, uid, item))
        return found

    def _ours(self, kind: Kind) -> Iterator[Json]:
        for item in self.objects:
            if item.get("kind") == kind.kind and str(item.get("apiVersion", "")).partition("/")[0] == GROUP:
                yield item


def _is_texts(value: object) -> bool:
    """Returns whether a value is an object whose values are texts, as outputs are."""
    return isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values())


def controller(item: Mapping[str, Any]) -> tuple[str, str, str]:
    """Returns kind, name and uid of what controls an object; empty where nothing of ours does."""
    for owner in item["metadata"].get("ownerReferences") or ():
        if owner.get("controller") and str(owner.get("apiVersion", "")).partition("/")[0] == GROUP:
            return str(owner.get("kind", "")), str(owner.get("name", "")), str(owner.get("uid", ""))
    return "", "", ""


def stays(resource: Mapping[str, Any]) -> bool:
    """Returns whether a resource stays in AWS when its object is deleted. One that is only looked at is another's."""
    policies = set(resource["spec"].get("managementPolicies") or ["*"])
    return not {"*", "Delete"} & policies and "Create" in policies


def is_looked_at(resource: Mapping[str, Any]) -> bool:
    """Returns whether a resource is looked at and never changed: another one makes it."""
    return not {"*", "Create", "Update", "Delete"} & set(resource["spec"].get("managementPolicies") or ["*"])
