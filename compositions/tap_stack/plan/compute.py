"""The plan: from a claim and what there is to what changes."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from tap_api.base import GROUP, Json, own_spec
from tap_api.common import RegionState
from tap_api.kinds import ENVIRONMENT_TAP, KINDS, PARTS, REGIONAL_TAP
from tap_api.policy import advise, judge, shape_violations
from tap_stack import pause
from tap_stack.assembly import Emitted
from tap_stack.composed import Composed
from tap_stack.fields import plain
from tap_stack.observation import DictObservation
from tap_stack.plan import follows, losses
from tap_stack.plan.change import Action, Change, Field, Plan
from tap_stack.plan.difference import applied_fields, differences, known, owned_fields, unknowns
from tap_stack.plan.state import State, is_looked_at, stays
from tap_stack.plan.wanted import Regions, regions
from tap_stack.schemas import Schema, schemas
from tap_stack.subject import RefusedError
from tap_stack.tree import walk
from tap_stack.values import Unknown

#: Part of what a region composes itself, beside its parts.
KEY_PART = "key"
_SPEC = "spec.forProvider."
_PART_KEYS = {kind.part for kind in PARTS}
_BLOCKED = (
    "AWS would have to make another one in its place, and the provider refuses that; take the change back, or move what"
    " it holds and make the resource anew"
)
_TAKEN = "an object of that name is there and is not this environment's; delete it or rename the environment"
#: Kind and name of an XR -> the manifests that it composes, by key.
Manifests = Mapping[tuple[str, str], Mapping[str, Json]]


def plan(claim: Mapping[str, Any], state: State) -> Plan:
    """Returns what applying `claim` does where there is what `state` holds.

    Args:
        claim: An EnvironmentTap or a RegionalTap, with a namespace.
        state: What there is in that namespace.
    """
    kind, name = claim["kind"], claim["metadata"]["name"]
    head = {"kind": kind, "namespace": claim["metadata"]["namespace"], "name": name}
    old = state.find(KINDS[kind], name)
    violations = judge(kind, claim, old)
    if old and not violations:
        from tap_stack.plan.fixed import fixed  # It brings what makes schemas, which nothing else here needs.

        violations = fixed(kind, claim, old)
    if violations:
        return Plan(**head, violations=violations)
    try:
        found = regions(claim, state)
        changes, unchanged = _changes(claim, old, found, state)
    except ValidationError as error:
        return Plan(**head, violations=shape_violations(error))
    except RefusedError as error:
        return Plan(**head, violations=error.violations)
    paused, resumed = _pauses(found, state)
    return Plan(
        **head,
        advice=advise(kind, claim),
        changes=tuple(changes),
        unchanged=unchanged,
        paused=paused,
        resumed=resumed,
    )


def _pauses(found: Regions, state: State) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the regions that are paused then, and those that are now and not then."""
    stored = state.regional_taps()
    then = [tap for tap in found.wanted if tap["metadata"]["name"] not in found.taken]
    now = {name for name, tap in stored.items() if _is_paused(tap)}
    return (
        tuple(tap["spec"]["region"] for tap in then if _is_paused(tap)),
        tuple(tap["spec"]["region"] for tap in then if not _is_paused(tap) and tap["metadata"]["name"] in now),
    )


def _is_paused(tap: Mapping[str, Any]) -> bool:
    return bool(tap["spec"].get("state") == RegionState.PAUSED)


def _changes(
    claim: Mapping[str, Any], old: Mapping[str, Any] | None, found: Regions, state: State
) -> tuple[list[Change], dict[str, int]]:
    changes: list[Change] = []
    unchanged: dict[str, int] = {}
    is_environment = claim["kind"] == ENVIRONMENT_TAP.kind
    own = tuple(_metadata(old, claim, applied_fields(old))) if old else ()
    if is_environment:
        changes += _of_xr(claim, old, "", "", "", own)
    for tap in found.wanted:
        stored = state.find(REGIONAL_TAP, tap["metadata"]["name"])
        before = _emitted(stored, state) if stored else {}
        region = _Region(tap, state, before, _later(found, tap, state))
        if tap["metadata"]["name"] in found.taken:
            changes.append(region.taken())
            continue
        beside = region.later(tap["metadata"]["name"], "") if is_environment else own
        changes += _of_xr(tap, stored, tap["spec"]["region"], "", "", beside)
        changes += region.changes()
        unchanged[tap["spec"]["region"]] = region.unchanged
    for tap in found.left:
        changes += gone(tap, tap["spec"]["region"], "", "", state)
    return changes, unchanged


