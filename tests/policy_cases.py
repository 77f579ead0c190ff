"""One table of good and bad manifests. Every door that judges a case has to give the same paths and codes.

tests/unit/api asks tap_api.policy, tests/unit/operator admission, tests/unit/function the function, tests/unit/cli
`tap validate`, and tests/cluster a real apiserver with and without the webhook.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tap_api.base import API_VERSION
from tap_api.policy import Organisation

Found = list[tuple[str, str]]

GOOD: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "EnvironmentTap",
    "metadata": {"name": "prod", "namespace": "tap-prod"},
    "spec": {
        "environment": "prod",
        "primaryRegion": "us-east-1",
        "tags": {"CostCenter": "platform-4200"},
        "regions": [{"name": "us-east-1", "cidr": "10.0.0.0/16"}, {"name": "us-east-2", "cidr": "10.1.0.0/16"}],
    },
}
ALONE: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "RegionalTap",
    "metadata": {"name": "alone", "namespace": "tap-dev"},
    "spec": {
        "environment": "dev",
        "region": "eu-west-1",
        "cidr": "10.9.0.0/16",
        "tags": {"CostCenter": "platform-4200"},
    },
}
COST = {"CostCenter": "x"}


@dataclass(frozen=True)
class Case:
    """A manifest, and what each door has to say of it.

    Attributes:
        name: What it shows.
        manifest: The object.
        errors: Paths and codes of what it is refused for, sorted.
        warnings: Of what it is warned of.
        schema: Of what the apiserver says with every process of ours down. It speaks first: where this is not empty
            the webhook is not asked.
        old: The object that it replaces.
        organisation: What the organisation asks for; None: what it asks for where nobody says.
    """

    name: str
    manifest: dict[str, Any]
    errors: Found
    warnings: Found
    schema: Found
    old: dict[str, Any] | None = None
    organisation: Organisation | None = None

    @property
    def kind(self) -> str:
        return str(self.manifest["kind"])


def edited(base: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Returns `base` with fields set: `spec__tags={…}` sets spec.tags; None removes."""
    made = deepcopy(dict(base))
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = made
        for step in parents:
            place = place[step]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return made


def regions(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "cidr": cidr} for name, cidr in pairs]


def trusted(count: int) -> list[str]:
    """Returns `count` principals of 200 characters each."""
    return [f"arn:aws:iam::1:role/{i}".ljust(200, "x") for i in range(count)]


def case(name: str, base: Mapping[str, Any], errors: Found, changes: Mapping[str, Any], **more: Any) -> Case:
    schema = more.get("schema", [])
    return Case(
        name=f"{base['kind']}: {name}",
        manifest=edited(base, **changes),
        errors=sorted(errors),
        warnings=more.get("warnings", []),
        schema=errors if schema == "same" else schema,
        old=more.get("old"),
        organisation=more.get("organisation"),
    )


def _env(name: str, errors: Found, schema: Any = (), **changes: Any) -> Case:
    # A fault of shape is the apiserver's to find, whoever else finds it too.
    shape = bool(errors) and all(code == "Schema" for _, code in errors)
    return case(name, GOOD, errors, changes, schema="same" if shape and schema == () else list(schema))


def _alone(name: str, errors: Found, schema: Any = "same", **changes: Any) -> Case:
    return case(name, ALONE, errors, changes, schema=schema if isinstance(schema, str) else list(schema))


def _database(errors: Found, schema: Any = (), **fields: Any) -> Case:
    return _env(f"database {fields}", [(f"spec.database.{f}", c) for f, c in errors], schema, spec__database=fields)


def _alone_database(errors: Found, schema: Any = "same", **fields: Any) -> Case:
    return _alone(f"database {fields}", [(f"spec.database.{f}", c) for f, c in errors], schema, spec__database=fields)


