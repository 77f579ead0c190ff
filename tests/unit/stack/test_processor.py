import json
from collections.abc import Callable
from typing import Any

import pytest

from golden.world import ACCOUNT, World, provided
from tap_api.base import Json
from tap_api.policy import Organisation, Violation, judge
from tap_stack.compose import compose
from tap_stack.composed import Composed
from tap_stack.observation import of
from tap_stack.processor import code

MakeTap = Callable[..., Json]
NAME = "prod-us-east-1-processor-234a2353"
FUNCTION_ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{NAME}"
JWT = {"authorization": "JWT", "jwt": {"issuer": "https://id.example.com/", "audience": ["b", "a"]}}
OWN = {"bucket": "mine", "key": "app.zip", "sha256": "A" * 43 + "=", "handler": "app.handler"}
SHIPPED = code.shipped()


class Part:
    """The processor of a RegionalTap once all is known, and what becomes of it."""

    def __init__(self, tap: Json) -> None:
        self.world = World(tap)
        self.xr, self.composed = next(
            turned for turned in self.world.settle() if turned[0]["kind"] == "RegionalProcessor"
        )
        self.objects = self.world.objects[self.xr["metadata"]["name"]]

    def again(self, **spec: Any) -> Composed:
        """Returns what it composes with fields of its spec changed."""
        return compose({**self.xr, "spec": {**self.xr["spec"], **spec}}, of(self.objects))

    def told(self, key: str, **fields: Any) -> None:
        """Lets AWS say something else of a resource."""
        self.objects[key]["status"]["atProvider"].update(fields)


def by_key(composed: Composed) -> dict[str, Json]:
    return {item.key: item.manifest["spec"]["forProvider"] for item in composed.resources}


def processor(tap: Json) -> dict[str, Json]:
    return by_key(Part(tap).composed)


def judged(tap: Json, house: Organisation) -> list[Violation]:
    return judge("RegionalTap", tap, organisation=house)


def refs(*names: str, **more: Any) -> list[Json]:
    return [{"name": f"prod-us-east-1-network-{name}", **more} for name in names]


def test_the_function_is_in_the_private_subnets_and_may_reach_the_database(make_tap: MakeTap) -> None:
    found = processor(make_tap(network={"zones": 2}))["function"]["vpcConfig"]
    assert found == {
        "subnetIdRefs": refs("private-a", "private-b", policy={"resolve": "Always"}),
        "securityGroupIdRefs": refs("security-group-processor", "security-group-database-client"),
    }


def test_the_function_is_encrypted_traced_versioned_and_gives_up_into_the_queue(make_tap: MakeTap) -> None:
    part = Part(make_tap(processor={"memoryMb": 1024, "timeoutSeconds": 7, "architecture": "x86_64"}))
    found = by_key(part.composed)["function"]
    assert {name: found[name] for name in found if name not in ("tags", "vpcConfig", "environment", "region")} == {
        "description": "prod-us-east-1: new objects, and the HTTP API",
        "roleRef": {"name": "prod-us-east-1-processor-role"},
        "runtime": "python3.13",
        "packageType": "Zip",
        "s3Bucket": f"prod-us-east-1-data-{ACCOUNT}-234a2353",
        "s3Key": f"_code/{SHIPPED.digest}.zip",
        "s3ObjectVersion": part.objects[SHIPPED.resource]["status"]["atProvider"]["versionId"],
        "codeSha256": SHIPPED.code_sha256,
        "handler": "processor.main.handle",
        "publish": True,
        "architectures": ["x86_64"],
        "memorySize": 1024,
        "timeout": 7,
        "kmsKeyArn": part.xr["spec"]["keyArn"],
        "replaceSecurityGroupsOnDestroy": True,
        "deadLetterConfig": {"targetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:prod-us-east-1-dead-letters-234a2353"},
        "tracingConfig": {"mode": "Active"},
        "loggingConfig": {
            "logFormat": "JSON",
            "logGroup": f"/aws/lambda/{NAME}",
            "applicationLogLevel": "INFO",
            "systemLogLevel": "INFO",
        },
    }


