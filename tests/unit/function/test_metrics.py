"""What the function tells Prometheus, over HTTP."""

import urllib.request

import pytest
from crossplane.function import resource
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from golden.world import regional_tap
from tap_api.base import Json
from tap_function import fn
from tap_function.fn import FunctionRunner
from tap_function.metrics import Metrics
from unit.operator.served import free_port


def scraped(metrics: Metrics) -> list[str]:
    """Returns the lines that Prometheus gets, of what the function counts."""
    port = free_port()
    metrics.serve("127.0.0.1", port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines: list[str] = answer.read().decode().splitlines()
    return [line for line in lines if line.startswith("tap_function_") and "_created" not in line]


async def run(metrics: Metrics, xr: Json) -> None:
    observed = fnv1.State(composite=fnv1.Resource(resource=resource.dict_to_struct(xr)))
    await FunctionRunner(metrics).RunFunction(fnv1.RunFunctionRequest(observed=observed), None)


async def test_answers_are_counted_by_kind_and_by_what_became_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, tap = Metrics(), regional_tap("prod", "us-east-1")
    await run(metrics, tap)
    await run(metrics, {**tap, "spec": {}})
    await run(metrics, {**tap, "kind": "Whatever", "apiVersion": "example.com/v1"})

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(fn, "compose", broken)
    await run(metrics, tap)
    lines = scraped(metrics)
    counts = {line for line in lines if line.startswith("tap_function_results_total") and not line.endswith(" 0.0")}
    assert counts == {
        'tap_function_results_total{kind="RegionalTap",result="composed"} 1.0',
        'tap_function_results_total{kind="RegionalTap",result="refused"} 1.0',
        'tap_function_results_total{kind="other",result="refused"} 1.0',
        'tap_function_results_total{kind="RegionalTap",result="failed"} 1.0',
    }
    assert 'tap_function_render_seconds_count{kind="RegionalTap"} 3.0' in lines