class _Region:
    """A region, as it is composed and as it is stored."""

    def __init__(
        self, tap: Json, state: State, before: Manifests, later: Mapping[tuple[str, str], tuple[Field, ...]]
    ) -> None:
        self._tap, self._state, self._before, self._later = tap, state, before, later
        self._name = str(tap["spec"]["region"])
        self._paused = _is_paused(tap)
        self._following: dict[tuple[str, str], list[Field]] = {}
        self.unchanged = 0

    def later(self, xr: str, key: str) -> tuple[Field, ...]:
        """Returns what changes of an object once the keys of new regions are known; see _later."""
        return self._later.get((xr, key), ())

    def taken(self) -> Change:
        return _change(Action.BLOCKED, self._tap, self._name, "", "", blocked=_TAKEN)

    def changes(self) -> Iterator[Change]:
        for xr, composed in walk(self._tap, self._state.world):
            for change in self._of(xr, composed):
                yield replace(change, paused=True) if self._paused and change.in_aws else change

    def _of(self, xr: Mapping[str, Any], composed: Composed) -> Iterator[Change]:
        stored = self._state.composed(xr)
        before = self._before.get((xr["kind"], xr["metadata"]["name"]), {})
        names = {item.key: item.wanted["metadata"]["name"] for item in composed.resources if item.wanted}
        names |= {item.key: item.manifest["metadata"]["name"] for item in composed.withheld}
        for item in composed.resources:
            part, there = part_of(xr, item.key), stored.get(item.key)
            if there is not None and not item.wanted:  # It is kept only for as long as it is paused.
                yield from gone(there, self._name, part, item.key, self._state)
            elif there is None or _is_resumed_to_be_made(there, item.manifest):
                yield _created(item.wanted or item.manifest, self._name, part, item.key, names.__getitem__)
            elif item.manifest["apiVersion"].partition("/")[0] == GROUP:
                later = self.later(xr["metadata"]["name"], item.key)
                yield from _of_xr(item.manifest, there, self._name, part, item.key, later)
            else:
                yield from self._of_resource(xr, item, there, before.get(item.key))
        for withheld in composed.withheld:
            part = part_of(xr, withheld.key)
            made = _created(withheld.manifest, self._name, part, withheld.key, names.__getitem__)
            yield replace(made, waits_for=withheld.source)
        asked = {item.key for item in composed.resources}
        for key, there in stored.items():
            if key not in asked:
                yield from gone(there, self._name, part_of(xr, key), key, self._state)

    def _of_resource(self, xr: Mapping[str, Any], item: Emitted, stored: Json, before: Json | None) -> Iterator[Change]:
        key, wanted = item.key, item.manifest
        schema = schemas().get((wanted["apiVersion"].partition("/")[0], wanted["kind"]), Schema({}, ()))
        owned = owned_fields(stored, before)
        found = [
            *differences(stored["spec"], wanted["spec"], owned.get("spec", {}), "spec", _is_set(schema)),
            *_of_metadata(stored, wanted, owned),
        ]
        resolved = {field.path: field for field in follows.of_references(found, stored)}
        found = [field for field in found if field.path not in resolved and not _is_given_back(field, wanted, stored)]
        fields = [_judged(field, schema, stored) for field in (*found, *resolved.values())]
        told = {field.path for field in fields}
        later = (*_awaited(item, stored), *self.later(xr["metadata"]["name"], key))
        later += tuple(_with_old(field, stored) for field in self._following.get((xr["metadata"]["name"], key), ()))
        fields += [field for field in later if field.path not in told]
        for follower, field in follows.of_update(wanted, key, fields):
            self._following.setdefault((xr["metadata"]["name"], follower), []).append(field)
        if not fields:
            self.unchanged += 1
            return
        blocked = any(field.replaces for field in fields)
        yield _change(
            Action.BLOCKED if blocked else Action.UPDATE,
            wanted,
            self._name,
            part_of(xr, key),
            key,
            fields=tuple(fields),
            blocked=_BLOCKED if blocked else "",
            loses=tuple(losses.of_update(xr, wanted, fields)),
        )


