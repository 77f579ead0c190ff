from collections.abc import Callable
from typing import Any

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf import json_format
from google.protobuf import struct_pb2 as structpb

from golden.world import World, regional_tap
from tap_api.base import Json
from tap_function import fn
from tap_function.observe import StructObservation
from tap_stack import parts
from tap_stack.compose import compose
from tap_stack.observation import DictObservation, of

Response = Json


async def run(xr: Json, observed: dict[str, Json] | None = None, **request: Any) -> Response:
    """Returns the response as JSON."""
    state = fnv1.State(
        composite=fnv1.Resource(resource=xr),
        resources={key: fnv1.Resource(resource=manifest) for key, manifest in (observed or {}).items()},
    )
    asked = fnv1.RunFunctionRequest(meta=fnv1.RequestMeta(tag="t"), observed=state, **request)
    return json_format.MessageToDict(await fn.FunctionRunner().RunFunction(asked, None))


def expected(xr: Json, observed: dict[str, Json]) -> Response:
    """Returns the response that composing in-process asks for."""
    composed = compose(xr, of(observed))
    ready = {True: {"ready": "READY_TRUE"}, False: {"ready": "READY_FALSE"}, None: {}}
    statuses = {"True": "TRUE", "False": "FALSE", "Unknown": "UNKNOWN"}
    resources = {item.key: {"resource": item.manifest, **ready[item.ready]} for item in composed.resources}
    return {
        "meta": {"tag": "t", "ttl": f"{composed.ttl}s"},
        "desired": {
            "composite": {"resource": {"status": composed.status}, **ready[composed.ready]},
            **({"resources": resources} if resources else {}),
        },
        "conditions": [
            {
                "type": condition.type,
                "status": f"STATUS_CONDITION_{statuses[condition.status]}",
                "reason": condition.reason,
                **({"message": condition.message} if condition.message else {}),
            }
            for condition in composed.conditions
        ],
    }


@pytest.fixture
def settled() -> World:
    world = World(regional_tap("prod", "us-east-1"))
    world.settle()
    return world


