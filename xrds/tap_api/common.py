"""What the two kinds and the six parts share: enumerations, references, facts, and the fields every level carries."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from tap_api.base import ApiEnum, ApiModel, Arn, Check, DnsLabel, Json, RegionName, cel, immutable, list_map


class Environment(ApiEnum):
    """The environments there are; each has its preset."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


class Role(ApiEnum):
    """What a region is to its environment."""

    PRIMARY = "Primary"
    SECONDARY = "Secondary"


class RegionState(ApiEnum):
    """What is wanted of a region."""

    PRESENT = "Present"
    PAUSED = "Paused"
    ABSENT = "Absent"


class DriftMode(ApiEnum):
    """What happens where AWS differs from what is wanted."""

    REPAIR = "Repair"
    REPORT = "Report"


class ProviderConfigKind(ApiEnum):
    """Where a provider's credentials are configured."""

    PROVIDER_CONFIG = "ProviderConfig"
    CLUSTER_PROVIDER_CONFIG = "ClusterProviderConfig"


class ProviderConfigRef(ApiModel):
    """The credentials that AWS resources are made with. Crossplane wants both fields."""

    kind: ProviderConfigKind = Field(ProviderConfigKind.PROVIDER_CONFIG, description="Kind of the configuration.")
    name: DnsLabel = Field(description="Its name; a ProviderConfig is looked up in the same namespace.")


class EnvironmentRef(ApiModel):
    """The EnvironmentTap that a region belongs to, in the same namespace."""

    name: DnsLabel = Field(description="Name of the EnvironmentTap.")


#: Tag keys and values are judged by tap_api.policy; the bounds here are AWS's own.
TagValue = Annotated[str, StringConstraints(max_length=256)]
Tags = dict[str, TagValue]


_TAGS_ARE = "Tags for every AWS resource that can carry them. CostCenter is required; Environment and Region are set."


def tags_field(extra: Json | None = None) -> Tags:
    """Returns the field `tags`, as every level has it.

    A level whose schema holds `extra` has no default there: an apiserver refuses one that breaks a rule of its field.
    """
    if extra is None:
        return _tags(Field({}, max_length=44, description=_TAGS_ARE))
    return _tags(Field(default_factory=dict[str, str], max_length=44, description=_TAGS_ARE, json_schema_extra=extra))


def _tags(field: Tags) -> Tags:
    return field


class ReplicaFact(ApiModel):
    """A secondary region, as the primary needs to know it."""

    region: RegionName = Field(description="The region.")
    key_arn: Arn | None = Field(None, description="ARN of its KMS key, once AWS has made it.")


class GlobalClusterFact(ApiModel):
    """The Aurora global database, once its writer is up."""

    identifier: Annotated[str, StringConstraints(min_length=1, max_length=63)] = Field(description="Its identifier.")
    engine_version: Annotated[str, StringConstraints(min_length=1, max_length=32)] = Field(
        description="The version that it runs, which a secondary has to match."
    )
    region: RegionName = Field(description="The region of the writer, which an encrypted secondary has to name.")


class SessionsTableFact(ApiModel):
    """The replica of the sessions table in this region, once the primary's table lists it."""

    arn: Arn = Field(description="Its ARN.")


class Facts(ApiModel):
    """What one region needs to know of the others. Written by the operator; never looked up by the function."""

    replicas: list[ReplicaFact] = Field(
        [],
        max_length=9,
        description="The secondaries (on the primary).",
        json_schema_extra=list_map("region"),
    )
    global_cluster: GlobalClusterFact | None = Field(None, description="The global database (on a secondary).")
    sessions_table: SessionsTableFact | None = Field(None, description="The table's replica (on a secondary).")


NAMES_END_IN_IT = "names of AWS resources end in its digest"


REFERENCE_STAYS = Check(
    "Immutable",
    "has(self.environmentRef) == has(oldSelf.environmentRef)",
    f"cannot be added or removed: {NAMES_END_IN_IT}",
    field=".environmentRef",
)


class RegionContext(ApiModel):
    """What a region and each of its parts carry."""

    model_config = ConfigDict(json_schema_extra=cel(REFERENCE_STAYS))

    environment: Environment = Field(
        description="The environment.", json_schema_extra=immutable("names and tags of AWS resources carry it")
    )
    environment_ref: EnvironmentRef | None = Field(
        None,
        description="The EnvironmentTap that this region belongs to; unset: the region stands alone.",
        json_schema_extra=immutable(NAMES_END_IN_IT),
    )
    region: RegionName = Field(
        description="The AWS region.", json_schema_extra=immutable("make a RegionalTap for the other region")
    )
    role: Role = Field(
        Role.PRIMARY,
        description="Primary writes; a secondary holds replicas. A region that stands alone is its own primary.",
        json_schema_extra=immutable("the global database and the table belong to the primary"),
    )
    tags: Tags = tags_field()
    provider_config_ref: ProviderConfigRef | None = Field(
        None, description="Credentials; unset: the ProviderConfig `tap-<environment>` in the same namespace."
    )
    protection: bool = Field(default=True, description="Data stores refuse to be deleted, and keep a last snapshot.")
    drift: DriftMode = Field(DriftMode.REPAIR, description="Repair what was changed in AWS, or only report it.")
    state: RegionState = Field(RegionState.PRESENT, description="Present, or Paused: nothing is changed in AWS.")
    permissions_boundary: Arn | None = Field(None, description="Permissions boundary of every role that is made.")
    facts: Facts = Field(Facts(), description="What is known of the other regions. Written by the operator.")
