"""What may be asked for: one table of rules, answered by admission, the function and the command line alike.

`judge` is a pure function of a manifest (and of the one it replaces). It returns every violation at once, sorted by
path, so that nobody mends a claim one refusal at a time. What must hold even with every process down is in the schema
too, as CEL.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from tap_api import aurora, cidrs
from tap_api.base import ApiModel, Json
from tap_api.common import DriftMode, RegionState
from tap_api.kinds import ENVIRONMENT_TAP, KINDS, REGIONAL_TAP, EnvironmentTapSpec, RegionalTapSpec
from tap_api.naming import MAX_ENVIRONMENT_NAME, MAX_NAME
from tap_api.presets import resolve
from tap_api.regions import ZONES
from tap_api.sections import Authorization, Trail

REQUIRED_TAGS = ("CostCenter",)
_DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
#: Letters, digits, spaces and `_ . : / = + - @` (https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html).
_TAG_TEXT = re.compile(r"[\w .:/=+\-@]*")
_RESERVED_TAG_PREFIXES = ("aws:", "crossplane-")
#: What the name of a bucket must not begin with (docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
_S3_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
#: Tags that are set for every resource, and what they are set to.
_OWN_TAGS = ("environment", "region", "name")


@dataclass(frozen=True, order=True)
class Violation:
    """A rule that a manifest breaks.

    Attributes:
        path: The field, such as `spec.regions[1].cidr`.
        code: Stable name of the rule, such as `CidrOverlap`.
        message: What is wrong and what to do.
    """

    path: str
    code: str
    message: str

    def __str__(self) -> str:
        """Returns the line that people read."""
        return f"{self.path}: {self.message} ({self.code})"


@dataclass(frozen=True)
class Subject:
    """A manifest whose shape is right, as the rules see it.

    Attributes:
        kind: Its kind.
        name: Its name.
        spec: Its spec.
        old: The spec that it replaces, None for a new one (and for one whose old shape is no longer legal).
    """

    kind: str
    name: str
    spec: EnvironmentTapSpec | RegionalTapSpec
    old: EnvironmentTapSpec | RegionalTapSpec | None = None

    @cached_property
    def environment_tap(self) -> EnvironmentTapSpec | None:
        """The spec, where it is an EnvironmentTap's."""
        return self.spec if isinstance(self.spec, EnvironmentTapSpec) else None

    @cached_property
    def ranges(self) -> list[tuple[str, str, str]]:
        """Path, region and CIDR of every VPC that is asked for."""
        if isinstance(self.spec, EnvironmentTapSpec):
            return [(f"spec.regions[{i}].cidr", r.name, r.cidr) for i, r in enumerate(self.spec.regions)]
        return [("spec.cidr", self.spec.region, self.spec.cidr)]

    @cached_property
    def regions(self) -> list[tuple[str, str]]:
        """Path and name of every region that is asked for."""
        if isinstance(self.spec, EnvironmentTapSpec):
            return [(f"spec.regions[{i}].name", r.name) for i, r in enumerate(self.spec.regions)]
        return [("spec.region", self.spec.region)]


Finding = tuple[str, str]


@dataclass(frozen=True)
class Rule:
    """A rule: its stable code, and what finds the fields that break it."""

    code: str
    find: Callable[[Subject], Iterable[Finding]]


def _name(subject: Subject) -> Iterator[Finding]:
    limit = MAX_ENVIRONMENT_NAME if subject.kind == ENVIRONMENT_TAP.kind else MAX_NAME
    if not _DNS_LABEL.fullmatch(subject.name):
        yield (
            "metadata.name",
            f"{subject.name!r} goes into AWS names: use lower-case letters, digits and hyphens, a letter first",
        )
    if subject.name.startswith(_S3_PREFIXES):
        yield "metadata.name", f"{subject.name!r} begins like S3's own names, which no bucket may have; rename it"
    if len(subject.name) > limit:
        yield "metadata.name", f"{len(subject.name)} characters; use at most {limit}"


def _region(subject: Subject) -> Iterator[Finding]:
    for path, region in subject.regions:
        if region not in ZONES:
            close = get_close_matches(region, ZONES, n=1)
            mend = f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(sorted(ZONES))}"
            yield path, f"{region!r} is not a region this system knows; {mend}"


def _duplicate_region(subject: Subject) -> Iterator[Finding]:
    seen: set[str] = set()
    for path, region in subject.regions:
        if region in seen:
            yield path, f"{region!r} is listed twice; list each region once"
        seen.add(region)


def _primary_region(subject: Subject) -> Iterator[Finding]:
    spec = subject.environment_tap
    if spec and spec.primary_region not in {region.name for region in spec.regions}:
        names = ", ".join(region.name for region in spec.regions)
        yield "spec.primaryRegion", f"{spec.primary_region!r} is not one of spec.regions; use one of {names}"


