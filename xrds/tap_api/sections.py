"""What a person can choose for each part of a region. The defaults are those of a RegionalTap written by hand.

An EnvironmentTap carries the same sections with every field optional: what it leaves out comes from the preset of its
environment (tap_api.presets). The paths are the same at every level (`spec.network.zones` of an EnvironmentTap, a
RegionalTap and a RegionalNetwork are one thing), so a message about one of them can be read at any of them.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from tap_api import aurora
from tap_api.base import LIST_SET, NOT_BOOLEAN, ApiEnum, ApiModel, Arn, Check, cel, immutable, list_map

#: Days that CloudWatch Logs can keep a log (PutRetentionPolicy in the AWS API reference).
LogRetention = Annotated[
    Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
    NOT_BOOLEAN,
]
#: Characters that the principals may come to: a pattern of EventBridge holds 4,096, and the rest of ours 2,000.
MOST_TRUSTED = 2000
#: Capacity of Aurora Serverless v2 in ACU (about 2 GiB of memory each), in steps of a half.
Capacity = Annotated[float, Field(multiple_of=0.5)]


class NatMode(ApiEnum):
    """How private subnets reach the internet."""

    SINGLE = "Single"
    PER_ZONE = "PerZone"


class FlowLogs(ApiModel):
    """VPC flow logs. They are always on; this is how much is kept."""

    retention_days: LogRetention = Field(90, description="Days that flow logs are kept in CloudWatch Logs.")
    aggregation_seconds: Literal[60, 600] = Field(600, description="Seconds of traffic that one record sums up.")


class NetworkSpec(ApiModel):
    """The VPC of a region: three tiers of subnets over two or three zones."""

    zones: int = Field(3, ge=2, le=3, description="Availability zones in use. Adding one adds subnets.")
    nat: NatMode = Field(NatMode.PER_ZONE, description="One NAT gateway for the region, or one for each zone.")
    flow_logs: FlowLogs = Field(FlowLogs(), description="VPC flow logs: always on, to CloudWatch Logs.")


#: Time of day (UTC) and day of the week, as RDS writes its windows.
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"
_DAY = "(mon|tue|wed|thu|fri|sat|sun)"


class LogExport(ApiEnum):
    """A log that Aurora MySQL can send to CloudWatch Logs."""

    AUDIT = "audit"
    ERROR = "error"
    GENERAL = "general"
    SLOW_QUERY = "slowquery"
    IAM_ERROR = "iam-db-auth-error"


class DatabaseSpec(ApiModel):
    """The Aurora MySQL Serverless v2 cluster of a region."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Check(
                "Capacity",
                "self.minCapacity <= self.maxCapacity",
                "is above spec.database.maxCapacity; set both",
                field=".minCapacity",
            ),
            Check(
                "Capacity",
                "!self.global || self.minCapacity > 0.0",
                "a member of a global database cannot pause at 0 ACU; use 0.5 or more",
                field=".minCapacity",
            ),
            *(
                Check(
                    "Reserved",
                    f"!(self.{field}.lowerAscii() in {sorted(names)!r})",
                    "is the engine's own; use another name",
                    field=f".{field}",
                )
                for field, names in (
                    ("databaseName", aurora.RESERVED_DATABASES),
                    ("masterUsername", aurora.RESERVED_USERS),
                )
            ),
        )
    )

    global_: bool = Field(
        default=False,
        alias="global",
        description="Member of one Aurora global database: the primary region writes, the others read.",
        json_schema_extra=immutable("AWS cannot move a cluster into or out of a global database; make a new one"),
    )
    engine_version: Annotated[str, StringConstraints(max_length=32, pattern=r"^8\.0\.mysql_aurora\.3\.\d+\.\d+$")] = (
        Field("8.0.mysql_aurora.3.10.0", description="Version of Aurora MySQL 3.")
    )
    database_name: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-zA-Z][a-zA-Z0-9]*$")] = (
        Field(
            "tap",
            description="Name of the first database.",
            json_schema_extra=immutable("AWS names it when the cluster is made"),
        )
    )
    master_username: Annotated[
        str, StringConstraints(min_length=1, max_length=16, pattern=r"^[a-zA-Z][a-zA-Z0-9]*$")
    ] = Field(
        "tapadmin",
        description="Name of the administrator.",
        json_schema_extra=immutable("AWS names it when the cluster is made"),
    )
    min_capacity: Capacity = Field(1.0, ge=0, le=256, description="Lowest capacity in ACU; 0 pauses when idle.")
    max_capacity: Capacity = Field(8.0, ge=1, le=256, description="Highest capacity in ACU.")
    instances: int = Field(2, ge=2, le=16, description="Instances, in different zones as far as there are zones.")
    backup_retention_days: int = Field(7, ge=1, le=35, description="Days that automated backups are kept.")
    backup_window: Annotated[str, StringConstraints(max_length=11, pattern=rf"^{_TIME}-{_TIME}$")] = Field(
        "03:00-04:00", description="Daily window for backups (UTC), at least 30 minutes, outside maintenanceWindow."
    )
    maintenance_window: Annotated[
        str, StringConstraints(max_length=19, pattern=rf"^{_DAY}:{_TIME}-{_DAY}:{_TIME}$")
    ] = Field("sun:04:30-sun:05:30", description="Weekly window for maintenance (UTC).")
    monitoring_seconds: Annotated[Literal[1, 5, 10, 15, 30, 60], NOT_BOOLEAN] = Field(
        60, description="Interval of enhanced monitoring."
    )
    log_exports: list[LogExport] = Field(
        [LogExport.AUDIT, LogExport.ERROR, LogExport.SLOW_QUERY],
        max_length=5,
        description="Logs sent to CloudWatch Logs.",
        json_schema_extra=LIST_SET,
    )
    log_retention_days: LogRetention = Field(90, description="Days that exported logs are kept.")


