import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tap_operator.errors import ClusterError
from tap_operator.workqueue import Key, WorkQueue

A, B = Key("tap-prod", "a"), Key("tap-prod", "b")


async def play(queue: WorkQueue, script: Callable[[], Awaitable[None]]) -> None:
    task = asyncio.create_task(queue.run())
    try:
        await script()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_burst_is_one_pass() -> None:
    passes: list[Key] = []

    async def handle(key: Key) -> None:
        passes.append(key)

    queue = WorkQueue(handle, debounce=0.01)

    async def script() -> None:
        for _ in range(20):
            queue.add(A)
            queue.add(B)
        await asyncio.sleep(0.1)

    await play(queue, script)
    assert passes == [A, B]


async def test_one_object_is_never_passed_over_twice_at_once_and_never_left_out() -> None:
    running, most, passes = 0, 0, 0

    async def handle(_: Key) -> None:
        nonlocal running, most, passes
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.03)
        running -= 1
        passes += 1

    queue = WorkQueue(handle, debounce=0)

    async def script() -> None:
        queue.add(A)
        await asyncio.sleep(0.01)
        queue.add(A)  # The pass that runs may have read too early.
        queue.add(A)
        await asyncio.sleep(0.15)

    await play(queue, script)
    assert (most, passes) == (1, 2)


async def test_objects_are_passed_over_side_by_side_up_to_the_limit() -> None:
    running, most = 0, 0

    async def handle(_: Key) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1

    queue = WorkQueue(handle, workers=3, debounce=0)

    async def script() -> None:
        for i in range(10):
            queue.add(Key("ns", str(i)))
        await asyncio.sleep(0.2)

    await play(queue, script)
    assert most == 3


async def test_a_failure_is_tried_again_later_and_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    passes: list[Key] = []

    async def handle(key: Key) -> None:
        passes.append(key)
        if key == A and passes.count(A) == 1:
            raise ClusterError(500, "InternalError", "etcd is away")

    queue = WorkQueue(handle, debounce=0, longest_backoff=0.05)

    async def script() -> None:
        queue.add(A)
        queue.add(B)
        await asyncio.sleep(0.2)

    await play(queue, script)
    assert passes == [A, B, A]
    assert "tap-prod/a: etcd is away" in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_bug_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def handle(_: Key) -> None:
        {"a": 1}["spec"]

    queue = WorkQueue(handle, debounce=0)

    async def script() -> None:
        queue.add(A)
        await asyncio.sleep(0.05)

    await play(queue, script)
    assert "Traceback" in caplog.text


async def test_a_pass_can_ask_to_be_repeated() -> None:
    passes: list[Key] = []

    async def handle(key: Key) -> float | None:
        passes.append(key)
        return 0.02 if len(passes) < 3 else None

    queue = WorkQueue(handle, debounce=0)

    async def script() -> None:
        queue.add(A)
        await asyncio.sleep(0.15)

    await play(queue, script)
    assert passes == [A, A, A]


async def test_an_earlier_pass_is_not_put_off_by_a_later_one() -> None:
    passes: list[Key] = []

    async def handle(key: Key) -> None:
        passes.append(key)

    queue = WorkQueue(handle, debounce=0.01)

    async def script() -> None:
        queue.add(A)
        queue.add(A, delay=10)
        await asyncio.sleep(0.05)

    await play(queue, script)
    assert passes == [A]


async def test_a_queue_that_stands_still_says_for_how_long() -> None:
    async def handle(_: Key) -> None:
        await asyncio.sleep(60)

    queue = WorkQueue(handle, workers=1, debounce=0)
    seconds = [queue.stuck_seconds]

    async def script() -> None:
        queue.add(A)
        queue.add(B)
        await asyncio.sleep(0.1)
        seconds.append(queue.stuck_seconds)

    await play(queue, script)
    assert seconds[0] == 0.0
    assert 0.05 < seconds[1] < 1