def _cidr(subject: Subject) -> Iterator[Finding]:
    for path, _, text in subject.ranges:
        fault = cidrs.fault(text)
        if fault:
            yield path, fault


def _cidr_overlap(subject: Subject) -> Iterator[Finding]:
    networks = [(path, region, cidrs.parse(text)) for path, region, text in subject.ranges if not cidrs.fault(text)]
    for i, (path, region, network) in enumerate(networks):
        for _, other_region, other in networks[:i]:
            if network.overlaps(other):
                yield (
                    path,
                    f"{network} ({region}) overlaps {other} ({other_region}); give each region a range of its own",
                )


def _tag_missing(subject: Subject) -> Iterator[Finding]:
    for key in REQUIRED_TAGS:
        if not subject.spec.tags.get(key, "").strip():
            yield _tag_path(key), f"is required on every AWS resource; add it, such as `{key}: platform-4200`"


def _tag_reserved(subject: Subject) -> Iterator[Finding]:
    for key in subject.spec.tags:
        # Whatever its case: IAM takes `environment` and `Environment` for one key, and refuses the role.
        if key.casefold() in _OWN_TAGS:
            yield _tag_path(key), "is set from the spec for every resource; remove it"
        elif key.lower().startswith(_RESERVED_TAG_PREFIXES):
            yield _tag_path(key), "begins like AWS's or Crossplane's own tags; rename it"


def _tag_case(subject: Subject) -> Iterator[Finding]:
    """IAM compares keys without their case (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html)."""
    first: dict[str, str] = {}
    for key in subject.spec.tags:
        other = first.setdefault(key.casefold(), key)
        if other != key and not key.lower().startswith(_RESERVED_TAG_PREFIXES):
            yield _tag_path(key), f"differs from {other!r} in case alone, and IAM takes one of the two; remove one"


def _tag_text(subject: Subject) -> Iterator[Finding]:
    for key, value in subject.spec.tags.items():
        if not 1 <= len(key) <= 128:
            yield _tag_path(key), f"a tag's key has 1 to 128 characters, this one {len(key)}"
        if not _TAG_TEXT.fullmatch(key) or not _TAG_TEXT.fullmatch(value):
            yield _tag_path(key), "tags hold letters, digits, spaces and _ . : / = + - @ only"


def _not_yet(subject: Subject) -> Iterator[Finding]:
    """Fields that are in the API and that nothing acts on yet are refused, never ignored."""
    spec = subject.spec
    later = "is not acted on in this version; remove it"
    if spec.drift is not DriftMode.REPAIR:
        yield "spec.drift", f"{spec.drift.value} {later}"
    if spec.peering_group not in (None, spec.environment.value):
        yield "spec.peeringGroup", f"{spec.peering_group!r} {later}"
    if (_sections(subject) or {}).get("monitoring", {}).get("trail") == Trail.CREATE.value:
        yield (
            "spec.monitoring.trail",
            "Create is not acted on in this version: a trail is the account's, not one environment's; make one that "
            "records management events, and write Existing",
        )
    if isinstance(spec, RegionalTapSpec):
        if spec.state is not RegionState.PRESENT:
            yield "spec.state", f"{spec.state.value} {later}"
        return
    for i, region in enumerate(spec.regions):
        if region.state is not RegionState.PRESENT:
            yield f"spec.regions[{i}].state", f"{region.state.value} {later}"
    if spec.ttl is not None:
        yield "spec.ttl", later


def _sections(subject: Subject) -> Json | None:
    """Returns the sections of `subject` with the preset's values filled in; None where they have a fault of shape."""
    if isinstance(subject.spec, RegionalTapSpec):
        return subject.spec.manifest()
    try:
        return resolve(subject.spec)
    except ValidationError:
        return None


def _capacity(subject: Subject) -> Iterator[Finding]:
    database = (_sections(subject) or {}).get("database")
    if database is None:
        return
    low, high = database["minCapacity"], database["maxCapacity"]
    if low > high:
        yield "spec.database.minCapacity", f"{low:g} ACU is above spec.database.maxCapacity, {high:g}; set both"
    if low == 0 and database["global"]:
        yield "spec.database.minCapacity", "a member of a global database cannot pause at 0 ACU; use 0.5 or more"
    fault = aurora.capacity_fault(database["engineVersion"], low, high)
    if fault:
        yield "spec.database.engineVersion", fault