class SessionsSpec(ApiModel):
    """The DynamoDB table of sessions: on demand, encrypted, with point-in-time recovery."""

    ttl_attribute: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[a-zA-Z0-9_.-]+$")] = (
        Field("expiresAt", description="Attribute (epoch seconds) after which DynamoDB removes an item.")
    )
    recovery_days: int = Field(35, ge=1, le=35, description="Days that point-in-time recovery reaches back.")


class StorageSpec(ApiModel):
    """The data bucket of a region and its access-log bucket: encrypted, versioned, private, TLS only."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Check(
                "StorageClasses",
                "self.glacierDays >= self.infrequentAccessDays + 30",
                "is less than 30 days after infrequentAccessDays; move one of them",
                field=".glacierDays",
            ),
        )
    )

    infrequent_access_days: int = Field(30, ge=30, le=3650, description="Days until objects move to STANDARD_IA.")
    glacier_days: int = Field(90, ge=60, le=3650, description="Days until objects move to GLACIER_IR.")
    expiration_days: int | None = Field(
        None, ge=1, le=36500, description="Days until what came in (`incoming/`) expires; unset: never."
    )
    noncurrent_version_days: int = Field(90, ge=1, le=3650, description="Days that replaced versions are kept.")
    access_log_days: int = Field(
        365, ge=1, le=3650, description="Days that access logs, and the log of a trail, are kept."
    )
    force_destroy: bool = Field(
        default=False, description="Empty the buckets when they are deleted. Never with protection."
    )


class LogLevel(ApiEnum):
    """Level of the processor's own log."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


class Architecture(ApiEnum):
    """Instruction set of the processor."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


class ProcessorCode(ApiModel):
    """Code of the user's own, in place of the one that ships with this project."""

    bucket: Annotated[str, StringConstraints(min_length=3, max_length=63)] = Field(description="Bucket of the zip.")
    key: Annotated[str, StringConstraints(min_length=1, max_length=1024)] = Field(description="Key of the zip.")
    sha256: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{43}=$", max_length=44)] = Field(
        description="SHA-256 of the zip in base64, as Lambda reports it (CodeSha256)."
    )
    handler: Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^\S+$")] = Field(
        description="Entry point, such as `app.handler`."
    )


class ProcessorSpec(ApiModel):
    """The Lambda function that new objects wake."""

    memory_mb: int = Field(256, ge=128, le=10240, description="Memory in MiB.")
    timeout_seconds: int = Field(30, ge=1, le=900, description="Longest run in seconds.")
    architecture: Architecture = Field(Architecture.ARM64, description="Instruction set.")
    reserved_concurrency: int | None = Field(
        None, ge=1, le=1000, description="Most runs at once; unset: the account's."
    )
    retry_attempts: int = Field(
        2, ge=0, le=2, description="Retries of an event before it goes to the dead-letter queue."
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="Level of the function's log.")
    log_retention_days: LogRetention = Field(90, description="Days that the function's log is kept.")
    code: ProcessorCode | None = Field(None, description="Your own code; unset: the processor of this project.")


