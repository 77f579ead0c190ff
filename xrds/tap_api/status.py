"""What is reported back: outputs, counts and conditions, from a part up to the environment."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from tap_api.base import LIST_SET, ApiModel, Arn, Json, RegionName, list_map
from tap_api.common import GlobalClusterFact, RegionState, Role

Text = Annotated[str, StringConstraints(max_length=2048)]
#: Conditions hold 32,768 (metav1.Condition); a message past a thousand is read by nobody.
Message = Annotated[str, StringConstraints(max_length=4096)]

#: The condition that tells whether a region has the address range that it asks for.
CIDR_RESERVED = "CidrReserved"
#: The condition that tells whether something was changed in AWS behind our back.
DRIFTED = "Drifted"
#: Its reasons: it was; it was and is as wanted again; it was not; nobody knows yet.
FIELDS_DIFFER = "FieldsDiffer"
REPAIRED = "Repaired"
AS_WANTED = "AsWanted"
NOT_COMPARED = "NotCompared"
#: The reason of conditions of what is paused.
PAUSED = "Paused"


class Outputs(ApiModel):
    """What an application needs to know of a region. A value once known stays."""

    vpc_id: Text | None = Field(None, description="Id of the VPC.")
    bucket_name: Text | None = Field(None, description="Name of the data bucket.")
    lambda_arn: Text | None = Field(None, description="ARN of the processor's alias.")
    cluster_endpoint: Text | None = Field(None, description="Endpoint of the database (a secondary's: its reader's).")
    reader_endpoint: Text | None = Field(None, description="Endpoint of the database's readers.")
    database_secret_name: Text | None = Field(
        None, description="Secret in this namespace with the administrator's name and password (a global database's)."
    )
    database_secret_arn: Text | None = Field(
        None, description="ARN of the Secrets Manager secret with them (a regional database's)."
    )
    table_name: Text | None = Field(None, description="Name of the sessions table.")
    api_endpoint: Text | None = Field(None, description="Address of the HTTP API.")
    key_id: Text | None = Field(None, description="Id of the KMS key.")
    key_arn: Text | None = Field(None, description="ARN of the KMS key.")


class ResourceCounts(ApiModel):
    """How many resources a part or region has."""

    desired: int = Field(0, description="Resources that are wanted, the ones still withheld included.")
    withheld: int = Field(0, description="Those of them that wait until something is known.")
    created: int = Field(0, description="Those that exist in the cluster.")
    ready: int = Field(0, description="Those that AWS has made and that are of use.")
    paused: int | None = Field(
        None, description="Those that are paused: nothing of them is changed in AWS. Unset: none is."
    )


def total(counts: Iterable[ResourceCounts]) -> ResourceCounts:
    """Returns the sum of `counts`, field by field."""
    listed, names = list(counts), ResourceCounts.model_fields
    sums = {name: sum(getattr(count, name) or 0 for count in listed) for name in names}
    return ResourceCounts.parse({**sums, "paused": sums["paused"] or None})


class WaitingResource(ApiModel):
    """A resource that is withheld until something is known."""

    key: Annotated[str, StringConstraints(max_length=63)] = Field(description="Key of the resource.")
    source: Text = Field(description="What it waits for.")


class ComplianceFinding(ApiModel):
    """A control of encryption or exposure that a composed resource breaks."""

    resource: Annotated[str, StringConstraints(max_length=127)] = Field(
        description="Key of the resource, with its part in front where a region tells of it."
    )
    code: Annotated[str, StringConstraints(max_length=63)] = Field(
        description="The control, as docs/reference/policy.md lists it."
    )
    message: Annotated[str, StringConstraints(max_length=512)] = Field(description="What is wrong.")


#: Findings that a status has room for; the condition `Compliant` says how many there are.
_COMPLIANCE_IS = "Controls of encryption and exposure that are broken; none where `Compliant` is True."


#: Fields that a status has room for.
MAX_DRIFTED = 50


class DriftedField(ApiModel):
    """A field that AWS has, or had, otherwise than is wanted, though it was once as it is wanted."""

    resource: Annotated[str, StringConstraints(max_length=127)] = Field(
        description="Key of the resource, with its part in front where a region tells of it."
    )
    field: Annotated[str, StringConstraints(max_length=512)] = Field(description="Path of the field.")
    wanted: Annotated[str, StringConstraints(max_length=512)] = Field(description="What is wanted.")
    real: Annotated[str, StringConstraints(max_length=512)] = Field(description="What AWS has, or had.")


class DriftStatus(ApiModel):
    """What was changed behind our back, and what is known of it."""

    fields: list[DriftedField] = Field(
        [],
        max_length=MAX_DRIFTED,
        description="Fields that AWS has otherwise than is wanted.",
        json_schema_extra=list_map("resource", "field"),
    )
    repaired: list[DriftedField] = Field(
        [],
        max_length=MAX_DRIFTED,
        description="Fields of the last drift that are as wanted again.",
        json_schema_extra=list_map("resource", "field"),
    )
    pending: list[Annotated[str, StringConstraints(max_length=127)]] = Field(
        [],
        max_length=MAX_DRIFTED,
        description="Resources that AWS was not yet seen to have as they are wanted; of these nothing is judged.",
        json_schema_extra=LIST_SET,
    )
    settled: dict[str, Annotated[str, StringConstraints(max_length=16)]] = Field(
        {}, max_length=200, description="Resource -> digest of what is wanted of it, and what it is judged by."
    )
    reporting: bool = Field(default=False, description="Whether nothing is repaired any more (`spec.drift: Report`).")

    def said(self) -> Json:
        """Returns the status field `drift`; nothing where there is nothing to say."""
        known = {name: value for name, value in self.manifest().items() if value}
        return {"drift": DriftStatus.parse(known)} if known else {}


class PartStatusEntry(ApiModel):
    """A part of a region, in one line."""

    name: Annotated[str, StringConstraints(max_length=63)] = Field(description="The part: network, database, …")
    ready: bool = Field(description="Whether it is ready.")
    resources: ResourceCounts = Field(ResourceCounts(), description="Its resources.")
    message: Message | None = Field(None, description="What it waits for, or keeps of a region that has gone.")


class SessionsReplica(ApiModel):
    """A replica of the sessions table, as AWS lists it."""

    region: RegionName = Field(description="Its region.")
    arn: Arn = Field(description="Its ARN.")


class RegionFacts(ApiModel):
    """What the other regions need to know of this one. The operator carries it into their `spec.facts`."""

    global_cluster: GlobalClusterFact | None = Field(None, description="The global database, once its writer is up.")
    sessions_replicas: list[SessionsReplica] | None = Field(
        None,
        max_length=9,
        description="Replicas of the sessions table; an empty list: AWS has none.",
        json_schema_extra=list_map("region"),
    )


class PartStatus(ApiModel):
    """The status of a part, beside its conditions."""

    resources: ResourceCounts | None = Field(None, description="Resources of this part.")
    waiting: list[WaitingResource] = Field(
        [], max_length=100, description="Withheld resources.", json_schema_extra=list_map("key")
    )
    compliance: list[ComplianceFinding] = Field(
        [], max_length=50, description=_COMPLIANCE_IS, json_schema_extra=list_map("resource", "code")
    )
    drift: DriftStatus | None = Field(None, description="What was changed in AWS behind our back.")
    outputs: Outputs | None = Field(None, description="What this part gives to others.")
    facts: RegionFacts | None = Field(None, description="What other regions need to know.")


class RegionalTapStatus(ApiModel):
    """The status of a region, beside its conditions."""

    resources: ResourceCounts | None = Field(None, description="Resources of the region, parts included.")
    waiting: list[WaitingResource] = Field(
        [], max_length=100, description="Withheld resources.", json_schema_extra=list_map("key")
    )
    parts: list[PartStatusEntry] = Field(
        [], max_length=16, description="Its parts.", json_schema_extra=list_map("name")
    )
    compliance: list[ComplianceFinding] = Field(
        [], max_length=50, description=_COMPLIANCE_IS, json_schema_extra=list_map("resource", "code")
    )
    drift: DriftStatus | None = Field(None, description="What was changed in AWS behind our back.")
    outputs: Outputs | None = Field(None, description="What applications need to know.")
    facts: RegionFacts | None = Field(None, description="What other regions need to know.")


class Condition(ApiModel):
    """A condition, as Kubernetes has them."""

    type: Annotated[str, StringConstraints(max_length=316)] = Field(description="The condition.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: Annotated[str, StringConstraints(max_length=1024)] = Field(description="Why, in one word.")
    message: Message = Field("", description="Why, for a person, and what to do.")
    last_transition_time: Annotated[str, StringConstraints(max_length=64)] = Field(description="Since when.")
    observed_generation: int = Field(0, description="Generation of the spec that this speaks of.")


class RegionStatus(ApiModel):
    """A region of an environment, in one line."""

    name: RegionName = Field(description="The AWS region.")
    role: Role = Field(description="Primary or Secondary.")
    state: RegionState = Field(RegionState.PRESENT, description="What is wanted of it: Present, Paused or Absent.")
    ready: bool = Field(description="Whether all of it is ready.")
    resources: ResourceCounts = Field(ResourceCounts(), description="Its resources.")
    message: Message | None = Field(None, description="What it waits for, or what AWS says.")
    drifted_fields: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Fields that AWS has otherwise than is wanted; left out where there are none."
    )
    outputs: Outputs | None = Field(None, description="What applications need to know.")


class Expiration(ApiModel):
    """When an environment ends."""

    ttl: Annotated[str, StringConstraints(max_length=16)] = Field(description="The life that this was counted from.")
    at: Annotated[str, StringConstraints(max_length=32)] = Field(description="When it is deleted (RFC 3339).")


class EnvironmentTapStatus(ApiModel):
    """The status of an environment."""

    observed_generation: int = Field(0, description="Generation of the spec that this speaks of.")
    ready_regions: Annotated[str, StringConstraints(max_length=8)] = Field("", description="Ready regions of all, 2/3.")
    resources: ResourceCounts = Field(ResourceCounts(), description="Resources of all regions.")
    expiration: Expiration | None = Field(None, description="When it ends by itself; left out where it does not.")
    conditions: list[Condition] = Field(
        [], max_length=16, description="Ready, Synced, …", json_schema_extra=list_map("type")
    )
    regions: list[RegionStatus] = Field(
        [], max_length=16, description="The regions.", json_schema_extra=list_map("name")
    )