def _windows(subject: Subject) -> Iterator[Finding]:
    database = (_sections(subject) or {}).get("database")
    if database is None:
        return
    backup, maintenance = database["backupWindow"], database["maintenanceWindow"]
    short = f"is shorter than {aurora.SHORTEST_WINDOW} minutes; make it longer"
    if aurora.backup_minutes(backup)[1] < aurora.SHORTEST_WINDOW:
        yield "spec.database.backupWindow", f"{backup} {short}"
    if aurora.maintenance_minutes(maintenance)[1] < aurora.SHORTEST_WINDOW:
        yield "spec.database.maintenanceWindow", f"{maintenance} {short}"
    if aurora.overlap(backup, maintenance):
        yield "spec.database.backupWindow", f"{backup} overlaps maintenanceWindow, {maintenance}; move one of them"


def _reserved(subject: Subject) -> Iterator[Finding]:
    database = (_sections(subject) or {}).get("database", {})
    reserved = (("databaseName", aurora.RESERVED_DATABASES), ("masterUsername", aurora.RESERVED_USERS))
    for field, names in reserved:
        if str(database.get(field, "")).lower() in names:
            yield f"spec.database.{field}", f"{database[field]!r} is the engine's own; use another name"


def _log_exports(subject: Subject) -> Iterator[Finding]:
    # The apiserver holds the set; a file that is judged offline has met no apiserver.
    exports = (_sections(subject) or {}).get("database", {}).get("logExports", [])
    for i, export in enumerate(exports):
        if export in exports[:i]:
            yield f"spec.database.logExports[{i}]", f"{export!r} is listed twice; list each log once"


def _engine_version(subject: Subject) -> Iterator[Finding]:
    """A version that goes down: the provider ignores it in silence, since AWS cannot do it."""
    if subject.old is None:
        return
    before = (_sections(Subject(subject.kind, subject.name, subject.old)) or {}).get("database")
    now = (_sections(subject) or {}).get("database")
    if before and now and aurora.minor(now["engineVersion"]) < aurora.minor(before["engineVersion"]):
        yield (
            "spec.database.engineVersion",
            f"AWS cannot go back from {before['engineVersion']} to {now['engineVersion']}; restore a backup elsewhere",
        )


def _storage_classes(subject: Subject) -> Iterator[Finding]:
    # S3 wants thirty days between the two transitions (LifecycleConfiguration, "Minimum 30 days").
    storage = (_sections(subject) or {}).get("storage", {})
    first, second = storage.get("infrequentAccessDays", 0), storage.get("glacierDays", 30)
    if second < first + 30:
        yield "spec.storage.glacierDays", f"{second} is less than 30 days after infrequentAccessDays, {first}"


def _jwt(subject: Subject) -> Iterator[Finding]:
    api = (_sections(subject) or {}).get("api", {})
    if (api.get("authorization") == "JWT") != ("jwt" in api):
        yield "spec.api.jwt", "is needed with `authorization: JWT`, and only then"


#: Characters that the principals may come to: a pattern of EventBridge holds 4,096, and the rest of ours 2,000.
_MOST_TRUSTED = 2000


def _trusted(subject: Subject) -> Iterator[Finding]:
    principals = (_sections(subject) or {}).get("monitoring", {}).get("trustedPrincipals", [])
    length = sum(len(principal) + 3 for principal in principals)
    if length > _MOST_TRUSTED:
        yield (
            "spec.monitoring.trustedPrincipals",
            f"{length} characters with quotes and commas are too many for an event pattern; use at most "
            f"{_MOST_TRUSTED}, with `*` for what the ARNs differ in",
        )


def _open_api(subject: Subject) -> Iterator[Finding]:
    if (_sections(subject) or {}).get("api", {}).get("authorization") == Authorization.NONE.value:
        yield "spec.api.authorization", "None lets anybody on the internet call the API; use AWS_IAM or JWT"


_FIXED = (
    ("global", "AWS cannot move a cluster into or out of a global database"),
    ("databaseName", "AWS names it when the cluster is made"),
    ("masterUsername", "AWS names it when the cluster is made"),
)


def _immutable(subject: Subject) -> Iterator[Finding]:
    """What CEL cannot see: a choice added or removed beside a preset that says something else."""
    if not isinstance(subject.spec, EnvironmentTapSpec) or not isinstance(subject.old, EnvironmentTapSpec):
        return
    try:
        now, before = resolve(subject.spec)["database"], resolve(subject.old)["database"]
    except ValidationError:
        return
    for field, why in _FIXED:
        if now[field] != before[field]:
            yield (
                f"spec.database.{field}",
                f"cannot be changed from {_text(before[field])} to {_text(now[field])}: {why}; make a new environment",
            )


def _global_capacity(subject: Subject) -> Iterator[Finding]:
    """A floor that a person chose; a preset's own is what it is."""
    database = (_sections(subject) or {}).get("database", {})
    chosen = subject.spec.database
    chose = "minCapacity" in chosen if isinstance(chosen, Mapping) else chosen is not None
    low = database.get("minCapacity", aurora.GLOBAL_FLOOR)
    if chose and database.get("global") and 0 < low < aurora.GLOBAL_FLOOR:
        yield (
            "spec.database.minCapacity",
            f"AWS advises {aurora.GLOBAL_FLOOR} ACU or more in a global database, or replicas fall behind; {low:g} is"
            " less",
        )


