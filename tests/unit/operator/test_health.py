import asyncio
import socket

import aiohttp
import pytest

from tap_operator.fanout import WATCHED
from tap_operator.health import Echoes, Health


def stored(version: str, name: str = "prod") -> dict[str, object]:
    return {"kind": "RegionalTap", "metadata": {"namespace": "ns", "name": name, "resourceVersion": version}}


def meta(version: str, name: str = "prod") -> dict[str, str]:
    return {"namespace": "ns", "name": name, "resourceVersion": version}


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ([], "the watch is dead: it has not told of our write to RegionalTap ns/prod"),
        ([meta("9")], "the watch is dead: it has not told of our write to RegionalTap ns/prod"),
        ([meta("10")], ""),
        ([meta("11")], ""),
        ([meta("11", "another")], "the watch is dead: it has not told of our write to RegionalTap ns/prod"),
    ],
)
async def test_a_watch_that_does_not_tell_of_our_write_is_dead(told: list[dict[str, str]], wrong: str) -> None:
    echoes = Echoes(WATCHED, patience=0.01)
    echoes.wrote(stored("10"))
    for event in told:
        echoes.heard("RegionalTap", event)
    await asyncio.sleep(0.03)
    assert echoes.missing() == wrong


async def test_a_write_whose_answer_comes_after_the_deletion_is_not_waited_for() -> None:
    echoes = Echoes(WATCHED, patience=0.01)
    echoes.heard("RegionalTap", meta("9"))
    echoes.gone("RegionalTap", meta("11"))
    echoes.wrote(stored("10"))
    await asyncio.sleep(0.03)
    assert echoes.missing() == ""


async def test_a_watch_has_its_time() -> None:
    echoes = Echoes(WATCHED, patience=60)
    echoes.wrote(stored("10"))
    assert echoes.missing() == ""


async def test_a_write_that_was_told_of_before_its_answer_came_is_not_waited_for() -> None:
    echoes = Echoes(WATCHED, patience=0)
    echoes.heard("RegionalTap", meta("10"))
    echoes.wrote(stored("10"))
    await asyncio.sleep(0.01)
    assert echoes.missing() == ""


async def test_an_object_that_is_gone_is_not_waited_for() -> None:
    echoes = Echoes(WATCHED, patience=0)
    echoes.wrote(stored("10"))
    echoes.gone("RegionalTap", meta("12"))
    await asyncio.sleep(0.01)
    assert echoes.missing() == ""


async def test_what_is_only_written_is_not_waited_for() -> None:
    echoes = Echoes(WATCHED, patience=0)
    echoes.wrote({**stored("10", "prod-outputs"), "kind": "ConfigMap"})
    await asyncio.sleep(0.01)
    assert echoes.missing() == ""


async def test_probes_are_answered_with_what_is_wrong() -> None:
    async def well() -> str:
        return ""

    async def ill() -> str:
        return "not listening yet"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    health = Health(live=well, ready=ill)
    await health.start("127.0.0.1", port)
    try:
        answers = {}
        async with aiohttp.ClientSession() as session:
            for path in ("healthz", "readyz", "else"):
                async with session.get(f"http://127.0.0.1:{port}/{path}") as answer:
                    answers[path] = (answer.status, (await answer.text()).strip())
    finally:
        await health.stop()
    assert answers == {
        "healthz": (200, "ok"),
        "readyz": (503, "not listening yet"),
        "else": (404, "404: Not Found"),
    }
