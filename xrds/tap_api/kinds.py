"""The kinds of the API: what people write, what the operator writes, and the six parts Crossplane writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from tap_api import checks
from tap_api.addressing import LONGEST_PREFIX, PRIVATE_RANGES, SHORTEST_PREFIX
from tap_api.base import (
    API_VERSION,
    ApiModel,
    Arn,
    Check,
    Cidr,
    DnsLabel,
    Json,
    RegionName,
    cel,
    extras,
    immutable,
    list_map,
)
from tap_api.blocks import CidrBlockSpec
from tap_api.common import (
    REFERENCE_STAYS,
    DriftMode,
    Environment,
    ProviderConfigRef,
    RegionContext,
    RegionState,
    Tags,
    tags_field,
)
from tap_api.partial import PartialOf
from tap_api.sections import (
    ApiSpec,
    DatabaseSpec,
    MonitoringSpec,
    NetworkSpec,
    ProcessorSpec,
    SessionsSpec,
    StorageSpec,
)
from tap_api.status import EnvironmentTapStatus, PartStatus, RegionalTapStatus

#: The fields of a section that a claim sets, by their JSON names. What it leaves out comes from the preset.
Choices = Mapping[str, Any]

GROUP_STAYS = Check(
    "Immutable",
    "has(self.peeringGroup) == has(oldSelf.peeringGroup)",
    "cannot be added or removed: the address ranges were claimed in it",
    field=".peeringGroup",
)
_REPLICA = "s, s.name != r.name && s.state != 'Absent'"
#: A change alone is judged here: of a new claim the webhook tells all that is wrong at once (tap_api.checks).
PRIMARY_STAYS = Check(
    "PrimaryState",
    "self.regions == oldSelf.regions || self.regions.all(r, r.name != self.primaryRegion || r.state == 'Present' "
    f"|| !(self.regions.exists({_REPLICA}) || oldSelf.regions.exists({_REPLICA})))",
    "the primary region cannot be paused or removed while there are replicas of it; set the others to Absent first, "
    "and wait until they are gone",
    field=".regions",
)
CIDR_IS_FIXED = "a VPC keeps its address range for life; remove the region, then add it with the new range"
#: What tap_api.cidrs judges, for when no process of ours is up (the CIDR library of Kubernetes' CEL, 1.31 and later).
VPC_RANGE = cel(
    Check(
        "Cidr",
        "isCIDR(self) && cidr(self).ip().family() == 4 && cidr(self).masked() == cidr(self) "
        f"&& cidr(self).prefixLength() >= {SHORTEST_PREFIX} && cidr(self).prefixLength() <= {LONGEST_PREFIX} && ("
        + " || ".join(f"cidr('{private}').containsCIDR(self)" for private in PRIVATE_RANGES)
        + ")",
        "must be a private IPv4 range without host bits, /16 to /23, such as 10.0.0.0/16",
    ),
)


class Region(ApiModel):
    """A region of an environment."""

    name: RegionName = Field(description="The AWS region.")
    cidr: Cidr = Field(
        description="Address range of its VPC: private, /16 to /23, apart from every other in the peering group.",
        json_schema_extra=immutable(CIDR_IS_FIXED),
    )
    state: RegionState = Field(
        RegionState.PRESENT,
        description="Present; Paused: nothing of it is changed in AWS; or Absent: it is removed, as if not listed.",
    )


class EnvironmentTapSpec(ApiModel):
    """What a person writes for an environment."""

    model_config = ConfigDict(json_schema_extra=cel(GROUP_STAYS, PRIMARY_STAYS))

    environment: Environment = Field(
        description="The environment; its preset fills in all that is left out.",
        json_schema_extra=immutable("names and tags of AWS resources carry it"),
    )
    primary_region: RegionName = Field(
        description="The region that writes. One of regions.",
        json_schema_extra=immutable(
            "the database and the table belong to it; fail over in AWS, or make a new environment"
        ),
    )
    tags: Tags = tags_field()
    regions: list[Region] = Field(
        min_length=1, max_length=10, description="The regions.", json_schema_extra=list_map("name")
    )
    peering_group: DnsLabel | None = Field(
        None,
        description="Environments of one group never overlap; unset: the environment.",
        json_schema_extra=immutable("the address ranges were claimed in it"),
    )
    provider_config_ref: ProviderConfigRef | None = Field(
        None, description="Credentials; unset: the ProviderConfig `tap-<environment>` in the same namespace."
    )
    protection: bool | None = Field(None, description="Refuse to delete data; unset: the preset (prod: true).")
    drift: DriftMode = Field(DriftMode.REPAIR, description="Repair what was changed in AWS, or only report it.")
    ttl: Annotated[str, StringConstraints(max_length=16, pattern=r"^[1-9]\d{0,4}[mhd]$")] | None = Field(
        None,
        description="Life of the environment, such as 72h; then it is deleted. Never with protection.",
    )
    permissions_boundary: Arn | None = Field(None, description="Permissions boundary of every role that is made.")
    network: Annotated[Choices | None, PartialOf(NetworkSpec)] = Field(None, description="The VPC.")
    database: Annotated[Choices | None, PartialOf(DatabaseSpec)] = Field(None, description="Aurora MySQL.")
    sessions: Annotated[Choices | None, PartialOf(SessionsSpec)] = Field(None, description="The DynamoDB table.")
    storage: Annotated[Choices | None, PartialOf(StorageSpec)] = Field(None, description="The buckets.")
    processor: Annotated[Choices | None, PartialOf(ProcessorSpec)] = Field(None, description="The Lambda function.")
    api: Annotated[Choices | None, PartialOf(ApiSpec)] = Field(None, description="The HTTP API.")
    monitoring: Annotated[Choices | None, PartialOf(MonitoringSpec)] = Field(None, description="Alarms and reports.")


class RegionalTapSpec(RegionContext):
    """A region, fully resolved: what the operator writes for each region of an environment."""

    model_config = ConfigDict(json_schema_extra=cel(REFERENCE_STAYS, GROUP_STAYS, *checks.TAGS_THERE))

    region: RegionName = Field(
        description="The AWS region.",
        json_schema_extra=extras(immutable("make a RegionalTap for the other region"), checks.REGION),
    )
    tags: Tags = tags_field(extra=checks.TAGS)
    state: RegionState = Field(
        RegionState.PRESENT,
        description="Present, or Paused: nothing is changed in AWS.",
        json_schema_extra=checks.STATE,
    )
    cidr: Cidr = Field(
        description="Address range of the VPC.", json_schema_extra=extras(immutable(CIDR_IS_FIXED), VPC_RANGE)
    )
    peering_group: DnsLabel | None = Field(
        None,
        description="Regions of one group never overlap; unset: the environment.",
        json_schema_extra=immutable("the address range was claimed in it"),
    )
    network: NetworkSpec = Field(NetworkSpec(), description="The VPC.")
    database: DatabaseSpec = Field(DatabaseSpec(), description="Aurora MySQL.")
    sessions: SessionsSpec = Field(SessionsSpec(), description="The DynamoDB table.")
    storage: StorageSpec = Field(StorageSpec(), description="The buckets.")
    processor: ProcessorSpec = Field(ProcessorSpec(), description="The Lambda function.")
    api: ApiSpec = Field(ApiSpec(), description="The HTTP API.")
    monitoring: MonitoringSpec = Field(MonitoringSpec(), description="Alarms and reports.")


class PartSpec(RegionContext):
    """What every part carries beside its section."""

    account_id: Annotated[str, StringConstraints(pattern=r"^\d{12}$", max_length=12)] | None = Field(
        None, description="The AWS account, once the key's ARN tells it."
    )
    key_arn: Arn | None = Field(None, description="ARN of the region's KMS key, once its policy admits the services.")


class RegionalNetworkSpec(PartSpec):
    """The network of a region."""

    cidr: Cidr = Field(description="Address range of the VPC.", json_schema_extra=immutable(CIDR_IS_FIXED))
    peering_group: DnsLabel | None = Field(
        None,
        description="The group whose CidrBlock has to hold the range for this region; unset: the environment.",
    )
    network: NetworkSpec = Field(NetworkSpec(), description="The VPC.")


class RegionalDatabaseSpec(PartSpec):
    """The database of a region."""

    zones: int = Field(3, ge=2, le=3, description="Availability zones in use.")
    database: DatabaseSpec = Field(DatabaseSpec(), description="Aurora MySQL.")


class RegionalSessionsSpec(PartSpec):
    """The table of sessions of a region."""

    sessions: SessionsSpec = Field(SessionsSpec(), description="The DynamoDB table.")


class RegionalStorageSpec(PartSpec):
    """The buckets of a region."""

    storage: StorageSpec = Field(StorageSpec(), description="The buckets.")
    monitoring: MonitoringSpec = Field(MonitoringSpec(), description="Monitoring: whether a trail writes to one.")


class RegionalProcessorSpec(PartSpec):
    """The Lambda function of a region and the HTTP API in front of it."""

    zones: int = Field(3, ge=2, le=3, description="Availability zones in use.")
    processor: ProcessorSpec = Field(ProcessorSpec(), description="The Lambda function.")
    api: ApiSpec = Field(ApiSpec(), description="The HTTP API.")
    sessions: SessionsSpec = Field(SessionsSpec(), description="The DynamoDB table: how its items expire.")
    cluster_endpoint: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = Field(
        None, description="Endpoint of the database, once AWS has made it."
    )
    bucket_settled: bool | None = Field(
        None, description="Whether the data bucket keeps versions and encrypts, once AWS shows it."
    )


class RegionalMonitoringSpec(PartSpec):
    """Alarms and reports of a region."""

    database: DatabaseSpec = Field(DatabaseSpec(), description="Aurora MySQL: what alarms are set on.")
    processor: ProcessorSpec = Field(ProcessorSpec(), description="The Lambda function: what alarms are set on.")
    monitoring: MonitoringSpec = Field(MonitoringSpec(), description="Alarms and reports.")
    api_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+$", min_length=1, max_length=32)] | None = Field(
        None, description="Id of the HTTP API, once AWS has made it."
    )
    trail_admitted: bool | None = Field(
        None, description="Whether the log bucket and the key admit the trail, once AWS shows it."
    )


@dataclass(frozen=True)
class Kind:
    """A kind of the API.

    Attributes:
        kind: Name of the kind.
        plural: Name of the resource, as in a URL.
        short_names: What `kubectl get` accepts too.
        spec: Model of the spec.
        description: What it is, for `kubectl explain`.
        status: Model of the status (conditions of XRs are Crossplane's and are not in it); None where it has none.
        part: Name of the part, empty for all other kinds.
        scope: Whether objects of it lie in a namespace.
    """

    kind: str
    plural: str
    short_names: tuple[str, ...]
    spec: type[ApiModel]
    description: str
    status: type[ApiModel] | None = None
    part: str = ""
    scope: Literal["Namespaced", "Cluster"] = "Namespaced"

    @property
    def singular(self) -> str:
        """The singular, as in `kubectl get`."""
        return self.kind.lower()

    def reference(self, name: str, namespace: str = "") -> Json:
        """Returns the head of a manifest of this kind."""
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        return {"apiVersion": API_VERSION, "kind": self.kind, "metadata": metadata}


ENVIRONMENT_TAP = Kind(
    kind="EnvironmentTap",
    plural="environmenttaps",
    short_names=("etap",),
    spec=EnvironmentTapSpec,
    status=EnvironmentTapStatus,
    description="An environment: the same AWS stack in every one of its regions.",
)
REGIONAL_TAP = Kind(
    kind="RegionalTap",
    plural="regionaltaps",
    short_names=("rtap",),
    spec=RegionalTapSpec,
    status=RegionalTapStatus,
    description="One region of an environment: a KMS key and six parts.",
)
CIDR_BLOCK = Kind(
    kind="CidrBlock",
    plural="cidrblocks",
    short_names=("cidr",),
    spec=CidrBlockSpec,
    description="Who holds which address ranges of one /16 in one peering group. Written by the operator alone.",
    scope="Cluster",
)


def _part(part: str, plural: str, short: str, spec: type[ApiModel], description: str) -> Kind:
    return Kind(
        kind=f"Regional{part.capitalize()}",
        plural=plural,
        short_names=(short,),
        spec=spec,
        status=PartStatus,
        description=description,
        part=part,
    )


#: The parts of a region, in the order in which they are shown.
PARTS: tuple[Kind, ...] = (
    _part("network", "regionalnetworks", "rnet", RegionalNetworkSpec, "VPC, subnets, routes, endpoints, flow logs."),
    _part("database", "regionaldatabases", "rdb", RegionalDatabaseSpec, "Aurora MySQL Serverless v2."),
    _part("sessions", "regionalsessions", "rses", RegionalSessionsSpec, "DynamoDB table of sessions."),
    _part("storage", "regionalstorages", "rsto", RegionalStorageSpec, "Data bucket and access-log bucket."),
    _part("processor", "regionalprocessors", "rproc", RegionalProcessorSpec, "Lambda function and HTTP API."),
    _part("monitoring", "regionalmonitorings", "rmon", RegionalMonitoringSpec, "Alarms, dashboard, change reports."),
)
#: The kinds that Crossplane composes.
XRS: tuple[Kind, ...] = (REGIONAL_TAP, *PARTS)
KINDS: dict[str, Kind] = {kind.kind: kind for kind in (ENVIRONMENT_TAP, CIDR_BLOCK, *XRS)}
