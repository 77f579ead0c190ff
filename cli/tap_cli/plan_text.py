"""A plan as text that people read: regions, parts, and a line for each resource. Pure."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tap_api.text import one_line
from tap_cli.terminal import Line, counted, styled
from tap_stack.fields import whole
from tap_stack.plan import Action, Change, Field, Plan
from tap_stack.plan.difference import differences
from tap_stack.values import Unknown

SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-", Action.BLOCKED: "x"}
_COLORS = {Action.CREATE: "green", Action.UPDATE: "yellow", Action.DELETE: "red", Action.BLOCKED: "magenta"}
_AGAINST = {"nothing": "as if nothing of it were there", "cluster": "with what the cluster holds"}
_MOST_NAMES = 3
#: From how many resources on that change alike they are told together.
_ALIKE = 4
_LONGEST = 200


def lines(plan: Plan, against: str) -> Iterator[Line]:
    """Yields a plan, line by line."""
    yield styled(title(plan, against), bold=True)
    if plan.violations:
        yield styled("Refused; nothing would be changed. Mend the claim:", fg="red")
        yield from (styled(str(violation), 2, fg="red") for violation in plan.violations)
        return
    yield from own_lines(plan)
    for region in plan.regions:
        yield Line("")
        told = list(region_lines(plan, region))
        yield styled(heading(plan, region) if told else f"{region}: nothing changes", bold=True)
        yield from told
    yield Line("")
    yield from (styled(f"advice: {advice}", fg="yellow") for advice in plan.advice)
    yield styled(summary(plan), bold=True)
    yield from (styled(text, fg="red", bold=True) for text in warnings(plan))


def own_lines(plan: Plan) -> Iterator[Line]:
    """Yields the fields of the claim itself that change."""
    for change in plan.changes:
        if (change.kind, change.name) == (plan.kind, plan.name):
            for field in change.fields:
                yield from _field(field, 2)


def region_lines(plan: Plan, region: str) -> Iterator[Line]:
    """Yields what happens in a region, part by part; nothing where nothing does."""
    changes = [change for change in plan.changes if change.region == region]
    for change in changes:
        if change.blocked and not change.in_aws:
            yield styled(f"x {change.kind} {change.name}: {change.blocked}", 2, fg="magenta")
    in_aws = [change for change in changes if change.in_aws]
    for part in dict.fromkeys(change.part for change in in_aws):
        yield styled(part, 2, bold=True)
        yield from _part([change for change in in_aws if change.part == part])
    if changes and not in_aws and region not in plan.resumed:
        yield Line("no resource of AWS changes", 2)


def heading(plan: Plan, region: str) -> str:
    """Returns the title of a region: its name, and what its state makes of its changes."""
    if region in plan.paused:
        return f"{region} is paused: nothing changes in AWS; what stands below does once it is resumed"
    if region in plan.resumed:
        return f"{region} is resumed: what was asked of it while it was paused reaches AWS now"
    return region


def title(plan: Plan, against: str) -> str:
    """Returns what a plan is of."""
    how = _AGAINST.get(against, f"with what was saved in {against}")
    return f"{plan.kind} {plan.namespace}/{plan.name}, {how}"


def summary(plan: Plan) -> str:
    """Returns a plan in one line."""
    counts = [f"{plan.count(action)} {words}" for action, words in _WORDS.items()]
    text = f"Plan: {', '.join(counts)}, {sum(plan.unchanged.values())} unchanged"
    later = sum(bool(change.waits_for) and not change.paused for change in plan.changes)
    ours = sum(not change.in_aws for change in plan.changes)
    paused = sum(change.paused for change in plan.changes)
    notes = [f"{later} once others are there"] if later else []
    notes += [f"{ours} objects of the cluster beside them"] if ours else []
    notes += [f"{counted(paused, 'change')} once a paused region is resumed"] if paused else []
    notes += [f"{plan.elsewhere} changes in regions not shown"] if plan.elsewhere else []
    return f"{text} ({'; '.join(notes)})." if notes else f"{text}."


def warnings(plan: Plan) -> Iterator[str]:
    """Yields what nobody should overlook."""
    losing = sum(bool(change.loses) for change in plan.changes if not change.paused)
    blocked = plan.count(Action.BLOCKED)
    if blocked:
        yield f"{counted(blocked, 'change')} blocked: AWS would have to replace a resource, and the provider refuses."
    if losing:
        yield f"{counted(losing, 'change')} would lose data."


def values(field: Field) -> Iterator[tuple[str, str]]:
    """Yields path and change of a field; of a JSON text, of each field of the document in it."""
    path = _short(field.path)
    old, new = _document(field.old), _document(field.new)
    if old is not None and new is not None and not field.replaces:
        for inner in differences(old, new, old):
            yield f"{path}: {inner.path}", _arrow(inner)
        return
    yield path, _arrow(field)


_WORDS = {
    Action.CREATE: "to create",
    Action.UPDATE: "to update",
    Action.DELETE: "to delete",
    Action.BLOCKED: "blocked",
}


def _part(changes: Sequence[Change]) -> Iterator[Line]:
    """Yields the changes of a part: those that happen at once, then those that wait, by what they wait for."""
    for waits_for in dict.fromkeys(["", *(change.waits_for for change in changes)]):
        group = [change for change in changes if change.waits_for == waits_for]
        if waits_for:
            yield Line(f"known after {waits_for}:", 4)
        if group:
            yield from _group(group, 6 if waits_for else 4)


def _group(changes: Sequence[Change], indent: int) -> Iterator[Line]:
    wide = max(len(change.key) for change in changes)
    alike: dict[tuple[Any, ...], list[Change]] = {}
    for change in changes:
        alike.setdefault(_alike(change), []).append(change)
    for change in changes:
        others = alike[_alike(change)]
        if change.action is not Action.UPDATE or len(others) < _ALIKE:
            yield from _one(change, wide, indent)
        elif change is others[0]:
            yield from _together(others)


def _one(change: Change, wide: int, indent: int) -> Iterator[Line]:
    text = f"{SIGNS[change.action]} {change.key.ljust(wide)}  {change.kind}{'  stays in AWS' if change.kept else ''}"
    yield styled(text, indent, wide + 4, fg=_COLORS[change.action])
    # Of what waits itself it would say the same again.
    for path, source in change.unknown.items() if not change.waits_for else ():
        yield Line(f"{_short(path)}: known after {source}", 8)
    yield from _details(change)


def _together(alike: Sequence[Change]) -> Iterator[Line]:
    names = [change.key for change in alike[:_MOST_NAMES]]
    text = f"~ {len(alike)} resources alike: {', '.join(names)} and {len(alike) - len(names)} more"
    yield styled(text, 4, fg=_COLORS[Action.UPDATE])
    yield from _details(alike[0])


def _details(change: Change) -> Iterator[Line]:
    for field in change.fields:
        yield from _field(field, 8)
    if change.blocked:
        yield styled(f"blocked: {change.blocked}", 8, fg="magenta")
    yield from (styled(f"loses data: {loss}", 8, fg="red") for loss in change.loses)


def _field(field: Field, indent: int) -> Iterator[Line]:
    for path, arrow in values(field):
        yield Line(f"{path}: {arrow}{'  (AWS replaces it)' if field.replaces else ''}", indent)


def _arrow(field: Field) -> str:
    return f"{_value(field.old)} -> {_value(field.new)}"


def _value(value: Any) -> str:  # noqa: ANN401
    if value is None:
        return "(none)"
    if isinstance(value, Unknown):
        return f"known after {value.source}"
    text = value if isinstance(value, str) else json.dumps(whole(value), ensure_ascii=False)
    return one_line(text, _LONGEST)


def _short(path: str) -> str:
    return path.removeprefix("spec.").removeprefix("forProvider.")


def _document(value: object) -> Any:  # noqa: ANN401
    """Returns the object that a text holds as JSON, as policies and dashboards are; None where it holds none."""
    if not isinstance(value, str) or not value.startswith("{"):
        return None
    try:
        return json.loads(value)
    except ValueError:
        return None


def _alike(change: Change) -> tuple[Any, ...]:
    return (change.action, json.dumps([field.json() for field in change.fields]), change.loses, change.blocked)