def _is_set(schema: Schema) -> Callable[[str], bool]:
    return lambda path: path.startswith(_SPEC) and schema.is_set(plain(path).removeprefix(_SPEC))


def _judged(field: Field, schema: Schema, stored: Mapping[str, Any]) -> Field:
    """Returns a field, and whether AWS would make another resource for it.

    Only of one that AWS has made; and not where AWS has that value already, as when a refused change is taken back.
    """
    made = (stored.get("status") or {}).get("atProvider")
    name = field.path.removeprefix(_SPEC)
    if not isinstance(made, Mapping) or not made or name == field.path or made.get(name) == field.new:
        return field
    return replace(field, replaces=schema.is_replaced(plain(name)))


def _is_given_back(field: Field, wanted: Json, stored: Mapping[str, Any]) -> bool:
    """Returns whether the provider puts a field back that is not asked for any more.

    So it does where it may initialize late: it looks at AWS first, which has the value still, and takes it up before it
    asks for a change (upjet, pkg/controller/external_tfpluginsdk.go: Observe); whole fields alone
    (pkg/resource/lateinit.go).
    """
    name = field.path.removeprefix(_SPEC)
    if field.new is not None or name == field.path or plain(name) != name or "." in name:
        return False
    made = (stored.get("status") or {}).get("atProvider") or {}
    return bool({"*", "LateInitialize"} & set(wanted["spec"].get("managementPolicies") or ["*"]) and made.get(name))


def _awaited(item: Emitted, stored: Mapping[str, Any]) -> Iterator[Field]:
    """Yields the fields that change once something else is made; until then they stay as they are."""
    for path, source in unknowns(item.wanted):
        # A list is one value.
        whole = re.split(r"\[\d+\]", path)[0]
        yield _with_old(Field(whole, None, Unknown(source)), stored)


def _with_old(field: Field, stored: Mapping[str, Any]) -> Field:
    return replace(field, old=DictObservation(stored).field(*field.path.split(".")))


def _metadata(stored: Mapping[str, Any], wanted: Mapping[str, Any], owned: Json) -> Iterator[Field]:
    for name in ("labels", "annotations"):
        old, new = (item["metadata"].get(name) or {} for item in (stored, wanted))
        yield from differences(old, new, (owned.get("metadata") or {}).get(name, {}), f"metadata.{name}")


def _of_metadata(stored: Json, wanted: Json, owned: Json) -> Iterator[Field]:
    # Crossplane adds some of its own, in the name of ours.
    # That a region is paused is told of the region.
    return (
        field
        for field in _metadata(stored, wanted, owned)
        if pause.ANNOTATION not in field.path and (field.new is not None or "crossplane.io/" not in field.path)
    )


def _is_resumed_to_be_made(stored: Json, wanted: Json) -> bool:
    """Returns whether AWS has not made a resource, for it was paused until now."""
    made = (stored.get("status") or {}).get("atProvider")
    return not made and pause.is_paused(DictObservation(stored)) and not pause.is_set(wanted)


def _of_xr(  # noqa: PLR0913, PLR0917  (where it is, as `_change`, and what it is and will be)
    wanted: Mapping[str, Any],
    stored: Mapping[str, Any] | None,
    region: str,
    part: str,
    key: str,
    beside: tuple[Field, ...] = (),
) -> Iterator[Change]:
    """Yields what happens to an object of ours: a claim, a region, or a part.

    Beside its spec, labels and annotations of a claim may change, and what is known only later.
    """
    if stored is None:
        yield _change(Action.CREATE, wanted, region, part, key, wanted=_bare(wanted))
        return
    old, new = (_normal(wanted["kind"], item["spec"]) for item in (stored, wanted))
    fields = tuple(_known_later(list(differences(old, new, old, "spec")), beside))
    if fields:
        yield _change(Action.UPDATE, wanted, region, part, key, fields=fields)


