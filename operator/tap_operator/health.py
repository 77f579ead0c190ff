"""Whether this process does its work: `/healthz` to be restarted if not, `/readyz` to be sent traffic if so.

A process that answers but no longer hears of changes is the failure that this looks for (kopf#787, #955, #957).
Whatever the operator itself writes has to come back on its watch; if it does not within a minute, the watch is dead,
whatever its task believes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from aiohttp import web

from tap_operator.listener import Listener

#: Returns what is wrong, empty where nothing is.
Check = Callable[[], Awaitable[str]]
#: Returns metrics as Prometheus reads them, and of which type they are.
Metrics = Callable[[], tuple[bytes, str]]


class Echoes:
    """Our own writes that the watch has not told of yet."""

    def __init__(self, watched: Collection[str], patience: float = 60.0) -> None:
        """Args: watched: the kinds that are watched; patience: seconds until a missing echo means a dead watch."""
        self._watched = frozenset(watched)
        self._patience = patience
        self._heard: dict[_Key, int] = {}
        self._awaited: dict[_Key, tuple[int, float]] = {}

    def wrote(self, stored: Mapping[str, Any]) -> None:
        """Notes that the watch has to tell of `stored`, as the apiserver answered, unless it has already.

        Of a kind that is only written, such as the ConfigMap of outputs, nobody tells.
        """
        if stored["kind"] not in self._watched:
            return
        key, version = _key(stored["kind"], stored["metadata"]), _version(stored["metadata"])
        if version > self._heard.get(key, 0):
            self._awaited.setdefault(key, (version, asyncio.get_running_loop().time()))

    def heard(self, kind: str, meta: Mapping[str, Any]) -> None:
        """Notes that the watch told of an object."""
        key, version = _key(kind, meta), _version(meta)
        self._heard[key] = version
        if version >= self._awaited.get(key, (version, 0.0))[0]:
            self._awaited.pop(key, None)

    def gone(self, kind: str, meta: Mapping[str, Any]) -> None:
        """Notes that an object is not there any more.

        Its last version is kept: the answer to a write that came just before may arrive after this, and nothing will
        ever echo that one.
        """
        key = _key(kind, meta)
        self._heard[key] = max(_version(meta), self._heard.get(key, 0))
        self._awaited.pop(key, None)

    def missing(self) -> str:
        """Returns which object the watch should have told of long ago, empty if none."""
        late = asyncio.get_running_loop().time() - self._patience
        for (kind, namespace, name), (_, since) in self._awaited.items():
            if since < late:
                return f"the watch is dead: it has not told of our write to {kind} {namespace}/{name}"
        return ""


_Key = tuple[str, str, str]


def _key(kind: str, meta: Mapping[str, Any]) -> _Key:
    return kind, meta.get("namespace", ""), meta["name"]


def _version(meta: Mapping[str, Any]) -> int:
    """Resource versions of one kind can be compared as numbers (KEP-5504, Kubernetes 1.35)."""
    text = str(meta.get("resourceVersion", ""))
    return int(text) if text.isdecimal() else 0


class Health(Listener):
    """The endpoint of the probes."""

    def __init__(self, *, live: Check, ready: Check, metrics: Metrics | None = None) -> None:
        """Args: what is wrong with the process, what keeps it from being of use, and what Prometheus is told."""
        probes = (web.get("/healthz", _answer(live)), web.get("/readyz", _answer(ready)))
        super().__init__(*probes, *([web.get("/metrics", _numbers(metrics))] if metrics else []))


def _numbers(metrics: Metrics) -> Callable[[web.Request], Any]:
    async def answer(_: web.Request) -> web.Response:
        body, kind = metrics()
        return web.Response(body=body, headers={"Content-Type": kind})

    return answer


def _answer(check: Check) -> Callable[[web.Request], Any]:
    async def answer(_: web.Request) -> web.Response:
        wrong = await check()
        return web.Response(text=f"{wrong or 'ok'}\n", status=503 if wrong else 200)

    return answer