class Authorization(ApiEnum):
    """Who may call the API."""

    AWS_IAM = "AWS_IAM"
    JWT = "JWT"
    NONE = "None"


class Jwt(ApiModel):
    """An issuer of JSON Web Tokens."""

    issuer: Annotated[str, StringConstraints(min_length=8, max_length=1024, pattern=r"^https://")] = Field(
        description="Issuer, as in the token's `iss`."
    )
    audience: list[Annotated[str, StringConstraints(min_length=1, max_length=256)]] = Field(
        min_length=1,
        max_length=50,
        description="Accepted audiences, as in the token's `aud`.",
        json_schema_extra=LIST_SET,
    )


class ApiSpec(ApiModel):
    """The HTTP API in front of the processor."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Check(
                "Jwt",
                "(self.authorization == 'JWT') == has(self.jwt)",
                "is needed with `authorization: JWT`, and only then",
                field=".jwt",
            ),
        )
    )

    authorization: Authorization = Field(Authorization.AWS_IAM, description="Who may call it; health is always open.")
    jwt: Jwt | None = Field(None, description="The issuer, with authorization JWT.")
    throttling_burst: int = Field(100, ge=1, le=5000, description="Most requests at once.")
    throttling_rate: int = Field(50, ge=1, le=10000, description="Requests per second, on average.")
    log_retention_days: LogRetention = Field(90, description="Days that access logs are kept.")


class Trail(ApiEnum):
    """Where the management events come from that tell of changes made outside this system."""

    EXISTING = "Existing"
    CREATE = "Create"


class Alarms(ApiModel):
    """Thresholds of the alarms."""

    lambda_errors: int = Field(1, ge=1, le=1_000_000, description="Errors of the processor in five minutes.")
    lambda_duration_percent: int = Field(80, ge=1, le=100, description="p95 duration in percent of the timeout.")
    api_5xx: int = Field(5, ge=1, le=1_000_000, alias="api5xx", description="5xx answers of the API in five minutes.")
    api_latency_ms: int = Field(1000, ge=1, le=30_000, description="p95 latency of the API in milliseconds.")
    database_cpu_percent: int = Field(80, ge=1, le=100, description="CPU of the database in percent.")
    database_capacity_percent: int = Field(90, ge=1, le=100, description="Capacity in use in percent of maxCapacity.")
    replica_lag_ms: int = Field(1000, ge=1, le=3_600_000, description="Lag of a replica in milliseconds.")
    dead_letters: int = Field(1, ge=1, le=1_000_000, description="Messages in the dead-letter queue.")


class Subscription(ApiModel):
    """Somebody who hears of alarms."""

    protocol: Literal["email", "https", "sms"] = Field(description="How they hear of it.")
    endpoint: Annotated[str, StringConstraints(min_length=3, max_length=512)] = Field(description="Where.")


class MonitoringSpec(ApiModel):
    """Alarms, the topic that tells of them, the dashboard, and the report of changes made by hand."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Check(
                "TrustedPrincipals",
                f"self.trustedPrincipals.map(p, size(p) + 3).sum() <= {MOST_TRUSTED}",
                f"are too many for an event pattern; use at most {MOST_TRUSTED} characters, with `*` for what the ARNs "
                "differ in",
                field=".trustedPrincipals",
            ),
        )
    )

    alarms: Alarms = Field(Alarms(), description="Thresholds.")
    subscriptions: list[Subscription] = Field(
        [],
        max_length=20,
        description="Who hears of alarms and of changes made by hand.",
        json_schema_extra=list_map("protocol", "endpoint"),
    )
    trail: Trail | None = Field(
        None,
        description="Existing: the account has a CloudTrail trail that records management events. Create: make one in "
        "each region. Unset: changes made by hand are not reported.",
    )
    trusted_principals: list[Arn] = Field(
        [], max_length=50, description="Principals whose changes are not reported.", json_schema_extra=LIST_SET
    )


#: Section name (JSON) -> its model, in the order of the documentation.
SECTIONS: dict[str, type[ApiModel]] = {
    "network": NetworkSpec,
    "database": DatabaseSpec,
    "sessions": SessionsSpec,
    "storage": StorageSpec,
    "processor": ProcessorSpec,
    "api": ApiSpec,
    "monitoring": MonitoringSpec,
}
