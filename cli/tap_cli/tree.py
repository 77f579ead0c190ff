"""A snapshot as a tree that people read. Pure: a function of the snapshot and the time."""

from rich.text import Text
from rich.tree import Tree

from tap_api.common import RegionState, Role
from tap_api.kinds import PARTS
from tap_api.pausing import is_paused
from tap_cli.snapshot import Object, Snapshot, condition, unreconciled, unseen

_WIDEST_PART = max(len(kind.part) for kind in PARTS)


def tree(snapshot: Snapshot) -> Tree:
    """Returns the tree of an environment: a line for it, each of its regions, and each of their parts."""
    environment = snapshot.environment
    status = environment.get("status") or {}
    end = f"ends {status['expiration']['at']}" if status.get("expiration") else ""
    root = Tree(_line(f"{snapshot.namespace}/{snapshot.name}", environment, status, _message(environment), end))
    for wanted in environment["spec"]["regions"]:
        region = snapshot.region(wanted["name"])
        absent = wanted.get("state") == RegionState.ABSENT
        if absent and region is None:
            root.add(Text.assemble((wanted["name"], "bold"), ("  absent", "dim")))
            continue
        if region is None:
            root.add(Text.assemble((wanted["name"], "bold"), ("  no RegionalTap yet", "yellow")))
            continue
        role = Role.PRIMARY if wanted["name"] == environment["spec"]["primaryRegion"] else Role.SECONDARY
        title = f"{wanted['name']}  {role.value}  {wanted['cidr']}"
        state = "being removed" if absent else "paused" if is_paused(region) else ""
        branch = root.add(_line(title, region, region.get("status") or {}, _waiting(region), state))
        for entry in (region.get("status") or {}).get("parts") or ():
            branch.add(_part(entry))
    return root


def summary(snapshot: Snapshot) -> str:
    """Returns an environment in one line, for a log."""
    status = snapshot.environment.get("status") or {}
    ready = status.get("readyRegions", "")
    counts = _counts(status.get("resources") or {})
    return f"{snapshot.namespace}/{snapshot.name}: {counts}" + (f", {ready} regions ready" if ready else "")


def _line(title: str, obj: Object, status: Object, message: str, state: str = "") -> Text:
    deleting = "  being deleted" if "deletionTimestamp" in obj["metadata"] else ""
    return Text.assemble(
        _light(condition(obj, "Ready").get("status") == "True"),
        (title, "bold"),
        (f"  {state}" if state else "", "blue"),
        ("  " + _counts(status.get("resources") or {}), "cyan"),
        (deleting, "red"),
        (f"  {message}" if message else "", "dim"),
    )


def _part(entry: Object) -> Text:
    return Text.assemble(
        _light(bool(entry["ready"])),
        entry["name"].ljust(_WIDEST_PART),
        ("  " + _counts(entry.get("resources") or {}), "cyan"),
        (f"  {entry['message']}" if entry.get("message") else "", "dim"),
    )


def _light(ready: bool) -> tuple[str, str]:  # noqa: FBT001  (a value to show, not a switch)
    return ("● ", "green") if ready else ("○ ", "yellow")


def _counts(counts: Object) -> str:
    desired = counts.get("desired", 0)
    if not desired:
        return "nothing composed"
    text = f"{counts.get('created', 0)} of {desired} created, {counts.get('ready', 0)} ready"
    return text + "".join(f", {counts[what]} {what}" for what in ("withheld", "paused") if counts.get(what))


def _message(environment: Object) -> str:
    ready = condition(environment, "Ready")
    if ready and unseen(environment):
        return unseen(environment)
    if ready.get("status") != "True":
        return str(ready.get("message", "not seen by the operator yet"))
    # What is ready stays so while AWS refuses to change it.
    healthy = condition(environment, "ResourcesHealthy")
    return str(healthy.get("message", "")) if healthy.get("status") == "False" else ""


def _waiting(region: Object) -> str:
    waiting = (region.get("status") or {}).get("waiting") or ()
    stale = unreconciled(region)
    return "; ".join([*([stale] if stale else []), *(f"{w['key']} waits for {w['source']}" for w in waiting)])