ONE = {"name": "us-east-1", "cidr": "10.0.0.0/16"}
TWO = {"name": "us-east-2", "cidr": "10.1.0.0/16"}
ENVIRONMENTS = [
    _env("good", []),
    _env("a capital in the name", [("metadata.name", "Name")], metadata__name="1st"),
    _env("a long name", [("metadata.name", "Name")], metadata__name="a" * 25),
    _env(
        "a primary region that is not built", [("spec.primaryRegion", "PrimaryRegion")], spec__primaryRegion="eu-west-1"
    ),
    _env(
        "an unknown region",
        [("spec.regions[1].name", "RegionUnknown")],
        spec__regions=[ONE, {"name": "us-east-9", "cidr": "10.1.0.0/16"}],
    ),
    _env(
        "a region listed twice",
        [("spec.regions[1].name", "RegionDuplicate")],
        # A list that is a map by its key: the apiserver's own word for it.
        schema=[("spec.regions[1]", "Schema")],
        spec__regions=[ONE, {"name": "us-east-1", "cidr": "10.1.0.0/16"}],
    ),
    _env(
        "ranges that overlap",
        [("spec.regions[1].cidr", "CidrOverlap")],
        spec__regions=[ONE, {"name": "us-east-2", "cidr": "10.0.16.0/20"}],
    ),
    _env(
        "host bits",
        [("spec.regions[0].cidr", "Cidr")],
        spec__regions=regions(("us-east-1", "10.0.0.1/16"), ("us-east-2", "10.0.16.0/20")),
    ),
    _env("no tag", [("spec.tags.CostCenter", "TagMissing")], spec__tags={}),
    _env("an empty tag", [("spec.tags.CostCenter", "TagMissing")], spec__tags={"CostCenter": " "}),
    _env(
        "tags of others",
        [
            ("spec.tags.Environment", "TagReserved"),
            ("spec.tags['aws:x']", "TagReserved"),
            ("spec.tags['AWS:x']", "TagReserved"),
        ],
        spec__tags={**COST, "Environment": "dev", "aws:x": "y", "AWS:x": "y"},
    ),
    _env(
        "a tag of ours in lower case",
        [("spec.tags.environment", "TagReserved")],
        spec__tags={**COST, "environment": "x"},
    ),
    _env("tags that differ in case", [("spec.tags.costcenter", "TagCase")], spec__tags={**COST, "costcenter": "y"}),
    _env("a star in a key", [("spec.tags['a*b']", "TagText")], spec__tags={**COST, "a*b": "y"}),
    _env("a long value", [("spec.tags.a", "Schema")], spec__tags={**COST, "a": "y" * 257}),
    _env("a life", [], spec__protection=False, spec__ttl="72h"),
    _env("a life with protection", [("spec.ttl", "TtlProtected")], spec__protection=True, spec__ttl="72h"),
    _env("a life without end", [("spec.ttl", "Schema")], spec__protection=False, spec__ttl="100000d"),
    _env("drift that is only reported", [], spec__drift="Report"),
    _env("unprotected", [], spec__protection=False),
    _env("its own peering group", [], spec__peeringGroup="prod"),
    _env("a paused region", [], spec__regions=[ONE, {**TWO, "state": "Paused"}]),
    _env("an absent region", [], spec__regions=[ONE, {**TWO, "state": "Absent"}]),
    _env("the only region, paused", [], spec__regions=[{**ONE, "state": "Paused"}]),
    _env("all regions absent", [], spec__regions=[{**ONE, "state": "Absent"}, {**TWO, "state": "Absent"}]),
    _env(
        "a state that is not one", [("spec.regions[1].state", "Schema")], spec__regions=[ONE, {**TWO, "state": "Off"}]
    ),
    _env(
        "a primary region paused before its replicas",
        [("spec.regions[0].state", "PrimaryState")],
        spec__regions=[{**ONE, "state": "Paused"}, TWO],
    ),
    _env(
        "a primary region absent before its replicas",
        [("spec.regions[0].state", "PrimaryState")],
        spec__regions=[{**ONE, "state": "Absent"}, {**TWO, "state": "Paused"}],
    ),
    _database([("minCapacity", "Capacity")], minCapacity=100),
    _database([("minCapacity", "Capacity")], minCapacity=0),
    _database([], **{"minCapacity": 0, "global": False}),
    _database([("minCapacity", "Schema")], minCapacity=0.3),
    _database(
        [("engineVersion", "Capacity")],
        **{"global": False, "minCapacity": 0, "engineVersion": "8.0.mysql_aurora.3.07.1"},
    ),
    _database([("engineVersion", "Capacity")], maxCapacity=200, engineVersion="8.0.mysql_aurora.3.05.2"),
    _database([("engineVersion", "Capacity")], engineVersion="8.0.mysql_aurora.3.01.0"),
    _database([("backupWindow", "Windows")], backupWindow="04:00-05:00"),
    _database([("backupWindow", "Windows")], backupWindow="03:00-03:29"),
    _database([("maintenanceWindow", "Windows")], maintenanceWindow="sun:04:30-sun:04:45"),
    _database([("backupWindow", "Schema")], backupWindow="24:00-25:00"),
    _database([("maintenanceWindow", "Schema")], maintenanceWindow="sat:23:30-day:00:30"),
    _database([("databaseName", "Reserved")], databaseName="MySQL"),
    _database([("masterUsername", "Reserved")], masterUsername="rdsadmin"),
    _database([("masterUsername", "Schema")], masterUsername="a" * 17),
    _database(
        [("logExports[2]", "LogExports")],
        schema=[("spec.database.logExports[2]", "Schema")],
        logExports=["audit", "error", "audit"],
    ),
    _database([("logExports[0]", "Schema")], logExports=["postgresql"]),
    _database([("backupRetentionDays", "Schema")], backupRetentionDays=36),
    _database([("monitoringSeconds", "Schema")], monitoringSeconds=0),
    _database([("instances", "Schema")], instances=17),
    _env(
        "objects that move twice in a hurry",
        [("spec.storage.glacierDays", "StorageClasses")],
        spec__storage={"infrequentAccessDays": 80},
    ),
    _env("tokens of nobody", [("spec.api.jwt", "Jwt")], spec__api={"authorization": "JWT"}),
    _env(
        "an issuer for nothing",
        [("spec.api.jwt", "Jwt")],
        spec__api={"jwt": {"issuer": "https://a.example", "audience": ["x"]}},
    ),
    _env("a trail that is there", [], spec__monitoring={"trail": "Existing"}),
    _env("a trail of its own", [], spec__monitoring={"trail": "Create"}),
    _env("as many principals as fit", [], spec__monitoring={"trustedPrincipals": trusted(9)}),
    _env(
        "more principals than fit",
        [("spec.monitoring.trustedPrincipals", "TrustedPrincipals")],
        spec__monitoring={"trustedPrincipals": trusted(10)},
    ),
    _env("many days of recovery", [("spec.sessions.recoveryDays", "Schema")], spec__sessions={"recoveryDays": 36}),
    _env(
        "an attribute with a space", [("spec.sessions.ttlAttribute", "Schema")], spec__sessions={"ttlAttribute": "a b"}
    ),
    _env("four zones", [("spec.network.zones", "Schema")], spec__network={"zones": 4}),
    _env("a field that is not one", [("spec.network.zone", "Schema")], spec__network={"zone": 3}),
    _env("no regions", [("spec.regions", "Schema")], spec__regions=None),
    _env("an environment that is not one", [("spec.environment", "Schema")], spec__environment="qa"),
    case(
        "an open API",
        GOOD,
        [],
        {"spec__api": {"authorization": "None"}},
        warnings=[("spec.api.authorization", "OpenApi")],
    ),
    case(
        "a low floor in a global database",
        GOOD,
        [],
        {"spec__database": {"minCapacity": 4}},
        warnings=[("spec.database.minCapacity", "GlobalCapacity")],
    ),
    _env(
        "everything at once",
        [
            ("spec.primaryRegion", "PrimaryRegion"),
            ("spec.regions[1].cidr", "CidrOverlap"),
            ("spec.tags.CostCenter", "TagMissing"),
            ("spec.ttl", "TtlProtected"),
        ],
        spec__tags={},
        spec__ttl="3d",
        spec__primaryRegion="us-west-2",
        spec__regions=[ONE, {"name": "us-east-2", "cidr": "10.0.128.0/17"}],
    ),
]
REGIONS = [
    _alone("good", []),
    _alone("a digit first", [("metadata.name", "Name")], metadata__name="1st"),
    _alone("a name of S3's", [("metadata.name", "Name")], metadata__name="xn--a"),
    # Crossplane bounds the name of an XR itself.
    _alone("a long name", [("metadata.name", "Name")], [("metadata.name", "Schema")], metadata__name="a" * 64),
    _alone("an unknown region", [("spec.region", "RegionUnknown")], spec__region="mars-1"),
    _alone("a small range", [("spec.cidr", "Cidr")], spec__cidr="10.9.0.0/24"),
    _alone("a large range", [("spec.cidr", "Cidr")], spec__cidr="10.0.0.0/8"),
    _alone("host bits", [("spec.cidr", "Cidr")], spec__cidr="10.9.0.1/16"),
    _alone("a public range", [("spec.cidr", "Cidr")], spec__cidr="8.8.0.0/16"),
    _alone("zeros in front", [("spec.cidr", "Cidr")], spec__cidr="010.9.0.0/16"),
    _alone("IPv6", [("spec.cidr", "Cidr")], spec__cidr="fd00:10::/16"),
    _alone("digits of another script", [("spec.cidr", "Cidr")], spec__cidr="١٠.9.0.0/16"),
    _alone("a long range", [("spec.cidr", "Schema")], spec__cidr="10.9.0.0/16" + " " * 10),
    _alone("no tag", [("spec.tags.CostCenter", "TagMissing")], spec__tags={}),
    _alone("no tags at all", [("spec.tags.CostCenter", "TagMissing")], spec__tags=None),
    _alone("an empty tag", [("spec.tags.CostCenter", "TagMissing")], spec__tags={"CostCenter": " "}),
    # CEL cannot point at a key that it does not know: it names the map.
    _alone(
        "a tag of ours",
        [("spec.tags.Environment", "TagReserved")],
        [("spec.tags", "TagReserved")],
        spec__tags={**COST, "Environment": "prod"},
    ),
    _alone(
        "a tag of AWS's",
        [("spec.tags['aws:x']", "TagReserved")],
        [("spec.tags", "TagReserved")],
        spec__tags={**COST, "aws:x": "y"},
    ),
    _alone(
        "a tag of AWS's in odd letters", [("spec.tags['aWs:x']", "TagReserved")], [], spec__tags={**COST, "aWs:x": "y"}
    ),
    _alone(
        "a star in a value", [("spec.tags.a", "TagText")], [("spec.tags", "TagText")], spec__tags={**COST, "a": "*"}
    ),
    _alone("a star in a key", [("spec.tags['a*']", "TagText")], [], spec__tags={**COST, "a*": "y"}),
    _alone(
        "a long key",
        [(f"spec.tags['{'k' * 76}...]", "TagText")],
        [("spec.tags", "TagText")],
        spec__tags={**COST, "k" * 129: "y"},
    ),
    _alone("letters of other scripts in tags", [], spec__tags={**COST, "Владелец": "équipe 設計"}),
    _alone(
        "tags that differ in case", [("spec.tags.costcenter", "TagCase")], [], spec__tags={**COST, "costcenter": "y"}
    ),
    _alone("too many tags", [("spec.tags", "Schema")], spec__tags={**COST, **{f"t{i}": "x" for i in range(44)}}),
    _alone("paused", [], spec__state="Paused"),
    _alone("absent", [("spec.state", "RegionState")], spec__state="Absent"),
    _alone("a state that is not one", [("spec.state", "Schema")], spec__state="Off"),
    _alone("drift that is only reported", [], spec__drift="Report"),
    _alone("drift that is hidden", [("spec.drift", "Schema")], spec__drift="Hide"),
    _alone_database([("minCapacity", "Capacity")], minCapacity=100),
    _alone_database([("minCapacity", "Capacity")], **{"minCapacity": 0, "global": True}),
    _alone_database([("engineVersion", "Capacity")], [], engineVersion="8.0.mysql_aurora.3.01.0"),
    _alone_database([("backupWindow", "Windows")], [], backupWindow="04:30-05:00"),
    _alone_database([("databaseName", "Reserved")], databaseName="MySQL"),
    _alone_database([("masterUsername", "Reserved")], masterUsername="rdsadmin"),
    _alone(
        "objects in a hurry",
        [("spec.storage.glacierDays", "StorageClasses")],
        spec__storage={"glacierDays": 60, "infrequentAccessDays": 40},
    ),
    _alone("tokens of nobody", [("spec.api.jwt", "Jwt")], spec__api={"authorization": "JWT"}),
    _alone(
        "more principals than fit",
        [("spec.monitoring.trustedPrincipals", "TrustedPrincipals")],
        spec__monitoring={"trustedPrincipals": trusted(10)},
    ),
    _alone("four zones", [("spec.network.zones", "Schema")], spec__network={"zones": 4}),
    _alone("a field that is not one", [("spec.colour", "Schema")], spec__colour="red"),
    case(
        "an open API",
        ALONE,
        [],
        {"spec__api": {"authorization": "None"}},
        warnings=[("spec.api.authorization", "OpenApi")],
    ),
]


