import re
import subprocess
import sys
from collections.abc import Iterator

import grpc
import pytest
from click.testing import CliRunner
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from crossplane.function.proto.v1 import run_function_pb2_grpc as grpcv1

from golden.world import World, regional_tap
from tap_function.main import main

MB = 1024 * 1024


@pytest.fixture
def channel(unused_tcp_port: int) -> Iterator[grpc.Channel]:
    """The function as `tap-function` serves it, on a port of loopback."""
    address = f"127.0.0.1:{unused_tcp_port}"
    command = [sys.executable, "-m", "tap_function.main", "--insecure", "--address", address]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with grpc.insecure_channel(address, options=[("grpc.max_send_message_length", 32 * MB)]) as opened:
            grpc.channel_ready_future(opened).result(timeout=60)
            yield opened
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_a_request_past_the_four_megabytes_of_grpc_is_answered(channel: grpc.Channel) -> None:
    world = World(regional_tap("prod", "us-east-1"))
    world.settle()
    padding = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "x" * 100_000}}
    for xr, composed in world.look():
        resources = {
            key: fnv1.Resource(resource={**manifest, "metadata": {**manifest["metadata"], **padding}})
            for key, manifest in world.objects.get(xr["metadata"]["name"], {}).items()
        }
        state = fnv1.State(composite=fnv1.Resource(resource=xr), resources=resources)
        request = fnv1.RunFunctionRequest(observed=state)
        stub = grpcv1.FunctionRunnerServiceStub(channel)  # type: ignore[no-untyped-call]
        answer = stub.RunFunction(request, timeout=30)
        assert (set(answer.desired.resources), list(answer.results)) == ({item.key for item in composed.resources}, [])
        if xr["kind"] == "RegionalNetwork":
            assert request.ByteSize() > 4 * MB


def test_the_help_names_the_options_that_crossplane_sets_and_our_limit() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    assert {"--tls-server-certs-dir", "--address", "--insecure", "--debug"} <= set(re.findall(r"--[a-z-]+", text))
    assert "[default: 16]" in text