def test_the_code_is_told_what_there_is_and_of_the_database_once_it_has_an_endpoint(make_tap: MakeTap) -> None:
    part = Part(make_tap(sessions={"ttlAttribute": "ends"}))
    known = {
        "BUCKET_NAME": f"prod-us-east-1-data-{ACCOUNT}-234a2353",
        "TABLE_NAME": "prod-sessions-234a2353",
        "TTL_ATTRIBUTE": "ends",
        "LOG_LEVEL": "INFO",
    }
    endpoint = part.xr["spec"]["clusterEndpoint"]
    cluster = part.world.objects["prod-us-east-1-database"]["cluster"]["status"]["atProvider"]
    assert endpoint == cluster["endpoint"]
    assert by_key(part.composed)["function"]["environment"]["variables"] == {**known, "CLUSTER_ENDPOINT": endpoint}
    assert by_key(part.again(clusterEndpoint=None))["function"]["environment"]["variables"] == known


def test_the_queue_is_encrypted_and_takes_nothing_without_tls(make_tap: MakeTap) -> None:
    part = Part(make_tap())
    found = by_key(part.composed)
    assert found["dead-letters"]["kmsMasterKeyId"] == part.xr["spec"]["keyArn"]
    assert json.loads(found["dead-letters-policy"]["policy"])["Statement"] == [
        {
            "Sid": "OnlyTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": f"arn:aws:sqs:us-east-1:{ACCOUNT}:prod-us-east-1-dead-letters-234a2353",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


def test_the_role_names_everything_that_aws_lets_one_name(make_tap: MakeTap) -> None:
    found = processor(make_tap())
    allowed = [
        (statement["Sid"], statement["Resource"])
        for key in ("role-policy-run", "role-policy-data")
        for statement in json.loads(found[key]["policy"])["Statement"]
        if statement["Effect"] == "Allow"
    ]
    assert [sid for sid, resource in allowed if resource == "*"] == ["Trace", "Interfaces"]
    assert dict(allowed)["KeepItems"] == f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/prod-sessions-234a2353"
    assert dict(allowed)["ReadObjects"] == f"arn:aws:s3:::prod-us-east-1-data-{ACCOUNT}-234a2353/incoming/*"


def test_the_code_cannot_use_the_right_to_make_network_interfaces(make_tap: MakeTap) -> None:
    found = json.loads(processor(make_tap())["role-policy-run"]["policy"])["Statement"]
    by_sid = {statement["Sid"]: statement for statement in found}
    assert by_sid["NotByTheCode"]["Action"] == by_sid["Interfaces"]["Action"]
    assert by_sid["NotByTheCode"]["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": FUNCTION_ARN}}


def test_the_role_has_the_permissions_boundary_that_is_asked_for(make_tap: MakeTap) -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    assert processor(make_tap(permissionsBoundary=boundary))["role"]["permissionsBoundary"] == boundary


def test_the_order_is_role_and_object_then_function_then_alias_then_permission_then_notification(
    make_tap: MakeTap,
) -> None:
    world = World(make_tap())
    first: dict[str, int] = {}
    for wave in range(9):
        for xr, composed in world.turn():
            for item in composed.resources if xr["kind"] == "RegionalProcessor" else ():
                first.setdefault(item.key, wave)
    order = ("role", "role-policy-run", "function", "alias", "permission-bucket", "notification")
    waves = [first[key] for key in order]
    assert waves == sorted(set(waves))
    assert first[SHIPPED.resource] < first["function"]
    assert first["permission-api"] == first["integration"] == first["permission-bucket"]


def test_the_bucket_tells_the_alias_of_what_comes_in_and_of_nothing_else(make_tap: MakeTap) -> None:
    found = processor(make_tap())
    assert found["notification"]["bucketRef"] == {"name": "prod-us-east-1-storage-data-bucket"}
    assert found["notification"]["lambdaFunction"] == [
        {
            "id": "incoming",
            "lambdaFunctionArn": f"{FUNCTION_ARN}:live",
            "events": ["s3:ObjectCreated:*"],
            "filterPrefix": "incoming/",
        }
    ]
    assert found["notification"]["lambdaFunction"][0]["filterPrefix"] != found[SHIPPED.resource]["key"][:9]


def test_only_this_bucket_of_this_account_and_this_api_may_call_the_alias(make_tap: MakeTap) -> None:
    part = Part(make_tap())
    found = by_key(part.composed)
    fields = ("principal", "qualifier", "sourceArn", "sourceAccount", "statementId")
    execution = part.objects["api"]["status"]["atProvider"]["executionArn"]
    assert [[found[key].get(field) for field in fields] for key in ("permission-bucket", "permission-api")] == [
        [
            "s3.amazonaws.com",
            "live",
            f"arn:aws:s3:::prod-us-east-1-data-{ACCOUNT}-234a2353",
            ACCOUNT,
            "permission-bucket",
        ],
        ["apigateway.amazonaws.com", "live", f"{execution}/*/*", None, "permission-api"],
    ]


def test_events_are_tried_as_often_as_asked_by_way_of_the_alias(make_tap: MakeTap) -> None:
    found = processor(make_tap(processor={"retryAttempts": 0}))["event-invoke-config"]
    assert (found["functionName"], found["qualifier"], found["maximumRetryAttempts"]) == (NAME, "live", 0)


def test_trap_10_the_object_has_an_acl_that_a_bucket_without_acls_takes(make_tap: MakeTap) -> None:
    """provider-upjet-aws sets `private` where none is set: AWS answers AccessControlListNotSupported (05, item 10)."""
    assert processor(make_tap())[SHIPPED.resource]["acl"] == "bucket-owner-full-control"


def test_trap_1_1_keys_are_named_by_arn_where_a_reference_would_give_the_id(make_tap: MakeTap) -> None:
    part = Part(make_tap())
    found, arn = by_key(part.composed), part.xr["spec"]["keyArn"]
    assert [found[SHIPPED.resource]["kmsKeyId"], found["function"]["kmsKeyArn"]] == [arn, arn]
    assert not [name for resource in found.values() for name in resource if name.startswith("kms") and "Ref" in name]


def test_an_object_carries_no_more_tags_than_s3_takes_and_the_required_ones_always(make_tap: MakeTap) -> None:
    """Ten tags at most, three of them the provider's (05, section 1)."""
    tags = {"CostCenter": "1", **{f"A{number:02}": "x" for number in range(20)}}
    found = processor(make_tap(tags=tags))
    assert sorted(found[SHIPPED.resource]["tags"]) == [
        "A00",
        "A01",
        "A02",
        "A03",
        "CostCenter",
        "Environment",
        "Region",
    ]
    assert len(found["function"]["tags"]) == 23


@pytest.mark.parametrize("others", ["A", "M", "X"])
@pytest.mark.parametrize("count", range(6))
def test_policy_refuses_a_claim_whose_object_lacks_a_tag_that_the_organisation_requires(
    make_tap: MakeTap, others: str, count: int
) -> None:
    tags = {"CostCenter": "1", "B": "1", "Owner": "1", "Zone": "1", **{f"{others}{n}": "1" for n in range(count)}}
    tap = make_tap(tags=tags)
    house = Organisation.parse({"requiredTags": ["B", "Owner", "Zone"]})
    carried = processor(tap)[SHIPPED.resource]["tags"]
    refused = [violation.path for violation in judged(tap, house)]
    assert refused == [f"spec.tags.{key}" for key in house.required_tags if key not in carried]


def test_a_claim_has_room_for_what_the_organisation_requires_once_it_does_what_it_is_told(make_tap: MakeTap) -> None:
    house = Organisation.parse({"requiredTags": ["Owner", "Zone"]})
    tags = dict.fromkeys(("CostCenter", "App", "Business", "Contact", "Data", "Owner", "Team", "Zone"), "1")
    assert [(v.path, v.code, v.message.partition("; ")[2]) for v in judged(make_tap(tags=tags), house)] == [
        ("spec.tags.Owner", "OrganisationTagCut", "remove 1 of App, Business, Contact, Data"),
        ("spec.tags.Zone", "OrganisationTagCut", "remove 3 of App, Business, Contact, Data, Team"),
    ]
    for gone in ("App", "Business", "Data"):
        del tags[gone]
    assert judged(make_tap(tags=tags), house) == []


def test_trap_12_the_function_is_told_of_its_code_by_key_version_and_digest_at_once(make_tap: MakeTap) -> None:
    """None of them is read back but codeSha256, and a key without its version is no code (05, section 3, item 12)."""
    part = Part(make_tap())
    fields = ("s3Bucket", "s3Key", "s3ObjectVersion", "codeSha256", "handler")
    before = {name: by_key(part.composed)["function"][name] for name in fields}
    assert "sourceCodeHash" not in by_key(part.composed)["function"]
    # The object of the new code is not in S3 yet: all of it stays as it was.
    part.objects["function"]["spec"]["forProvider"].update(s3Key="_code/old.zip", s3ObjectVersion="v0", codeSha256="o")
    del part.objects[SHIPPED.resource]["status"]
    found = by_key(part.again())["function"]
    assert {name: found[name] for name in fields} == {
        **before,
        "s3Key": "_code/old.zip",
        "s3ObjectVersion": "v0",
        "codeSha256": "o",
    }


@pytest.mark.parametrize("setting", ["versioning", "encryption"])
def test_the_code_waits_until_its_bucket_keeps_and_encrypts_it(make_tap: MakeTap, setting: str) -> None:
    """An object that came before has no version, and the function waited for one for ever (the real provider)."""
    late = f"prod-us-east-1-storage-data-bucket-{setting}"

    def provide(resource: Json, _before: Json | None) -> Json:
        return {**resource, "status": {}} if resource["metadata"]["name"] == late else provided(resource)

    world = World(make_tap(), provide)
    turned = {xr["kind"]: composed for xr, composed in world.settle()}
    waiting = {item.key: item.source for item in turned["RegionalProcessor"].withheld}
    assert waiting[SHIPPED.resource] == code.NOT_SETTLED.source
    assert "bucketName" not in world.tap["status"]["outputs"]


def test_trap_13_old_code_stays_until_the_function_says_that_it_runs_the_new_one(make_tap: MakeTap) -> None:
    part = Part(make_tap())
    old = {**part.objects[SHIPPED.resource], "metadata": {"name": "prod-us-east-1-processor-code-0", "labels": {}}}
    part.objects["code-000000000000"] = old
    part.told("function", codeSha256="of the old code")
    kept = {item.key: item.manifest for item in part.again().resources}["code-000000000000"]
    assert kept == {key: old[key] for key in ("apiVersion", "kind", "metadata", "spec")}
    part.told("function", codeSha256=SHIPPED.code_sha256)
    assert [key for key in by_key(part.again()) if key.startswith("code-")] == [SHIPPED.resource]


def test_code_of_the_users_own_takes_the_place_of_ours_once_it_runs(make_tap: MakeTap) -> None:
    part = Part(make_tap())
    section = {**part.xr["spec"]["processor"], "code": OWN}
    changed = by_key(part.again(processor=section))
    function = changed["function"]
    fields = ("s3Bucket", "s3Key", "s3ObjectVersion", "codeSha256", "handler")
    assert [function.get(name) for name in fields] == ["mine", "app.zip", None, OWN["sha256"], "app.handler"]
    assert SHIPPED.resource in changed
    part.told("function", codeSha256=OWN["sha256"])
    assert SHIPPED.resource not in by_key(part.again(processor=section))


def test_code_of_the_users_own_needs_no_object(make_tap: MakeTap) -> None:
    assert [key for key in processor(make_tap(processor={"code": OWN})) if key.startswith("code-")] == []


def test_trap_14_the_alias_follows_the_version_and_never_what_is_not_one(make_tap: MakeTap) -> None:
    part = Part(make_tap())
    assert by_key(part.composed)["function"]["publish"] is True
    part.told("function", version="7")
    assert by_key(part.again())["alias"]["functionVersion"] == "7"
    for nothing in ("$LATEST", "", None):
        part.told("function", version=nothing)
        # What it points to stays.
        assert by_key(part.again())["alias"]["functionVersion"] == "1"


def test_the_zip_is_a_function_of_its_sources() -> None:
    sources = {"b.py": b"1", "a/c.py": b"2"}
    assert code.zip_of(sources) == code.zip_of(dict(reversed(sources.items())))
    assert code.zip_of(sources) != code.zip_of({**sources, "b.py": b"3"})


def test_a_zip_too_large_for_kubernetes_is_refused() -> None:
    with pytest.raises(ValueError, match="make functions/processor smaller"):
        code.document({"a.py": b"x" * code.MOST})


def routes(found: dict[str, Json]) -> dict[str, tuple[str, str, str | None]]:
    return {
        key: (route["routeKey"], route["authorizationType"], route.get("authorizerId"))
        for key, route in found.items()
        if key.startswith("route-")
    }


@pytest.mark.parametrize(("chosen", "asked"), [({}, "AWS_IAM"), ({"authorization": "None"}, "NONE")])
def test_every_route_but_health_asks_for_iam_unless_none_is_asked_for_in_words(
    make_tap: MakeTap, chosen: Json, asked: str
) -> None:
    assert routes(processor(make_tap(api=chosen))) == {
        "route-health": ("GET /health", "NONE", None),
        "route-create-session": ("POST /sessions", asked, None),
        "route-read-session": ("GET /sessions/{id}", asked, None),
        "route-delete-session": ("DELETE /sessions/{id}", asked, None),
        "route-read-object": ("GET /objects/{key+}", asked, None),
    }


def test_tokens_are_asked_for_by_an_authorizer(make_tap: MakeTap) -> None:
    part = Part(make_tap(api=JWT))
    found = by_key(part.composed)
    authorizer = part.objects["authorizer"]["status"]["atProvider"]["id"]
    assert [asked[1:] for key, asked in routes(found).items() if key != "route-health"] == [("JWT", authorizer)] * 4
    assert found["authorizer"]["jwtConfiguration"] == {"issuer": "https://id.example.com/", "audience": ["a", "b"]}


def test_routes_keep_their_authorization_until_the_authorizer_is_there(make_tap: MakeTap) -> None:
    part = Part(make_tap())
    found = by_key(part.again(api={**part.xr["spec"]["api"], **JWT}))
    assert "authorizer" in found
    assert {asked for _, asked, _ in routes(found).values()} == {"AWS_IAM", "NONE"}


def test_without_tokens_no_route_keeps_an_authorizer(make_tap: MakeTap) -> None:
    """A reference once resolved stays (provider-upjet-aws#1242), and what is not said is initialized late.

    So it is a value, and an empty one takes it off; a route that never had one says nothing of it.
    """
    part = Part(make_tap(api=JWT))
    section = {name: value for name, value in part.xr["spec"]["api"].items() if name != "jwt"}
    for authorization, asked in (("AWS_IAM", "AWS_IAM"), ("None", "NONE")):
        found = by_key(part.again(api={**section, "authorization": authorization}))
        assert {key: route[1:] for key, route in routes(found).items()} == {
            "route-health": ("NONE", None),
            **{key: (asked, "") for key in routes(found) if key != "route-health"},
        }
    assert "authorizer" not in found
    assert not [key for key in found if key.startswith("route-") and "authorizerIdRef" in found[key]]


def test_the_integration_calls_the_alias_and_waits_no_longer_than_api_gateway(make_tap: MakeTap) -> None:
    """integrationUriRef would give the function itself, past its alias (05, section 1.1)."""
    part = Part(make_tap(processor={"timeoutSeconds": 900}))
    found = by_key(part.composed)["integration"]
    assert found["integrationUri"] == part.objects["alias"]["status"]["atProvider"]["invokeArn"]
    assert (found["timeoutMilliseconds"], found["payloadFormatVersion"]) == (30_000, "2.0")
    assert "integrationUriRef" not in found


def test_trap_15_the_stage_is_never_held_to_a_deployment(make_tap: MakeTap) -> None:
    """With LateInitialize a deploymentId gets into the spec, and the next deployment is in conflict with it."""
    part = Part(make_tap(api={"throttlingBurst": 7, "throttlingRate": 3}))
    (stage,) = (item.manifest for item in part.composed.resources if item.key == "stage")
    assert stage["metadata"]["annotations"]["crossplane.io/external-name"] == "$default"
    assert "LateInitialize" not in stage["spec"]["managementPolicies"]
    assert "*" not in stage["spec"]["managementPolicies"]
    found = stage["spec"]["forProvider"]
    assert "deploymentId" not in found
    assert found["defaultRouteSettings"] == {
        "detailedMetricsEnabled": True,
        "throttlingBurstLimit": 7,
        "throttlingRateLimit": 3,
    }
    assert found["accessLogSettings"]["destinationArn"] == part.objects["api-log-group"]["status"]["atProvider"]["arn"]


def test_access_logs_hold_no_header_no_query_and_no_body(make_tap: MakeTap) -> None:
    logged = json.loads(processor(make_tap())["stage"]["accessLogSettings"]["format"]).values()
    assert not [value for value in logged if any(word in value for word in ("header", "query", "body", "path"))]


def test_access_logs_are_where_aws_needs_no_policy_of_its_own_for_each(make_tap: MakeTap) -> None:
    part = Part(make_tap())
    names = [
        item.manifest["metadata"]["annotations"]["crossplane.io/external-name"]
        for item in part.composed.resources
        if item.manifest["kind"] == "Group"
    ]
    assert names == [f"/aws/lambda/{NAME}", "/aws/vendedlogs/apigateway/prod-us-east-1-api-234a2353"]


def test_outputs_are_the_alias_and_the_address_of_the_api(make_tap: MakeTap) -> None:
    part = Part(make_tap())
    assert part.composed.status["outputs"] == {
        "lambdaArn": part.objects["alias"]["status"]["atProvider"]["arn"],
        "apiEndpoint": part.objects["api"]["status"]["atProvider"]["apiEndpoint"],
    }
