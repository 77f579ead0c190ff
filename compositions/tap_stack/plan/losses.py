"""What data a change loses: the deletion of what holds some, and a shorter time that some is kept."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tap_stack import aws
from tap_stack.catalogue import AwsKind
from tap_stack.fields import plain, step
from tap_stack.plan.change import Field

_FOR_PROVIDER = "spec.forProvider."


def of_deletion(resource: Mapping[str, Any]) -> Iterator[str]:
    """Yields what is lost with a resource that AWS deletes."""
    say = _DELETIONS.get(_kind(resource))
    if say:
        yield say(resource["spec"].get("forProvider") or {}, str(resource["metadata"]["name"]))


def of_update(xr: Mapping[str, Any], resource: Mapping[str, Any], fields: Sequence[Field]) -> Iterator[str]:
    """Yields what is lost by changing `fields` of a resource that `xr` composes, at once or right after."""
    leaves = [leaf for field in fields for leaf in _leaves(field.path, field.old, field.new)]
    for rule in _SHORTER:
        for field in leaves:
            if rule.matches(_kind(resource), field):
                yield f"{rule.what} older than {_days(field.new)} (until now {_days(field.old)})"
    for field in fields:
        if _kind(resource) == _key(aws.TABLE) and plain(field.path) == f"{_FOR_PROVIDER}replica" and field.new is None:
            gone = field.old if isinstance(field.old, list) else [field.old]
            regions = ", ".join(sorted(str(replica.get("regionName")) for replica in gone))
            yield f"the table's replica in {regions}; the other regions keep the items"
    leaving = _unprotected(xr, resource) if _kind(resource) == _key(aws.TABLE) else ()
    if leaving:
        regions = ", ".join(leaving)
        yield f"the table's replica in {regions}, once nothing protects it; the other regions keep the items"


def _unprotected(xr: Mapping[str, Any], table: Mapping[str, Any]) -> Sequence[str]:
    """Returns the regions of replicas that go once AWS shows that nothing protects them (tap_stack.sessions)."""
    if xr["spec"].get("protection", True):
        return ()
    facts = (xr["spec"].get("facts") or {}).get("replicas") or ()
    listed = {str(replica["regionName"]) for replica in table["spec"]["forProvider"].get("replica") or ()}
    return sorted(listed - {fact["region"] for fact in facts})


@dataclass(frozen=True)
class _Shorter:
    """A time that data is kept for.

    Attributes:
        kind: The kind of the resource.
        path: Pattern of the path in `spec.forProvider`, without the numbers of items.
        what: What is kept for that long.
        endless: Whether no value means for ever.
    """

    kind: AwsKind
    path: str
    what: str
    endless: bool = False

    def matches(self, kind: tuple[str, str], field: Field) -> bool:
        """Returns whether `field` is this time, and gets shorter."""
        if kind != _key(self.kind) or not re.fullmatch(re.escape(_FOR_PROVIDER) + self.path, plain(field.path)):
            return False
        if not isinstance(field.new, int | float):
            return False
        return self.endless if field.old is None else isinstance(field.old, int | float) and field.new < field.old


_SHORTER: tuple[_Shorter, ...] = (
    _Shorter(aws.DB_CLUSTER, "backupRetentionPeriod", "automated backups of the database"),
    _Shorter(aws.TABLE, r"pointInTimeRecovery\.recoveryPeriodInDays", "points in time of the table to go back to"),
    _Shorter(aws.LOG_GROUP, "retentionInDays", "log events", endless=True),
    _Shorter(aws.BUCKET_LIFECYCLE, r"rule\.expiration\.days", "objects", endless=True),
    _Shorter(
        aws.BUCKET_LIFECYCLE, r"rule\.noncurrentVersionExpiration\.noncurrentDays", "replaced versions of objects"
    ),
)


def _cluster(spec: Mapping[str, Any], name: str) -> str:
    if spec.get("skipFinalSnapshot"):
        return f"the database {name}, without a last snapshot"
    return f"the database {name}; the snapshot {spec.get('finalSnapshotIdentifier') or 'that AWS takes'} stays"


def _bucket(spec: Mapping[str, Any], name: str) -> str:
    if spec.get("forceDestroy"):
        return f"every object and every version in the bucket {name}"
    return f"the bucket {name}; AWS refuses while anything is in it, and the provider tries again until it is empty"


def _kms_key(spec: Mapping[str, Any], name: str) -> str:
    days = spec.get("deletionWindowInDays") or 30
    return f"whatever the key {name} encrypts, after {days} days in which its deletion can be cancelled"


def _key(kind: AwsKind) -> tuple[str, str]:
    return kind.group, kind.kind


def _kind(resource: Mapping[str, Any]) -> tuple[str, str]:
    return str(resource["apiVersion"]).partition("/")[0], str(resource["kind"])


def _leaves(path: str, old: Any, new: Any) -> Iterator[Field]:  # noqa: ANN401
    """Yields the plain values below a field: of what is there now, and of what will be."""
    before, after = ({plain(p): value for p, value in _values(path, node)} for node in (old, new))
    for leaf in before | after:
        yield Field(leaf, before.get(leaf), after.get(leaf))


def _values(path: str, node: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _values(step(path, key), value)
    elif isinstance(node, list):
        for value in node:
            yield from _values(path, value)
    else:
        yield path, node


def _days(count: object) -> str:
    return "for ever" if count is None else f"{count} day{'' if count == 1 else 's'}"


_DELETIONS: Mapping[tuple[str, str], Callable[[Mapping[str, Any], str], str]] = {
    _key(aws.DB_CLUSTER): _cluster,
    _key(aws.TABLE): lambda _, name: f"every item of the table {name}",
    _key(aws.BUCKET): _bucket,
    _key(aws.KEY): _kms_key,
    _key(aws.LOG_GROUP): lambda _, name: f"every log event of the log group {name}",
    _key(aws.QUEUE): lambda _, name: f"every message in the queue {name}",
}