@pytest.fixture
def unbuilt(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in a version that builds no part."""
    monkeypatch.setattr(parts, "BUILT", {})
    world = World(regional_tap("prod", "us-east-1"))
    world.settle()
    return world


@pytest.mark.parametrize("turns", [0, 1, 2, 8])
async def test_the_response_is_what_composing_in_process_gives(turns: int) -> None:
    world = World(regional_tap("prod", "us-east-1"))
    for _ in range(turns):
        world.turn()
    for xr, _ in world.look():
        observed = world.objects.get(xr["metadata"]["name"], {})
        assert await run(xr, observed) == expected(xr, observed)


async def test_a_part_that_is_not_built_is_not_ready(unbuilt: World) -> None:
    xr = next(xr for xr, _ in unbuilt.look() if xr["kind"] == "RegionalStorage")
    assert await run(xr) == {
        "meta": {"tag": "t", "ttl": "300s"},
        "desired": {
            "composite": {
                "resource": {"status": {"resources": {"desired": 0, "withheld": 0, "created": 0, "ready": 0}}},
                "ready": "READY_FALSE",
            }
        },
        "conditions": [
            {
                "type": "Built",
                "status": "STATUS_CONDITION_FALSE",
                "reason": "NotBuilt",
                "message": "not built in this version",
            },
            {
                "type": "ResourcesHealthy",
                "status": "STATUS_CONDITION_UNKNOWN",
                "reason": "NothingYet",
                "message": "No resource exists yet.",
            },
            {
                "type": "Compliant",
                "status": "STATUS_CONDITION_UNKNOWN",
                "reason": "NotReported",
                "message": "Not judged yet: no resource exists yet.",
            },
        ],
    }


async def test_what_earlier_steps_asked_for_and_their_context_are_passed_on(unbuilt: World) -> None:
    other = fnv1.Resource(resource={"kind": "ConfigMap"}, ready=fnv1.READY_TRUE)
    context = structpb.Struct()
    context.update({"answer": 42})
    xr = next(xr for xr, _ in unbuilt.look() if xr["kind"] == "RegionalStorage")
    response = await run(xr, desired=fnv1.State(resources={"other": other}), context=context)
    assert response["desired"]["resources"] == {"other": {"resource": {"kind": "ConfigMap"}, "ready": "READY_TRUE"}}
    assert response["context"] == {"answer": 42.0}


async def test_a_spec_of_another_shape_is_fatal_and_lists_every_violation_in_a_condition_too() -> None:
    tap = regional_tap("prod", "us-east-1")
    tap["spec"].update(cidr=8, network={"zones": 9})
    (result,) = (response := await run(tap))["results"]
    assert result["severity"] == "SEVERITY_FATAL"
    first, *violations = result["message"].splitlines()
    assert first == "RegionalTap prod-us-east-1 is refused; nothing was changed. Mend its spec:"
    assert [line.partition(":")[0] for line in violations] == ["- spec.cidr", "- spec.network.zones"]
    assert response["desired"] == {}
    (condition,) = response["conditions"]
    assert (condition["type"], condition["status"]) == ("PolicyCompliant", "STATUS_CONDITION_FALSE")
    assert all(line.removeprefix("- ") in condition["message"] for line in violations)


@pytest.mark.parametrize(
    "xr",
    [
        {},
        {"kind": "RegionalTap"},
        {"kind": "RegionalTap", "metadata": "hostile", "spec": []},
        {"kind": "RegionalTap", "metadata": {"name": 7, "ownerReferences": [1]}, "spec": {"region": {"a": None}}},
        {"kind": "RegionalNetwork", "spec": {"cidr": "x" * 100_000, "network": {"zones": 1e308}}},
        {"kind": {"a": 1}, "apiVersion": [], "spec": float("nan")},
    ],
)
async def test_hostile_input_is_refused_in_words(xr: Json) -> None:
    (result,) = (await run(xr))["results"]
    assert result["severity"] == "SEVERITY_FATAL"
    assert "Traceback" not in result["message"]
    assert "is refused; nothing was changed" in result["message"]


@pytest.mark.parametrize(
    "observed",
    [
        {"key": {}},
        {"key": {"status": "hostile"}},
        {"key": {"status": {"conditions": "hostile", "atProvider": [1]}}},
        {"key": {"status": {"conditions": [7, None, {"type": 7}, {"type": "Ready", "status": ["True"]}]}}},
        {"network": {"status": {"conditions": None, "resources": {"desired": "many"}}}},
    ],
)
async def test_hostile_observations_change_nothing_that_is_asked_for(observed: dict[str, Json]) -> None:
    tap = regional_tap("prod", "us-east-1")
    plain, hostile = await run(tap), await run(tap, observed)
    assert hostile["desired"]["resources"] == plain["desired"]["resources"]
    assert "results" not in hostile


async def test_a_fault_of_ours_is_one_line_and_goes_into_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        message = "secret detail"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(fn, "compose", broken)
    assert (await run(regional_tap("prod", "us-east-1")))["results"] == [
        {
            "severity": "SEVERITY_FATAL",
            "message": "the function failed on this object (ZeroDivisionError); nothing was changed. Its log has the"
            " cause; please report it",
        }
    ]
    assert "secret detail" in capsys.readouterr().out


async def test_the_same_request_has_the_same_bytes_for_an_answer(settled: World) -> None:
    runner = fn.FunctionRunner()
    for xr, _ in settled.look():
        state = fnv1.State(
            composite=fnv1.Resource(resource=xr),
            resources={
                key: fnv1.Resource(resource=manifest)
                for key, manifest in settled.objects.get(xr["metadata"]["name"], {}).items()
            },
        )
        request = fnv1.RunFunctionRequest(observed=state)
        one, other = [await runner.RunFunction(request, None) for _ in range(2)]
        assert one.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True)


OBJECT: Json = {
    "metadata": {"name": "x", "labels": {}},
    "spec": {"count": 3, "ratio": 0.5, "on": True, "none": None, "list": [{"a": 1}], "empty": []},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Synced", "status": "False", "reason": "R"}]
    },
}
Read = Callable[[Any], Any]


@pytest.mark.parametrize(
    "read",
    [
        lambda o: o.field("spec"),
        lambda o: o.field("spec", "count"),
        lambda o: o.field("spec", "none"),
        lambda o: o.field("spec", "absent"),
        lambda o: o.field("spec", "count", "deeper"),
        lambda o: o.field("spec", "list", "a"),
        lambda o: o.condition("Ready"),
        lambda o: o.condition("Synced"),
        lambda o: o.condition("Absent"),
    ],
)
def test_an_object_reads_the_same_as_protobuf_and_as_a_dictionary(read: Read) -> None:
    struct = structpb.Struct()
    struct.update(OBJECT)
    assert read(StructObservation(struct)) == read(DictObservation(OBJECT))


def test_reading_leaves_the_object_as_it_was() -> None:
    struct = structpb.Struct()
    struct.update(OBJECT)
    before = struct.SerializeToString(deterministic=True)
    observation = StructObservation(struct)
    observation.field("status", "absent", "deeper")
    observation.condition("Absent")
    assert struct.SerializeToString(deterministic=True) == before
