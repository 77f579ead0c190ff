"""An in-memory cluster that behaves as the apiserver does where the operator can tell: server-side apply, uids, versions.

It remembers what our field manager applied last, so that a field which leaves the intent leaves the object, and what
others wrote stays.
"""

from collections.abc import AsyncIterator, Mapping
from copy import deepcopy
from typing import Any

from tap_api.base import Json
from tap_api.kinds import PARTS
from tap_operator.cluster import ENVIRONMENT_TAPS, EVENTS, LEASES, REGIONAL_TAPS, Resource
from tap_operator.errors import ClusterError
from tap_operator.namespaces import NAMESPACES
from tap_operator.outputs import CONFIG_MAPS
from tap_operator.reservations import CIDR_BLOCKS, VPCS

Place = tuple[str, str, str]
#: What the apiserver fills in where an XRD has a default that the operator does not write.
DEFAULTS: Json = {"crossplane": {"compositionUpdatePolicy": "Automatic"}}


DELETED_AT = "2026-11-24T09:00:00Z"


class Killed(BaseException):
    """The process died right after a write."""


class InMemoryCluster:
    """A cluster.

    Attributes:
        objects: Everything that is stored, by (plural, namespace, name).
        writes: Every change that was made, in order; an apply that changes nothing is `noop`.
        served: The plurals that there are.
        refuse: What to answer a write of that (verb, plural, name) with.
        policies: How each object was deleted: `Foreground` or `Background`.
        die_after: The write after which the process dies; None: never.
    """

    def __init__(self) -> None:
        self.objects: dict[Place, Json] = {}
        self.writes: list[tuple[str, str, str]] = []
        self.served = {
            what.plural
            for what in (
                ENVIRONMENT_TAPS,
                REGIONAL_TAPS,
                CIDR_BLOCKS,
                VPCS,
                CONFIG_MAPS,
                EVENTS,
                LEASES,
                NAMESPACES,
            )
        }
        self.served |= {kind.plural for kind in PARTS}
        self.refuse: dict[tuple[str, str, str], ClusterError] = {}
        self.die_after: int | None = None
        self.policies: dict[Place, str] = {}
        self._intents: dict[tuple[Place, str], Json] = {}
        self._version = 0
        self._births = 0

    # What the operator asks for

    async def get(self, what: Resource, namespace: str, name: str, *, must_be_served: bool = False) -> Json | None:
        if must_be_served:
            self._check("get", (what.plural, namespace, name))
        return deepcopy(self.objects.get((what.plural, namespace, name)))

    async def select(self, what: Resource, namespace: str = "", labels: str = "") -> AsyncIterator[Json]:
        key, _, value = labels.partition("=")
        for (plural, where, _name), stored in sorted(self.objects.items()):
            there = stored["metadata"].get("labels", {})
            if key.startswith("!"):
                carries = key[1:] not in there
            else:
                carries = not labels or (there.get(key) == value if "=" in labels else key in there)
            if plural == what.plural and namespace in ("", where) and carries:
                yield deepcopy(stored)

    async def holds(self, what: Resource, namespace: str) -> bool:
        return any((plural, where) == (what.plural, namespace) for plural, where, _ in self.objects)

    async def apply(self, what: Resource, manifest: Json, subresource: str = "") -> Json:
        place = self._place(what, manifest)
        self._check("apply", place)
        live = self.objects.get(place)
        if live is None and subresource:
            raise ClusterError(404, "NotFound", "not found")
        uid = manifest["metadata"].get("uid")
        if uid and uid != (live or {}).get("metadata", {}).get("uid"):
            raise ClusterError(409, "Conflict", "uid mismatch")
        intent = _without_identity(manifest)
        made = _merge(_prune(deepcopy(live or {}), self._intents.get((place, subresource), {}), intent), intent)
        self._intents[place, subresource] = deepcopy(intent)
        return self._store("apply", place, made)

    async def create(self, what: Resource, manifest: Json, *, dry_run: bool = False) -> Json:
        place = self._place(what, manifest)
        self._check("create", place)
        if place in self.objects:
            raise ClusterError(409, "AlreadyExists", "already exists")
        if dry_run:
            return manifest
        return self._store("create", place, deepcopy(manifest))

    async def replace(self, what: Resource, manifest: Json) -> Json:
        place = self._place(what, manifest)
        self._check("replace", place)
        if manifest["metadata"]["resourceVersion"] != self.objects[place]["metadata"]["resourceVersion"]:
            raise ClusterError(409, "Conflict", "the object has been modified")
        return self._store("replace", place, deepcopy(manifest))

    async def referred(self, namespace: str, reference: Json) -> Json | None:
        return deepcopy(self.objects.get((reference["kind"], namespace, reference["name"])))

    async def finalize(self, what: Resource, live: Json, finalizers: list[str]) -> Json:
        place = self._place(what, live)
        self._check("finalize", place)
        stored = self.objects.get(place)
        if stored is None:
            raise ClusterError(404, "NotFound", "not found")
        if stored["metadata"]["resourceVersion"] != live["metadata"]["resourceVersion"]:
            raise ClusterError(409, "Conflict", "the object has been modified")
        if stored["metadata"].get("deletionTimestamp") and not finalizers:
            self.remove(*place)
            self._wrote("finalize", place)
            return live
        made = deepcopy(stored)
        made["metadata"]["finalizers"] = list(finalizers)
        return self._store("finalize", place, made)

    async def delete(
        self, what: Resource, namespace: str, name: str, uid: str, *, dependents_first: bool = False
    ) -> None:
        place = (what.plural, namespace, name)
        self._check("delete", place)
        self.policies[place] = "Foreground" if dependents_first else "Background"
        if self.objects.get(place, {}).get("metadata", {}).get("uid") == uid:
            if self.objects[place]["metadata"].get("finalizers"):
                self.objects[place]["metadata"]["deletionTimestamp"] = DELETED_AT
                self._wrote("delete", place)
                return
            self.remove(what.plural, namespace, name)
            self._wrote("delete", place)

    # What others do

    def put(self, manifest: Json, plural: str) -> Json:
        """Stores an object as somebody else would."""
        meta = manifest["metadata"]
        made = self._fill((plural, meta.get("namespace", ""), meta["name"]), deepcopy(manifest))
        self.objects[plural, meta.get("namespace", ""), meta["name"]] = made
        return deepcopy(made)

    def edit(self, plural: str, namespace: str, name: str, change: Mapping[str, Any]) -> None:
        """Merges `change` into an object, as somebody else would."""
        self.objects[plural, namespace, name] = _merge(self.objects[plural, namespace, name], dict(change))

    def remove(self, plural: str, namespace: str, name: str) -> None:
        """Takes an object away."""
        del self.objects[plural, namespace, name]
        self._intents = {key: intent for key, intent in self._intents.items() if key[0] != (plural, namespace, name)}

    # Storage

    def _place(self, what: Resource, manifest: Json) -> Place:
        return what.plural, manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]

    def _check(self, verb: str, place: Place) -> None:
        if place[0] not in self.served:
            raise ClusterError(404, "Not Found", f"the apiserver does not serve {place[0]}")
        if (verb, place[0], place[2]) in self.refuse:
            raise self.refuse[verb, place[0], place[2]]

    def _store(self, verb: str, place: Place, made: Json) -> Json:
        live = self.objects.get(place)
        if live is not None and made == live:
            self.writes.append(("noop", place[0], place[2]))
            return deepcopy(live)
        self.objects[place] = self._fill(place, made)
        self._wrote(verb, place)
        return deepcopy(self.objects[place])

    def _fill(self, place: Place, made: Json) -> Json:
        live = self.objects.get(place)
        self._version += 1
        meta = made.setdefault("metadata", {})
        if live is None:
            self._births += 1
            meta["uid"] = meta.get("uid") or f"uid-{place[0]}-{place[2]}-{self._births}"
        meta["resourceVersion"] = str(self._version)
        changed = live is None or live.get("spec") != made.get("spec")
        meta["generation"] = (live or {}).get("metadata", {}).get("generation", 0) + changed
        if place[0] == REGIONAL_TAPS.plural:
            made["spec"] = _merge(deepcopy(DEFAULTS), made.get("spec", {}))
        return made

    def _wrote(self, verb: str, place: Place) -> None:
        self.writes.append((verb, place[0], place[2]))
        if self.die_after is not None and len(self.writes) >= self.die_after:
            self.die_after = None
            raise Killed


def _without_identity(manifest: Json) -> Json:
    meta = {key: value for key, value in manifest["metadata"].items() if key != "uid"}
    return {**deepcopy(manifest), "metadata": deepcopy(meta)}


def _merge(below: Json, above: Json) -> Json:
    for key, value in above.items():
        there = below.get(key)
        below[key] = _merge(there, value) if isinstance(there, dict) and isinstance(value, dict) else deepcopy(value)
    return below


def _prune(live: Json, before: Json, now: Json) -> Json:
    """Removes from `live` the fields of the intent `before` that `now` no longer has."""
    for key, value in before.items():
        if key not in now:
            live.pop(key, None)
        elif isinstance(value, dict) and isinstance(now[key], dict) and isinstance(live.get(key), dict):
            _prune(live[key], value, now[key])
    return live