def _known_later(fields: list[Field], later: tuple[Field, ...]) -> Iterator[Field]:
    """Yields fields; one of which a part is known only later is known only then."""
    left = list(later)
    for field in fields:
        below = [
            one for one in left if one.path == field.path or one.path.startswith((f"{field.path}.", f"{field.path}["))
        ]
        left = [one for one in left if one not in below]
        yield replace(field, new=below[0].new) if below else field
    yield from left


def _normal(kind: str, spec: Mapping[str, Any]) -> Json:
    """Returns a spec with the defaults that an apiserver fills in, and without what is Crossplane's own."""
    own = own_spec(spec)
    try:
        return KINDS[kind].spec.parse(own).manifest()
    except ValidationError:  # Stored by a version that knew other fields.
        return own


def _created(wanted: Mapping[str, Any], region: str, part: str, key: str, names: Callable[[str], str]) -> Change:
    return _change(
        Action.CREATE,
        wanted,
        region,
        part,
        key,
        wanted=known(wanted, names),
        unknown=dict(unknowns(wanted)),
    )


def gone(stored: Mapping[str, Any], region: str, part: str, key: str, state: State) -> Iterator[Change]:
    """Yields the deletion of an object, and of all that it has composed."""
    if stored["apiVersion"].partition("/")[0] != GROUP:
        kept = stays(stored)
        lost = () if kept or is_looked_at(stored) else tuple(losses.of_deletion(stored))
        yield _change(Action.DELETE, stored, region, part, key, kept=kept, loses=lost)
        return
    yield _change(Action.DELETE, stored, region, part, key)
    for below, item in state.composed(stored).items():
        yield from gone(item, region, part_of(stored, below), below, state)


def _later(found: Regions, tap: Json, state: State) -> dict[tuple[str, str], tuple[Field, ...]]:
    """Returns the fields that change once the keys of new regions are known.

    By the name of the XR and the key of what it composes; the region itself has the empty key.
    """
    hoped = found.later.get(tap["metadata"]["name"])
    if hoped is None:
        return {}
    unknown = Unknown(f"the KMS key of {', '.join(found.new)}")
    own = (tap["metadata"]["name"], "")
    now, then = ({own: item, **dict(_manifests(walk(item, state.world)))} for item in (tap, hoped))
    changes: dict[tuple[str, str], tuple[Field, ...]] = {}
    for place, manifest in then.items():
        if place in now:
            fields = tuple(differences(now[place]["spec"], manifest["spec"], {}, "spec"))
            if fields:
                changes[place] = tuple(Field(field.path, field.old, unknown) for field in fields)
    return changes


def _manifests(walked: Iterable[tuple[Mapping[str, Any], Composed]]) -> Iterator[tuple[tuple[str, str], Json]]:
    for xr, composed in walked:
        for item in composed.resources:
            yield (xr["metadata"]["name"], item.key), item.manifest


def _emitted(stored: Json, state: State) -> Manifests:
    """Returns what the region as it is stored composes: what of the stored resources is ours."""
    try:
        return {
            (xr["kind"], xr["metadata"]["name"]): {item.key: item.manifest for item in composed.resources}
            for xr, composed in walk(stored, state.world)
        }
    except RefusedError:  # Stored by a version that allowed more.
        return {}


def part_of(xr: Mapping[str, Any], key: str) -> str:
    """Returns the part that what `xr` composes under `key` belongs to; `key` for a region's own key."""
    own = KINDS[xr["kind"]].part
    return own or (key if key in _PART_KEYS else KEY_PART)


def _bare(manifest: Mapping[str, Any]) -> Json:
    """Returns a manifest without what only the apiserver knows."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in ("uid", "ownerReferences")}
    return {**{key: value for key, value in manifest.items() if key != "status"}, "metadata": metadata}


def _change(
    action: Action,
    manifest: Mapping[str, Any],
    region: str,
    part: str,
    key: str,
    **more: Any,  # noqa: ANN401
) -> Change:
    head = {"api_version": manifest["apiVersion"], "kind": manifest["kind"], "name": manifest["metadata"]["name"]}
    return Change(action=action, region=region, part=part, key=key, **head, **more)