HOUSE = Organisation.parse(
    {
        "requiredTags": ["Owner"],
        "allowedTagValues": {"CostCenter": "[a-z]+-[0-9]{4}", "Owner": "team-.+"},
        "reservedRanges": [{"cidr": "10.128.0.0/9", "reason": "the offices"}],
        "allowedRegions": ["eu-west-1", "us-east-1"],
    }
)
OWNED = {"CostCenter": "platform-4200", "Owner": "team-a"}


CUT = ("spec.tags.Owner", "OrganisationTagCut")
OWN_CODE = {
    "bucket": "my-artifacts",
    "key": "a.zip",
    "sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    "handler": "app.handler",
}


def _beside(*tags: str) -> dict[str, str]:
    """Returns the tags of a house, and some more."""
    return {**OWNED, **dict.fromkeys(tags, "x")}


def _house(name: str, base: dict[str, Any], errors: Found, **changes: Any) -> Case:
    owned = {"spec__tags": OWNED, **changes}
    if base is GOOD and "spec__regions" not in owned:
        owned["spec__regions"] = [ONE]
    return case(f"house: {name}", base, errors, owned, organisation=HOUSE)


ORGANISATION = [
    _house("good", GOOD, []),
    _house("good", ALONE, []),
    _house("no owner", GOOD, [("spec.tags.Owner", "OrganisationTag")], spec__tags={"CostCenter": "platform-4200"}),
    _house("no owner", ALONE, [("spec.tags.Owner", "OrganisationTag")], spec__tags={"CostCenter": "platform-4200"}),
    _house("as many tags as an object takes", GOOD, [], spec__tags=_beside("App", "Business", "Contact")),
    _house("more tags, and the owner's is cut", GOOD, [CUT], spec__tags=_beside("App", "Business", "Contact", "Data")),
    _house("more tags, and the owner's is cut", ALONE, [CUT], spec__tags=_beside("App", "Business", "Contact", "Data")),
    _house("more tags, and another one is cut", GOOD, [], spec__tags=_beside("App", "Business", "Contact", "Zone")),
    _house(
        "more tags, and no object of ours",
        ALONE,
        [],
        spec__tags=_beside("App", "Business", "Contact", "Data"),
        spec__processor={"code": OWN_CODE},
    ),
    _house(
        "a value that is not whole",
        GOOD,
        [("spec.tags.CostCenter", "OrganisationTagValue")],
        spec__tags={**OWNED, "CostCenter": "platform-42000"},
    ),
    _house(
        "a value that is not allowed",
        ALONE,
        [("spec.tags.Owner", "OrganisationTagValue")],
        spec__tags={**OWNED, "Owner": "me"},
    ),
    _house(
        "an address of the offices",
        GOOD,
        [("spec.regions[0].cidr", "OrganisationRange")],
        spec__regions=regions(("us-east-1", "10.200.0.0/16")),
    ),
    _house("an address of the offices", ALONE, [("spec.cidr", "OrganisationRange")], spec__cidr="10.128.0.0/20"),
    _house(
        "a region that is not used",
        GOOD,
        [("spec.regions[1].name", "OrganisationRegion")],
        spec__regions=regions(("us-east-1", "10.0.0.0/16"), ("us-east-2", "10.1.0.0/16")),
    ),
    _house("a region that is not used", ALONE, [("spec.region", "OrganisationRegion")], spec__region="eu-north-1"),
    # What holds where nobody says.
    case("Docker's bridge", ALONE, [("spec.cidr", "OrganisationRange")], {"spec__cidr": "172.17.0.0/20"}),
    case("beside Docker's bridge", ALONE, [], {"spec__cidr": "172.18.0.0/16"}),
]
