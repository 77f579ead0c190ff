"""The one table of rules. `docs/reference/policy.md` is made from it; a code is never used again for something else."""

from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP
from tap_api.policy import changes, database, life, organisation_rules, places, services, states, tags
from tap_api.policy.rule import Rule
from tap_api.policy.violation import Severity

RULES: tuple[Rule, ...] = (
    Rule(
        "Schema",
        lambda _: (),  # pydantic judges the shape, before any other rule is asked (judgement.judge).
        purpose="Every field is one of its kind, of its type and within its bounds.",
        remedy="Mend the field as the message says; `kubectl explain environmenttap.spec` lists the fields.",
        example="network: {zones: 4}",
        schema=(ENVIRONMENT_TAP.kind, REGIONAL_TAP.kind),
    ),
    Rule(
        "Name",
        places.name,
        purpose="The name goes into the names of AWS resources, buckets among them.",
        remedy="Use lower-case letters, digits and hyphens, a letter first, and not a beginning that S3 keeps.",
        schema=(REGIONAL_TAP.kind,),
    ),
    Rule(
        "RegionUnknown",
        places.unknown_region,
        purpose="Zones, and with them subnets, are laid out from a table of regions.",
        remedy="Use a region of the table; the message names the nearest.",
        example="regions: [{name: mars-north-1, cidr: 10.0.0.0/16}]",
        schema=(REGIONAL_TAP.kind,),
    ),
    Rule(
        "RegionDuplicate",
        places.duplicate_region,
        purpose="An environment has one stack a region.",
        remedy="List each region once.",
        kinds=(ENVIRONMENT_TAP.kind,),
    ),
    Rule(
        "PrimaryRegion",
        places.primary_region,
        purpose="The primary region owns the global database and the table: it has to be one that is built.",
        remedy="Name one of `spec.regions`.",
        kinds=(ENVIRONMENT_TAP.kind,),
    ),
    Rule(
        "PrimaryState",
        states.primary,
        purpose="The primary region owns the global database and the table: paused, it can neither take a replica in "
        "nor let one go, and without it the replicas are lost.",
        remedy="Pause the other regions, or set them to Absent first; the primary region last.",
        kinds=(ENVIRONMENT_TAP.kind,),
        schema=(ENVIRONMENT_TAP.kind,),
        example="regions: [{name: us-east-1, cidr: 10.0.0.0/16, state: Paused}, {name: us-east-2, cidr: 10.1.0.0/16}]",
    ),
    Rule(
        "RegionState",
        states.alone,
        purpose="A RegionalTap that stands alone is there or is deleted; what is protected is deleted once that is "
        "confirmed.",
        remedy="Use Present or Paused; delete the RegionalTap to remove it.",
        kinds=(REGIONAL_TAP.kind,),
        schema=(REGIONAL_TAP.kind,),
        example="state: Absent",
    ),
    Rule(
        "Cidr",
        places.cidr,
        purpose="AWS takes a VPC of /16 to /28 without host bits; three tiers over three zones need /23 or more, and "
        "only private ranges can be routed between VPCs.",
        remedy="Write a private IPv4 range in its one spelling, /16 to /23, such as `10.0.0.0/16`.",
        example="regions: [{name: us-east-1, cidr: 10.0.0.1/16}]",
        schema=(REGIONAL_TAP.kind,),
    ),
    Rule(
        "CidrOverlap",
        places.cidr_overlap,
        purpose="Two VPCs whose ranges overlap can never be peered.",
        remedy="Give each region a range of its own.",
        kinds=(ENVIRONMENT_TAP.kind,),
        example="regions: [{name: us-east-1, cidr: 10.0.0.0/16}, {name: us-east-2, cidr: 10.0.128.0/17}]",
    ),
    Rule(
        "CidrTaken",
        lambda _: (),  # Who holds a range is in the cluster's CidrBlocks: admission looks there, no file can.
        purpose="Regions of one peering group never overlap. Admission names the holder early; what decides is the "
        "CidrBlock, which the operator writes, and the condition CidrReserved tells of it.",
        remedy="Take a free range (`kubectl get cidrblocks`), or another `spec.peeringGroup` if the two are never "
        "to be connected.",
        changes=True,
    ),
    Rule(
        "Locked",
        lambda _: (),  # Who holds a lock is in the cluster's Leases: admission looks there (tap_api.locks).
        purpose="While somebody holds the lock of an environment (`tap lock`), its spec changes by them alone. "
        "Reconciling goes on.",
        remedy="Wait for the holder, whom the message names; a lock that was left behind is broken on record with "
        "`tap unlock NAME --break --why TEXT`.",
        kinds=(ENVIRONMENT_TAP.kind,),
        changes=True,
    ),
    Rule(
        "TagMissing",
        tags.missing,
        purpose="Every AWS resource is to be accounted for.",
        remedy="Add the tag to `spec.tags`.",
        example="tags: {}",
        schema=(REGIONAL_TAP.kind,),
    ),
    Rule(
        "TagReserved",
        tags.reserved,
        purpose="`Environment`, `Region` and `Name` are set from the spec and cannot contradict it; `aws:` and "
        "`crossplane-` belong to AWS and to Crossplane.",
        remedy="Remove the tag, or rename it.",
        example="tags: {CostCenter: platform-4200, Environment: dev}",
        schema=(REGIONAL_TAP.kind,),
    ),
    Rule(
        "TagText",
        tags.text,
        purpose="AWS refuses a tag of other characters or of another length, resource by resource and late.",
        remedy="Use 1 to 128 characters for a key and up to 256 for a value: letters, digits, spaces and "
        "`_ . : / = + - @`.",
        example="tags: {CostCenter: platform-4200, 'a*b': c}",
        schema=(REGIONAL_TAP.kind,),
    ),
    Rule(
        "TagCase",
        tags.case,
        purpose="IAM takes two keys that differ in case alone for one, and refuses the role.",
        remedy="Remove one of the two.",
        example="tags: {CostCenter: platform-4200, costcenter: other}",
    ),
    Rule(
        "TtlProtected",
        life.protected,
        purpose="What is protected is deleted by whoever confirms it, never by the clock.",
        remedy="Remove `spec.ttl`; or set `protection: false`, and the data goes with the environment.",
        example="{protection: true, ttl: 72h}",
        kinds=(ENVIRONMENT_TAP.kind,),
    ),
    Rule(
        "Capacity",
        database.capacity,
        purpose="Aurora refuses a capacity that its version, or a global database, cannot have.",
        remedy="Set `minCapacity`, `maxCapacity` and `engineVersion` so that they fit one another.",
        example="database: {minCapacity: 100, maxCapacity: 8}",
        schema=(REGIONAL_TAP.kind,),
    ),
    Rule(
        "Windows",
        database.windows,
        purpose="RDS refuses windows that are shorter than half an hour or that overlap.",
        remedy="Make the window longer, or move it.",
        example="database: {backupWindow: '03:00-03:29'}",
    ),
    Rule(
        "Reserved",
        database.reserved_name,
        purpose="The engine keeps some names of databases and of users for itself.",
        remedy="Use another name.",
        example="database: {masterUsername: rdsadmin}",
        schema=(REGIONAL_TAP.kind,),
    ),
    Rule(
        "LogExports",
        database.log_exports,
        purpose="A log is exported once.",
        remedy="List each log once.",
        example="database: {logExports: [audit, audit]}",
    ),
    Rule(
        "EngineVersion",
        database.engine_version,
        purpose="AWS cannot take a cluster back to an older version; the provider ignores the wish in silence.",
        remedy="Keep the version, or restore a backup into a new environment.",
        changes=True,
    ),
    Rule(
        "StorageClasses",
        services.storage_classes,
        purpose="S3 wants thirty days between the two transitions of an object.",
        remedy="Raise `glacierDays`, or lower `infrequentAccessDays`.",
        example="storage: {infrequentAccessDays: 80, glacierDays: 90}",
        schema=(REGIONAL_TAP.kind,),
    ),
    Rule(
        "Jwt",
        services.jwt,
        purpose="An API that asks for tokens has to know whose.",
        remedy="Set `spec.api.jwt` with `authorization: JWT`, and only then.",
        example="api: {authorization: JWT}",
        schema=(REGIONAL_TAP.kind,),
    ),
    Rule(
        "TrustedPrincipals",
        services.trusted_principals,
        purpose="The principals go into an event pattern, which holds 4,096 characters.",
        remedy="List fewer, with `*` for what their ARNs differ in.",
        schema=(REGIONAL_TAP.kind,),
    ),
    Rule(
        "Immutable",
        changes.immutable,
        purpose="AWS would have to replace the resource, and what it holds would be lost.",
        remedy="Take the change back, or put it into a new environment.",
        changes=True,
        schema=(ENVIRONMENT_TAP.kind, REGIONAL_TAP.kind),
    ),
    Rule(
        "OnlyReported",
        changes.only_reported,
        purpose="With `drift: Report` nothing that is there is changed in AWS: the primary's replicas would not follow "
        "a region that comes or goes (`state: Absent` too), and a data store would keep its protection.",
        remedy="Set `drift: Repair` in a change of its own, wait until Drifted is False, and then change this; set "
        "`drift: Report` again once Drifted is False.",
        changes=True,
    ),
    Rule(
        "OrganisationTag",
        organisation_rules.missing,
        purpose="Your organisation accounts for its resources by more tags than the platform does (`requiredTags`).",
        remedy="Add the tag to `spec.tags`.",
        organisational=True,
    ),
    Rule(
        "OrganisationTagCut",
        organisation_rules.cut,
        purpose="The processor's code lies in S3, whose objects take ten tags, three of them the provider's: of more, "
        "those with the last names are left off, and none of them may be one of `requiredTags`.",
        remedy="Remove as many of the tags that the message names as it says; or give the processor code of your own "
        "(`spec.processor.code`).",
        organisational=True,
    ),
    Rule(
        "OrganisationTagValue",
        organisation_rules.value,
        purpose="A tag whose values are free is of no use to who sorts by it (`allowedTagValues`).",
        remedy="Use a value that the pattern in the message matches as a whole.",
        organisational=True,
    ),
    Rule(
        "OrganisationRange",
        organisation_rules.reserved,
        purpose="A range that is routed elsewhere (`reservedRanges`: on premises, or `172.17.0.0/16`, Docker's bridge) "
        "cannot be reached from the VPC.",
        remedy="Take another range.",
        organisational=True,
        example="regions: [{name: us-east-1, cidr: 172.17.0.0/16}]",
    ),
    Rule(
        "OrganisationRegion",
        organisation_rules.region,
        purpose="Data may have to stay in some regions (`allowedRegions`).",
        remedy="Use a region that the message names.",
        organisational=True,
    ),
    Rule(
        "OpenApi",
        services.open_api,
        purpose="Without authorization anybody on the internet can call the API.",
        remedy="Use `AWS_IAM` or `JWT`.",
        severity=Severity.WARNING,
        example="api: {authorization: None}",
    ),
    Rule(
        "GlobalCapacity",
        database.global_capacity,
        purpose="Replicas of a global database fall behind where the floor is low.",
        remedy="Set `minCapacity` to 8 or more.",
        severity=Severity.WARNING,
        example="database: {global: true, minCapacity: 4}",
    ),
)
