"""What `tap destroy` tells people before it asks, and at the end. Pure."""

from collections.abc import Iterable, Iterator

from tap_api.base import Json
from tap_cli.removing import Removal
from tap_cli.terminal import Line, counted, styled
from tap_stack.plan import Action


def lines(removal: Removal) -> Iterator[Line]:
    """Yields what will be lost, region by region, and what stays in AWS."""
    yield styled(f"Destroy {removal.claim.kind} {removal.target}", bold=True)
    if removal.absent:
        target = removal.target
        what = f"{target.kind} {target.name} in namespace {target.namespace}"
        yield Line(f"There is no {what}, nor what one has made.", 2)
        return
    if removal.plan.violations:
        return  # They are what is said next.
    if removal.begun:
        yield Line("It is on its way already, or gone.", 2)
        return
    for region in removal.plan.regions:
        changes = [change for change in removal.plan.changes if change.region == region]
        going = [c for c in changes if c.in_aws and c.action is Action.DELETE]
        others = [c for c in changes if c.in_aws and c.action is not Action.DELETE]
        kept = [change for change in going if change.kept]
        if not (going or others or any(change.loses for change in changes)):
            continue
        yield Line("")
        found = ((len(going) - len(kept), "deleted"), (len(kept), "kept"), (len(others), "changed"))
        counts = [f"{counted(count, 'AWS resource')} {words}" for count, words in found if count]
        yield styled(f"{region}: {', '.join(counts)}", 2, bold=True)
        for change in changes:
            yield from (styled(f"loses data: {loss}", 4, fg="red") for loss in change.loses)
        yield from (Line(f"stays in AWS: {change.kind} {change.name}", 4) for change in kept)
    yield Line("")
    if not removal.plan.regions:
        yield Line("There is nothing of it in AWS.", 2)
    if removal.protected:
        yield styled(f"{removal.target.name} is protected.", fg="magenta", bold=True)
    losing = sum(bool(change.loses) for change in removal.plan.changes)
    if losing:
        yield styled(f"{losing} {'resource loses' if losing == 1 else 'resources lose'} data.", fg="red", bold=True)


def done(removals: Iterable[Removal]) -> Iterator[Line]:
    """Yields what is to be said once all of it is gone: what stays in AWS, and what the file would make again."""
    for removal in removals:
        if removal.absent:
            yield Line(f"{removal.target} was not there.")
            continue
        yield styled(f"{removal.target} is gone.", fg="green", bold=True)
        if removal.kept:
            yield Line(f"{len(removal.kept)} of its resources stay in AWS, for they are protected:", 2)
            yield from (Line(_kept(item), 4) for item in removal.kept)
        if removal.listed:
            region, file = removal.target.region, removal.claim.file
            yield Line(f"{file} still asks for {region}; give it `state: Absent` there, or it is made again.", 2)


def again(removal: Removal) -> str:
    """Returns how to look at it again: what is on its way is waited for, and nothing is asked."""
    region = f" --region {removal.target.region}" if removal.target.region else ""
    command = f"tap destroy {removal.claim.file}{region} -n {removal.target.namespace} --yes"
    return f"it goes on; look again with: {command}"


def _kept(item: Json) -> str:
    called = f" ({item['externalName']})" if item["externalName"] else ""
    return f"{item['region']}: {item['kind']} {item['name']}{called}"
