"""Drift as text that people read: regions, parts, and a line for each field. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from tap_cli.terminal import Line, counted, styled
from tap_stack.drift import text
from tap_stack.drift.compare import ROOT
from tap_stack.drift.survey import Found, Survey

_MOST_NAMES = 3


def lines(found: Survey) -> Iterator[Line]:
    """Yields what is known of the drift of a tap, line by line."""
    yield styled(f"{found.kind} {found.namespace}/{found.name}", bold=True)
    for region, only_reported in found.regions.items():
        drifted = [item for item in found.drifted if item.region == region]
        changing = [item for item in found.changing if item.region == region]
        unseen = [f"{part}/{key}" for of_region, part, key in found.unseen if of_region == region]
        quiet = "" if drifted else ": nothing drifts"
        yield Line("")
        yield styled(f"{region}{quiet}{'  (only reported)' if only_reported else ''}", bold=True)
        yield from _fields(drifted, "yellow")
        if changing:
            yield styled("not as wanted yet; a change is under way, or the provider cannot make it:", 2)
            yield from _fields(changing, "")
        if unseen:
            more = f" and {len(unseen) - _MOST_NAMES} more" if len(unseen) > _MOST_NAMES else ""
            yield Line(f"not made yet: {', '.join(unseen[:_MOST_NAMES])}{more}", 2)
    yield Line("")
    yield styled(summary(found), bold=True)


def summary(found: Survey) -> str:
    """Returns what is known in one line."""
    fields, resources = len(found.drifted), len({(item.region, item.name, item.kind) for item in found.drifted})
    told = f"{counted(fields, 'field')} of {counted(resources, 'resource')}" if fields else "nothing"
    waiting = len({(item.region, item.part, item.key) for item in found.changing} | set(found.unseen))
    notes = f" ({counted(waiting, 'resource')} not compared)" if waiting else ""
    return f"Drift: {told}, of {found.compared} compared{notes}."


def _fields(found: Sequence[Found], color: str) -> Iterator[Line]:
    style: dict[str, Any] = {"fg": color} if color else {}
    for part in dict.fromkeys(item.part for item in found):
        yield styled(part, 2, bold=True)
        of_part = [item for item in found if item.part == part]
        for key in dict.fromkeys(item.key for item in of_part):
            of_resource = [item for item in of_part if item.key == key]
            yield styled(f"~ {key}  {of_resource[0].kind}", 4, **style)
            for item in of_resource:
                path = item.difference.path.removeprefix(f"{ROOT}.")
                yield Line(f"{path}: wanted {text(item.difference.wanted)}, is {text(item.difference.real)}", 8)
