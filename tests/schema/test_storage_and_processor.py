"""Every choice for the storage, the processor and the API, in every order of things known: valid, and in AWS's limits."""

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crds import Schema, faults
from golden.world import World
from tap_api.base import API_VERSION, Json
from tap_api.regions import ZONES
from tap_api.sections import Architecture, LogLevel
from tap_stack.composed import Composed

Schemas = dict[tuple[str, str], Schema]
#: 05, section 5; external names, but for the one of a stage, which is `$default`.
LIMITS = {
    "s3.Bucket": r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "lambda.Function": r"[a-zA-Z0-9_-]{1,64}",
    "lambda.Alias": r"(?!\d+$)[a-zA-Z0-9_-]{1,128}",
    "iam.Role": r"[\w+=,.@-]{1,64}",
    "iam.RolePolicy": r"[\w+=,.@-]{1,128}",
    "cloudwatchlogs.Group": r"[.\-_/#A-Za-z0-9]{1,512}",
    "apigatewayv2.Stage": r"\$default",
}


def storage() -> st.SearchStrategy[Json]:
    """Every StorageSpec that policy admits."""
    days = st.integers(30, 3600)
    return st.builds(
        lambda first, second, rest: {"infrequentAccessDays": first, "glacierDays": first + second, **rest},
        days,
        st.integers(30, 50),
        st.fixed_dictionaries(
            {"noncurrentVersionDays": st.integers(1, 3650), "accessLogDays": st.integers(1, 3650)},
            optional={"expirationDays": st.integers(1, 36500), "forceDestroy": st.booleans()},
        ),
    )


def processor() -> st.SearchStrategy[Json]:
    """Every ProcessorSpec."""
    code = {"bucket": "mine", "key": "a.zip", "sha256": "A" * 43 + "=", "handler": "a.b"}
    return st.fixed_dictionaries(
        {
            "memoryMb": st.integers(128, 10240),
            "timeoutSeconds": st.integers(1, 900),
            "architecture": st.sampled_from([item.value for item in Architecture]),
            "retryAttempts": st.integers(0, 2),
            "logLevel": st.sampled_from([item.value for item in LogLevel]),
        },
        optional={"reservedConcurrency": st.integers(1, 1000), "code": st.just(code)},
    )


def api() -> st.SearchStrategy[Json]:
    """Every ApiSpec."""
    audience = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=5, unique=True)
    jwt = st.fixed_dictionaries({"issuer": st.just("https://id.example.com"), "audience": audience})
    throttling = {"throttlingBurst": st.integers(1, 5000), "throttlingRate": st.integers(1, 10000)}
    return st.one_of(
        st.fixed_dictionaries({"authorization": st.sampled_from(["AWS_IAM", "None"]), **throttling}),
        st.fixed_dictionaries({"authorization": st.just("JWT"), "jwt": jwt, **throttling}),
    )


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.from_regex(r"\A[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z").filter(lambda found: "--" not in found),
    region=st.sampled_from(sorted(ZONES)),
    zones=st.integers(2, 3),
    protection=st.booleans(),
    storage=storage(),
    processor=processor(),
    api=api(),
)
def test_every_choice_composes_valid_resources_with_names_that_aws_takes(
    schemas: Schemas,
    ours: Schemas,
    *,
    name: str,
    region: str,
    zones: int,
    protection: bool,
    **sections: Json,
) -> None:
    tap = {
        "apiVersion": API_VERSION,
        "kind": "RegionalTap",
        "metadata": {"name": name, "namespace": "tap-x"},
        "spec": {
            "environment": "dev",
            "region": region,
            "cidr": "10.0.0.0/16",
            "tags": {"CostCenter": "1", **{f"T{number}": "x" for number in range(43)}},
            "protection": protection,
            "network": {"zones": zones},
            **sections,
        },
    }
    world = World(tap)
    for _ in range(9):
        turned = [item for item in world.turn() if item[0]["kind"] in ("RegionalStorage", "RegionalProcessor")]
        assert list(faults(turned, {**schemas, **ours})) == []
        assert [fault for _, composed in turned for fault in out_of_limits(composed)] == []
    assert [composed.withheld for _, composed in turned] == [(), ()]


def out_of_limits(composed: Composed) -> list[str]:
    """Returns the names that AWS would not take, and the environments that are too large."""
    found = []
    for item in composed.resources:
        kind = f"{item.manifest['apiVersion'].partition('.')[0]}.{item.manifest['kind']}"
        spec = item.manifest["spec"]["forProvider"]
        annotations = item.manifest["metadata"].get("annotations", {})
        external = annotations.get("crossplane.io/external-name", "")
        if kind in LIMITS and not re.fullmatch(LIMITS[kind], external):
            found.append(f"{kind} {external}")
        # An object of S3 takes ten tags, three of them the provider's.
        if len(spec.get("tags", {})) > (7 if kind == "s3.Object" else 47):
            found.append(f"{kind} has too many tags")
        if len(str(spec.get("environment", ""))) > 4096:
            found.append(f"{kind} has too large an environment")
        if kind == "sqs.Queue" and not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", spec["name"]):
            found.append(f"{kind} {spec['name']}")
    return found
