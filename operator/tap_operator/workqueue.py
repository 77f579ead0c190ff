"""The queue between events and passes: one pass at a time for each object, bursts folded, failures spaced out."""

import asyncio
import heapq
import itertools
import logging
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tap_api.errors import TapError
from tap_api.kinds import ENVIRONMENT_TAP

_LOG = logging.getLogger(__name__)


class Key(NamedTuple):
    """An object, an EnvironmentTap if nothing else is said; of a cluster-scoped one the namespace is empty."""

    namespace: str
    name: str
    kind: str = ENVIRONMENT_TAP.kind

    def __str__(self) -> str:
        """Returns `namespace/name`, behind the kind where it is another."""
        words = "/".join(word for word in (self.namespace, self.name) if word)
        return words if self.kind == ENVIRONMENT_TAP.kind else f"{self.kind} {words}"


#: A pass over one object. Returns the seconds until the next one is due by itself, None for no such thing.
Handler = Callable[[Key], Awaitable[float | None]]
#: Told of a pass: its object, how late it began, how long it took (both in seconds), and what it failed of.
OnPass = Callable[[Key, float, float, Exception | None], None]


def _untold(_key: Key, _lag: float, _seconds: float, _error: Exception | None) -> None:
    pass


class WorkQueue:
    """Objects that wait for a pass.

    An object that is added while its pass runs is passed over once more afterwards: the pass may have read too early.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        on_pass: OnPass = _untold,
        workers: int = 8,
        debounce: float = 0.1,
        longest_backoff: float = 60,
    ) -> None:
        """Makes an empty queue.

        Args:
            handler: What a pass is.
            on_pass: Told of each.
            workers: How many run at once.
            debounce: Seconds that a burst is waited out.
            longest_backoff: The most seconds between two failures.
        """
        self._handler = handler
        self._on_pass = on_pass
        self._slots = asyncio.Semaphore(workers)
        self._debounce = debounce
        self._longest_backoff = longest_backoff
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._order = itertools.count()
        self._running: dict[Key, tuple[float, asyncio.Task[None]]] = {}
        self._failures: dict[Key, int] = {}
        self._changed = asyncio.Event()
        self._progress = 0.0

    def add(self, key: Key, delay: float | None = None) -> None:
        """Asks for a pass over `key` after `delay` seconds (soon, if not given); an earlier one that is due stands."""
        due = self._now() + (self._debounce if delay is None else delay)
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            heapq.heappush(self._heap, (due, next(self._order), key))
            self._changed.set()

    @property
    def stuck_seconds(self) -> float:
        """For how long passes have been running or due while none has come to its end."""
        now = self._now()
        waiting = [due for key, due in self._due.items() if due < now and key not in self._running]
        begun = [*waiting, *(since for since, _ in self._running.values())]
        return max(0.0, now - max(min(begun), self._progress)) if begun else 0.0

    async def run(self) -> None:
        """Passes over what is added, for ever. Passes that run are cancelled with it."""
        self._progress = self._now()
        try:
            while True:
                await self._slots.acquire()
                due, key = await self._next()
                task = asyncio.create_task(self._pass(key, self._now() - due), name=f"pass over {key}")
                self._running[key] = self._now(), task
        finally:
            for _, task in list(self._running.values()):
                task.cancel()

    async def _next(self) -> tuple[float, Key]:
        """Waits for a key that is due and not being passed over, and takes it out, with when it was due."""
        while True:
            self._changed.clear()
            taken = self._take()
            if taken is not None:
                return taken
            soonest = self._heap[0][0] - self._now() if self._heap else None
            try:
                await asyncio.wait_for(self._changed.wait(), soonest)
            except TimeoutError:
                continue

    def _take(self) -> tuple[float, Key] | None:
        while self._heap and self._heap[0][0] <= self._now():
            due, _, key = heapq.heappop(self._heap)
            # An entry that was overtaken by an earlier one, or that waits for the pass that runs, is dropped here;
            # _pass puts the latter back.
            if self._due.get(key) == due and key not in self._running:
                del self._due[key]
                return due, key
        return None

    async def _pass(self, key: Key, lag: float) -> None:
        again: float | None = None
        begun = self._now()
        try:
            again = await self._handler(key)
            self._failures.pop(key, None)
            self._on_pass(key, lag, self._now() - begun, None)
        except Exception as error:  # noqa: BLE001  (one object's failure must not end the others' passes)
            self._on_pass(key, lag, self._now() - begun, error)
            again = self._backoff(key)
            _LOG.warning("%s: %s; trying again in %.0f s", key, error, again, exc_info=_unexpected(error))
        finally:
            self._progress = self._now()
            del self._running[key]
            self._slots.release()
            if again is not None:
                self.add(key, again)
            if key in self._due:
                heapq.heappush(self._heap, (self._due[key], next(self._order), key))
                self._changed.set()

    def _backoff(self, key: Key) -> float:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        return float(min(self._longest_backoff, 2 ** min(failures, 16)) * random.uniform(0.5, 1.0))  # noqa: S311

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _unexpected(error: Exception) -> bool:
    """Returns whether the log needs a traceback: not for what a person can mend by its message."""
    return not isinstance(error, TapError)
