"""What a plan holds: typed, and as the JSON that programs read (docs/reference/plan.schema.json)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from tap_api.base import Json
from tap_api.policy import Violation
from tap_stack.values import Unknown


class Action(StrEnum):
    """What happens to an object."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Field:
    """A field that changes.

    Attributes:
        path: Its path, such as `spec.forProvider.tags.CostCenter`.
        old: Its value now; None where there is none.
        new: Its value then; None where it goes, `Unknown` where it is not known yet.
        replaces: Whether AWS changes it only by making another resource.
    """

    path: str
    old: Any
    new: Any
    replaces: bool = False

    def json(self) -> Json:
        """Returns it as JSON."""
        unknown = self.new.source if isinstance(self.new, Unknown) else None
        return {
            "path": self.path,
            "old": self.old,
            "new": None if unknown else self.new,
            "knownAfter": unknown,
            "replaces": self.replaces,
        }


@dataclass(frozen=True)
class Change:
    """What happens to one object.

    Attributes:
        action: What happens.
        region: Its region; empty for the environment itself.
        part: Its part; `key` for the region's key, empty for the region and the environment.
        api_version: Its group and version.
        kind: Its kind.
        name: Its name in the cluster.
        key: Its key among what its region or part composes; empty for a claim.
        fields: What differs, for an update or a blocked one.
        waits_for: What has to be there before it is created; empty where it is created at once.
        blocked: Why it cannot be done, and what to do.
        loses: What data is lost by it, one sentence each.
        kept: Whether it stays in AWS though its object goes.
        paused: Whether AWS is asked for it only once its region is resumed.
        wanted: The object that is created, as far as it is known.
        unknown: Path -> what its value is known after, for the object that is created.
    """

    action: Action
    region: str
    part: str
    api_version: str
    kind: str
    name: str
    key: str = ""
    fields: tuple[Field, ...] = ()
    waits_for: str = ""
    blocked: str = ""
    loses: tuple[str, ...] = ()
    kept: bool = False
    paused: bool = False
    wanted: Json = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_aws(self) -> bool:
        """Whether it is a resource of AWS, and no object of ours."""
        return ".aws." in self.api_version

    def json(self) -> Json:
        """Returns it as JSON."""
        return {
            "action": self.action.value,
            "region": self.region or None,
            "part": self.part or None,
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": self.name,
            "key": self.key or None,
            "inAws": self.in_aws,
            "fields": [item.json() for item in self.fields],
            "knownAfter": self.waits_for or None,
            "blocked": self.blocked or None,
            "losesData": list(self.loses),
            "keptInAws": self.kept,
            "paused": self.paused,
            "wanted": self.wanted or None,
            "unknown": dict(self.unknown),
        }


@dataclass(frozen=True)
class Plan:
    """What applying a claim does.

    Attributes:
        kind: Kind of the claim.
        namespace: Its namespace.
        name: Its name.
        violations: What policy refuses; then nothing is changed, and there are no changes.
        advice: What policy advises.
        changes: What happens, in order.
        unchanged: Region -> how many resources of AWS stay as they are.
        paused: Regions that are paused then: nothing of them changes in AWS.
        resumed: Regions that are paused now and not then: what was changed meanwhile reaches AWS too.
        elsewhere: How many changes there are in regions that are left out.
    """

    kind: str
    namespace: str
    name: str
    violations: Sequence[Violation] = ()
    advice: Sequence[Violation] = ()
    changes: Sequence[Change] = ()
    unchanged: Mapping[str, int] = field(default_factory=dict)
    paused: Sequence[str] = ()
    resumed: Sequence[str] = ()
    elsewhere: int = 0

    @property
    def regions(self) -> list[str]:
        """The regions that it speaks of."""
        return list(dict.fromkeys([*self.unchanged, *(change.region for change in self.changes if change.region)]))

    def only(self, chosen: Sequence[str]) -> "Plan":
        """Returns the plan of some of its regions; what happens to the claim itself stays."""
        changes = [change for change in self.changes if change.region in ("", *chosen)]
        return replace(
            self,
            changes=tuple(changes),
            unchanged={region: count for region, count in self.unchanged.items() if region in chosen},
            paused=tuple(region for region in self.paused if region in chosen),
            resumed=tuple(region for region in self.resumed if region in chosen),
            elsewhere=len(self.changes) - len(changes),
        )

    def beyond(self, pending: "Plan", region: str = "") -> "Plan":
        """Returns the plan without what is on its way anyway, but for that of `region`.

        Args:
            pending: The plan of what is stored: AWS has not made all that it asks for.
            region: A region of which all is told; empty for none.
        """
        on_its_way = [_happening(change) for change in pending.changes]
        changes = (c for c in self.changes if c.region == region or _happening(c) not in on_its_way)
        return replace(self, changes=tuple(changes))

    def count(self, action: Action) -> int:
        """Returns how many resources of AWS `action` happens to; not those that it happens to once they are resumed."""
        return Counter(change.action for change in self.changes if change.in_aws and not change.paused)[action]

    def json(self) -> Json:
        """Returns it as JSON."""
        return {
            "claim": {"kind": self.kind, "namespace": self.namespace, "name": self.name},
            "summary": {
                **{action.value: self.count(action) for action in Action},
                "unchanged": sum(self.unchanged.values()),
                "losesData": sum(bool(change.loses) for change in self.changes if not change.paused),
                "onceResumed": sum(change.paused for change in self.changes),
                "inOtherRegions": self.elsewhere,
            },
            "paused": list(self.paused),
            "resumed": list(self.resumed),
            "violations": [_violation(item) for item in self.violations],
            "advice": [_violation(item) for item in self.advice],
            "changes": [change.json() for change in self.changes],
        }


def _happening(change: Change) -> tuple[object, ...]:
    """Returns what happens to which object; not what one is like that is created in any case."""
    return (change.kind, change.name, change.action, change.fields, change.loses, change.kept)


def _violation(found: Violation) -> Json:
    return {"path": found.path, "code": found.code, "message": found.message}