RULES: tuple[Rule, ...] = (
    Rule("Name", _name),
    Rule("RegionUnknown", _region),
    Rule("RegionDuplicate", _duplicate_region),
    Rule("PrimaryRegion", _primary_region),
    Rule("Cidr", _cidr),
    Rule("CidrOverlap", _cidr_overlap),
    Rule("TagMissing", _tag_missing),
    Rule("TagReserved", _tag_reserved),
    Rule("TagText", _tag_text),
    Rule("TagCase", _tag_case),
    Rule("NotActedOn", _not_yet),
    Rule("Capacity", _capacity),
    Rule("Windows", _windows),
    Rule("Reserved", _reserved),
    Rule("LogExports", _log_exports),
    Rule("EngineVersion", _engine_version),
    Rule("StorageClasses", _storage_classes),
    Rule("Jwt", _jwt),
    Rule("TrustedPrincipals", _trusted),
    Rule("Immutable", _immutable),
)


#: What is allowed and had better be otherwise.
ADVICE: tuple[Rule, ...] = (Rule("OpenApi", _open_api), Rule("GlobalCapacity", _global_capacity))


def advise(kind: str, manifest: Mapping[str, Any]) -> list[Violation]:
    """Returns what of `manifest` is allowed and had better be otherwise, sorted by path. Nothing is refused for it."""
    try:
        model = KINDS[kind].spec.parse(_without_machinery(_mapping(manifest.get("spec"))))
    except ValidationError:
        return []
    return _found(ADVICE, kind, manifest, model, None)


def judge(kind: str, manifest: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> list[Violation]:
    """Returns every rule that `manifest` breaks, sorted by path; empty where it may pass.

    Args:
        kind: Its kind. Kinds other than EnvironmentTap and RegionalTap are judged by their shape alone.
        manifest: The object, as JSON.
        old: The object that it replaces, None for a new one.
    """
    try:
        model = KINDS[kind].spec.parse(_without_machinery(_mapping(manifest.get("spec"))))
    except ValidationError as error:
        return sorted(shape_violations(error))
    return _found(RULES, kind, manifest, model, _old_spec(kind, old))


def _found(
    rules: Iterable[Rule],
    kind: str,
    manifest: Mapping[str, Any],
    model: ApiModel,
    old: EnvironmentTapSpec | RegionalTapSpec | None,
) -> list[Violation]:
    if not isinstance(model, EnvironmentTapSpec | RegionalTapSpec):
        return []
    subject = Subject(kind, str(_mapping(manifest.get("metadata")).get("name", "")), model, old)
    return sorted(Violation(path, rule.code, message) for rule in rules for path, message in rule.find(subject))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def shape_violations(error: ValidationError, root: str = "spec") -> list[Violation]:
    """Returns the faults of shape that pydantic found, by field path."""
    return [
        Violation(_path(root, fault["loc"]), "Schema", f"{fault['msg']}; got {_text(fault['input'])}")
        if fault["type"] not in ("missing", "extra_forbidden")
        else Violation(_path(root, fault["loc"]), "Schema", _SHAPES[fault["type"]])
        for fault in error.errors(include_url=False)
    ]


_SHAPES = {"missing": "is required", "extra_forbidden": "is not a field of this kind; check its spelling"}


def _old_spec(kind: str, old: Mapping[str, Any] | None) -> EnvironmentTapSpec | RegionalTapSpec | None:
    if old is None or kind not in (ENVIRONMENT_TAP.kind, REGIONAL_TAP.kind):
        return None
    try:
        model = KINDS[kind].spec.parse(_without_machinery(old.get("spec") or {}))
    except ValidationError:
        return None
    return model if isinstance(model, EnvironmentTapSpec | RegionalTapSpec) else None


def _without_machinery(spec: Mapping[str, Any]) -> Json:
    """Returns `spec` without `spec.crossplane`, which is Crossplane's own (04, item 2)."""
    return {key: value for key, value in spec.items() if key != "crossplane"}


def _path(root: str, location: Iterable[str | int]) -> str:
    return root + "".join(map(_step, location))


def _step(step: str | int) -> str:
    """Returns one step of a field path; what is not a plain word is quoted, so that a path is always one line."""
    if isinstance(step, str) and re.fullmatch(r"[\w-]+", step, re.ASCII):
        return f".{step}"
    return f"[{_text(step)}]"


def _tag_path(key: str) -> str:
    return _path("spec", ("tags", key))


def _text(value: object) -> str:
    text = {True: "true", False: "false"}.get(value, repr(value)) if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
