"""What Aurora MySQL takes: windows of time, capacities by version, names that are its own.

Pure functions of what is asked for; tap_api.policy says where it stands and what to do.
"""

#: Names that the engine keeps for itself (CreateDBCluster: "can't be a reserved word for the database engine").
RESERVED_DATABASES = frozenset({"innodb", "mysql", "sys", "tmp"})
RESERVED_USERS = frozenset({"mysql", "rdsadmin", "rdsproxyadmin", "rdsrepladmin", "rdstopmgr", "root", "sys"})

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_A_DAY = 24 * 60
_A_WEEK = 7 * _A_DAY
#: AWS takes no shorter one (05, section 5).
SHORTEST_WINDOW = 30

#: First version 3.x that a capacity can be had with. That there are two highest (128, 256) and two lowest ones (0.5, 0)
#: is in https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ServerlessV2ScalingConfiguration.html; with which
#: version, in the table below "Aurora Serverless v2 capacity" of
#: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.how-it-works.html.
_SERVERLESS, _ABOVE_128, _PAUSES = (2, 0), (6, 0), (8, 0)
MOST_BEFORE_3_06 = 128
#: Lowest minCapacity that AWS advises in a global database (05, section 3, item 7).
GLOBAL_FLOOR = 8


def minor(version: str) -> tuple[int, int]:
    """Returns the 10 and the 0 of `8.0.mysql_aurora.3.10.0`."""
    first, second = version.rsplit(".", maxsplit=2)[1:]
    return int(first), int(second)


def capacity_fault(version: str, low: float, high: float) -> str:
    """Returns why Aurora `version` cannot have a capacity of `low` to `high` ACU; empty where it can."""
    if minor(version) < _SERVERLESS:
        return f"{version} has no Serverless v2; use 3.02.0 or later"
    if high > MOST_BEFORE_3_06 and minor(version) < _ABOVE_128:
        return f"{version} goes up to {MOST_BEFORE_3_06} ACU, not {high:g}; use 3.06.0 or later"
    if low == 0 and minor(version) < _PAUSES:
        return f"{version} cannot pause at 0 ACU; use 3.08.0 or later, or a minCapacity of 0.5"
    return ""


def backup_minutes(window: str) -> tuple[int, int]:
    """Returns the minute of the day that a daily window, such as `23:30-00:30`, begins at, and how long it is."""
    begin, end = (_minute(time) for time in window.split("-"))
    return begin, (end - begin) % _A_DAY


def maintenance_minutes(window: str) -> tuple[int, int]:
    """Returns the minute of the week that a weekly window, such as `sun:23:30-mon:00:30`, begins at, and its length."""
    begin, end = (_DAYS.index(time[:3]) * _A_DAY + _minute(time[4:]) for time in window.split("-"))
    return begin, (end - begin) % _A_WEEK


def overlap(backup: str, maintenance: str) -> bool:
    """Returns whether a daily window and a weekly one share a minute, which AWS refuses."""
    daily, long = backup_minutes(backup)
    weekly, wide = maintenance_minutes(maintenance)
    for day in range(len(_DAYS)):
        begin = day * _A_DAY + daily
        if (weekly - begin) % _A_WEEK < long or (begin - weekly) % _A_WEEK < wide:
            return True
    return False


def _minute(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)
