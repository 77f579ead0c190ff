"""Rules on the database."""

from collections.abc import Iterator, Mapping

from tap_api import aurora
from tap_api.policy.rule import Finding, Subject


def capacity(subject: Subject) -> Iterator[Finding]:
    """Capacities that do not fit one another, the version, or a global database."""
    database = subject.sections.get("database")
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


def windows(subject: Subject) -> Iterator[Finding]:
    """Windows that are too short, or that overlap."""
    database = subject.sections.get("database")
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


def reserved_name(subject: Subject) -> Iterator[Finding]:
    """Names that the engine keeps for itself."""
    database = subject.sections.get("database", {})
    reserved = (("databaseName", aurora.RESERVED_DATABASES), ("masterUsername", aurora.RESERVED_USERS))
    for field, names in reserved:
        if str(database.get(field, "")).lower() in names:
            yield f"spec.database.{field}", f"{database[field]!r} is the engine's own; use another name"


def log_exports(subject: Subject) -> Iterator[Finding]:
    """A log that is listed twice."""
    # The apiserver holds the set; a file that is judged offline has met no apiserver.
    exports = subject.sections.get("database", {}).get("logExports", [])
    for i, export in enumerate(exports):
        if export in exports[:i]:
            yield f"spec.database.logExports[{i}]", f"{export!r} is listed twice; list each log once"


def engine_version(subject: Subject) -> Iterator[Finding]:
    """A version that goes down: the provider ignores it in silence, since AWS cannot do it."""
    if subject.old is None:
        return
    before = Subject(subject.kind, subject.name, subject.old).sections.get("database")
    now = subject.sections.get("database")
    if before and now and aurora.minor(now["engineVersion"]) < aurora.minor(before["engineVersion"]):
        yield (
            "spec.database.engineVersion",
            f"AWS cannot go back from {before['engineVersion']} to {now['engineVersion']}; restore a backup elsewhere",
        )


def global_capacity(subject: Subject) -> Iterator[Finding]:
    """A floor that a person chose; a preset's own is what it is."""
    database = subject.sections.get("database", {})
    chosen = subject.spec.database
    chose = "minCapacity" in chosen if isinstance(chosen, Mapping) else chosen is not None
    low = database.get("minCapacity", aurora.GLOBAL_FLOOR)
    if chose and database.get("global") and 0 < low < aurora.GLOBAL_FLOOR:
        yield (
            "spec.database.minCapacity",
            f"AWS advises {aurora.GLOBAL_FLOOR} ACU or more in a global database, or replicas fall behind; {low:g} is"
            " less",
        )
