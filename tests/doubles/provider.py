"""A double of provider-aws: makes the managed resources of one namespace of a real apiserver, in an account of its own.

It does to the objects what the provider does (tags, resolved references, finalizer, external name, status), in AWS's
order and with AWS's refusals (doubles.account). It runs in a thread until its `with` block ends.
"""

import asyncio
import random
import re
import threading
import time
from collections import Counter
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from doubles import secrets
from doubles.account import Account, Key, key_of
from doubles.apiserver import Apiserver, AwayError, connect
from doubles.aws import ACCOUNT
from doubles.managed import FINALIZER, Kinds, is_paused
from doubles.references import UnresolvedError
from tap_api.base import Json
from tap_stack.aws import KINDS
from tap_stack.catalogue import AwsKind, catalogue

#: Seconds between two looks at what waits for time to pass, or for AWS.
_TICK = 0.1
#: Seconds until a resource that AWS refused is tried again, and AWS says so with another RequestID.
_RETRY = 3.0
#: The longest that a double runs, whatever becomes of the test.
_LONGEST = 3600
_AT_ONCE = 8
_REQUEST_ID = re.compile(r"RequestID: [0-9a-f-]+")
#: The verb that failed, and what is told of it apart from `Synced`, where it stands once more in front.
_ASYNC = re.compile(r"(\w+) failed: (async .*)", re.DOTALL)
#: The field manager that a provider resolves references as (crossplane-runtime, pkg/reconciler/managed/api.go).
RESOLVER = "managed.crossplane.io/api-simple-reference-resolver"
_ONLY_OBSERVED = "external resource does not exist"


@dataclass
class Journal:
    """What happened, in order.

    Attributes:
        events: `seen`, `paused`, `refused`, `made`, `deleted`, each with kind and name; of a refusal, AWS's words too.
    """

    events: list[tuple[str, Key, str]] = field(default_factory=list)
    _noted: set[tuple[str, Key, str]] = field(default_factory=set)

    def note(self, event: str, key: Key, words: str = "") -> None:
        """Notes an event once."""
        if (event, key, words) not in self._noted:
            self._noted.add((event, key, words))
            self.events.append((event, key, words))

    def of(self, event: str) -> list[Key]:
        """Returns the resources that an event happened to, in order."""
        return [key for what, key, _ in self.events if what == event]

    def refusals(self) -> list[str]:
        """Returns what AWS refused, and its words."""
        return [f"{kind} {name}: {words}" for event, (kind, name), words in self.events if event == "refused"]

    def before(self, first: tuple[str, Key], then: tuple[str, Key]) -> bool:
        """Returns whether both events happened, one before the other."""
        happened = [(event, key) for event, key, _ in self.events]
        return first in happened and then in happened and happened.index(first) < happened.index(then)


class ProviderDouble:
    """A double of provider-aws, for one namespace."""

    def __init__(self, kubeconfig: Path, namespace: str, *, seed: int = 0, spread: float = 0.0) -> None:
        """Connects to nothing yet.

        Args:
            kubeconfig: Of the apiserver.
            namespace: Whose resources it makes.
            seed: Of the order in which it looks at resources, and of the times that AWS takes.
            spread: The most seconds that AWS takes for a resource; each takes a random part of it.
        """
        self.account, self.journal = Account(), Journal()
        self._kubeconfig, self._namespace, self._spread = kubeconfig, namespace, spread
        self._random = random.Random(seed)  # noqa: S311
        self._seen: dict[Key, Json] = {}
        self._due: dict[Key, float] = {}
        self._retry: dict[Key, float] = {}
        self._at_rest: dict[Key, tuple[str, int]] = {}
        self._epoch = self._polls = 0
        self._slow: dict[str, float] = {}
        self._failing: dict[str, str] = {}
        self._denied = ""
        self._changed: set[Key] = set()
        self._kinds = Kinds()
        self._writes: Counter[str] = Counter()
        self._error: BaseException | None = None
        self._stopping, self._ready = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._main, name="provider-double", daemon=True)

    def slow(self, kind: str, seconds: float) -> None:
        """Lets AWS take `seconds` for every resource of a kind, such as `rds.ClusterInstance`."""
        self._slow[kind] = seconds
        self._epoch += 1

    def fail(self, kind_or_name: str, message: str) -> None:
        """Lets AWS answer with `message` whatever is asked of a kind, or of the resource of that name."""
        self._failing[kind_or_name] = message
        self._epoch += 1

    def change(self, key: Key, field: str, value: Any) -> None:
        """Changes a field of a resource in AWS, behind the provider's back: it sees that; AWS repairs it at `repair`."""
        made = deepcopy(self.account.made[key])
        made["status"]["atProvider"][field] = value
        self.account.made[key] = made
        self._changed.add(key)
        self._epoch += 1

    def repair(self) -> None:
        """Lets AWS come to the end of what the provider, where it may, has begun to repair."""
        self._changed.clear()
        self._epoch += 1

    def stranger(self, kind: str, **spec: Any) -> Key:
        """Lets somebody else make something in AWS; returns its key, for `leave`.

        Args:
            kind: Such as `ec2.NetworkInterface`, whether it is a kind of ours or not.
            spec: What is asked of it.
        """
        service, _, name = kind.partition(".")
        key = (kind, f"stranger-{name.lower()}-{len(self.account.strangers)}")
        arn = f"arn:aws:{service}:{spec.get('region', '')}:{ACCOUNT}:{name.lower()}:{key[1]}"
        self.account.strangers[key] = {
            "apiVersion": f"{service}.aws.m.upbound.io/v1beta1",
            "kind": name,
            "metadata": {"name": key[1], "annotations": {"crossplane.io/external-name": key[1]}},
            "spec": {"forProvider": spec},
            "status": {"atProvider": {"id": key[1], "arn": arn}},
        }
        return key

    def protect(self, key: Key) -> None:
        """Lets somebody protect a resource of ours against deletion, until `leave`."""
        self.account.protected.add(key)

    def leave(self, key: Key) -> None:
        """Lets somebody else delete again what they made, or end what they protect."""
        self.account.strangers.pop(key, None)
        self.account.protected.discard(key)
        self._epoch += 1

    def poll(self) -> None:
        """Lets the provider read all of AWS once more, as it does every ten minutes; AWS gives sets in any order."""
        self._polls += 1
        self._epoch += 1

    @property
    def rests(self) -> bool:
        """Whether everything was looked at since anything changed."""
        seen = list(self._seen.items())
        return all(self._at_rest.get(key) == self._state(resource) for key, resource in seen)

    def deny(self, words: str) -> None:
        """Lets AWS answer whatever is asked of it with `words`, as it does where credentials are none; `heal` ends it."""
        self._denied = words
        self._epoch += 1

    def switch_over(self, region: str) -> None:
        """Moves the writer of the global database to a region, as a person does in AWS."""
        self.account.writer = region
        self._epoch += 1

    def heal(self) -> None:
        """Lets everything that failed go well again, and whatever others made or protected go."""
        self._failing.clear()
        self.account.strangers.clear()
        self.account.protected.clear()
        self._denied = ""
        self._epoch += 1

    def __enter__(self) -> Self:
        """Starts it, and waits until it watches."""
        self._thread.start()
        while not self._ready.wait(0.1):
            self.check()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stops it; raises what it died of, if nothing else is raised."""
        self._stopping.set()
        self._thread.join(30)
        if error is None:
            self.check()

    def check(self) -> None:
        """Raises what the double died of, if it did."""
        if self._error is not None:
            message = "the double of the provider died"
            raise AssertionError(message) from self._error

    def _main(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:  # noqa: BLE001 (told to the test, which runs in another thread)
            self._error = error

    async def _run(self) -> None:
        deadline = time.monotonic() + _LONGEST
        async with connect(self._kubeconfig) as api, asyncio.TaskGroup() as group:
            await self._learn(api)
            watches = [group.create_task(self._watch(api, kind)) for kind in KINDS]
            self._ready.set()
            while not self._stopping.is_set():
                if time.monotonic() > deadline:
                    # Else whatever waits for it would only say that it waited.
                    message = f"nobody has stopped it for {_LONGEST} s"
                    raise TimeoutError(message)
                await self._look(api)
                await asyncio.sleep(_TICK)
            for watch in watches:
                watch.cancel()

    async def _learn(self, api: Apiserver) -> None:
        """Reads what each kind says."""
        for api_version in sorted({kind.entry.api_version for kind in KINDS}):
            for title, schema in (await api.schemas(*api_version.split("/"))).items():
                kind = f"{api_version.partition('.')[0]}.{title.rpartition('.')[2]}"
                if kind in catalogue():
                    self._kinds.learn(kind, schema)

    async def _watch(self, api: Apiserver, kind: AwsKind) -> None:
        async for change, resource in api.changes(kind.entry, self._namespace):
            key = key_of(resource)
            if change == "DELETED":
                self._seen.pop(key, None)
            else:
                if key not in self._seen or _version(resource) >= _version(self._seen[key]):
                    self._seen[key] = resource
                self.journal.note("seen", key)

    async def _look(self, api: Apiserver) -> None:
        """Looks once at every resource that is not at rest."""
        keys = sorted(key for key, resource in self._seen.items() if self._at_rest.get(key) != self._state(resource))
        self._random.shuffle(keys)
        turn = asyncio.Semaphore(_AT_ONCE)

        async def visit(key: Key) -> None:
            async with turn:
                resource = self._seen.get(key)
                if resource is None:
                    return
                if is_paused(resource):
                    do = self._leave
                elif self._denied:
                    do = self._turn_away
                else:
                    do = self._delete if resource["metadata"].get("deletionTimestamp") else self._make
                with suppress(AwayError):  # It is looked at again.
                    await do(api, key, resource)

        await asyncio.gather(*map(visit, keys))

    def _state(self, resource: Json) -> tuple[str, int]:
        return resource["metadata"]["resourceVersion"], self._epoch

    async def _leave(self, api: Apiserver, key: Key, resource: Json) -> None:
        """Leaves a paused resource alone, its deletion too, and says so in `Synced` (crossplane-runtime's reconciler)."""
        self.journal.note("paused", key)
        before = resource.get("status", {}).get("conditions", [])
        told = _condition(resource, "Synced", "False", "ReconcilePaused", "")
        conditions = [told if one["type"] == "Synced" else one for one in before]
        if told not in conditions:
            conditions.append(told)
        if conditions != before:
            status = {**resource.get("status", {}), "conditions": conditions}
            await self._write(api, key, {**resource, "status": status}, "status")
        self._at_rest[key] = self._state(self._seen.get(key, resource))

    async def _make(self, api: Apiserver, key: Key, resource: Json) -> None:  # noqa: PLR0911 (as many ends as AWS has)
        try:
            resolution = self._kinds.resolution(resource, self._seen.get)
            if resolution:
                self._writes[key[0]] += 1
                resource = await api.apply(catalogue()[key[0]], resolution, RESOLVER) or resource
            prepared = self._kinds.prepared(resource, self._seen.get, self.account.made.get(key))
        except UnresolvedError as error:
            await self._report(api, key, resource, trouble=str(error))
            return
        if prepared != resource:
            stored = await self._write(api, key, prepared)
            if stored is None:
                return
            resource = stored
        failing = self._failing.get(key[0]) or self._failing.get(key[1])
        if failing:
            verb = "update" if key in self.account.made else "create"
            await self._report(api, key, resource, trouble=_aws(verb, failing))
            return
        password = await self._password(api, resource)
        if key in self.account.made:
            if await self._left_as_it_is(api, key, resource):
                return
            why = self.account.changed(resource)
            if why:
                await self._refuse(api, key, resource, "update", why)
                return
        else:
            why = self.account.refusal(resource)
            if why:
                await self._refuse(api, key, resource, "create", why)
                return
            takes = self._slow.get(key[0], 0.0) + self._random.uniform(0, self._spread)
            if time.monotonic() < self._due.setdefault(key, time.monotonic() + takes):
                await self._report(api, key, resource)
                return
        made = self._kinds.answer(resource, self.account)
        if self.account.made.get(key) != made:
            await self._publish(api, made, password)
        self.account.made[key] = made
        self.journal.note("made", key)
        await self._report(api, key, resource, made=self.account.made[key])

    async def _turn_away(self, api: Apiserver, key: Key, resource: Json) -> None:
        """Says that AWS was asked what is there, which comes before everything else, and did not say."""
        why = f"operation error, https response error StatusCode: 403, RequestID: {uuid4()}, {self._denied}"
        await self._report(
            api, key, resource, trouble=f"observe failed: failed to observe the resource: [{{0 {why}  []}}]"
        )

    async def _left_as_it_is(self, api: Apiserver, key: Key, resource: Json) -> bool:
        """Reports what AWS has, where the provider may not change it, or has only now seen that somebody else did.

        As upjet does it: Observe writes what AWS has into the status, and what repairs it runs beside (crossplane-runtime,
        pkg/reconciler/managed/reconciler.go: `policy.ShouldUpdate()`).
        """
        if {"*", "Update"} & set(resource["spec"]["managementPolicies"]) and key not in self._changed:
            return False
        await self._report(api, key, resource, made=self.account.made[key])
        return True

    async def _password(self, api: Apiserver, resource: Json) -> str:
        """Returns the password that a resource names; the provider generates one where it is asked to."""
        reference = resource["spec"]["forProvider"].get("masterPasswordSecretRef")
        if not reference:
            return ""
        there = await api.secret(self._namespace, reference["name"])
        made = secrets.generated(resource, there)
        if made:
            await api.apply_secret(made)
        return secrets.read(made or there).get(reference["key"], "")

    async def _publish(self, api: Apiserver, made: Json, password: str) -> None:
        """Writes the connection details of a resource that is made, where it asks for them."""
        secret = secrets.published(made, password)
        if secret:
            await api.apply_secret(secret)

    async def _delete(self, api: Apiserver, key: Key, resource: Json) -> None:
        finalizers = resource["metadata"].get("finalizers", [])
        if FINALIZER not in finalizers:
            return
        failing = self._failing.get(key[0]) or self._failing.get(key[1])
        policies = resource["spec"]["managementPolicies"]
        deletes = {"*", "Delete"} & set(policies)
        why = failing or (self.account.holds(resource) if deletes else "")
        if why:
            await self._refuse(api, key, resource, "delete", why)
            return
        if deletes or policies == ["Observe"]:
            self.account.made.pop(key, None)
        elif key in self.account.made:
            self.account.retained.add(key)
        self._due.pop(key, None)
        self.journal.note("deleted", key)
        meta = {**resource["metadata"], "finalizers": [name for name in finalizers if name != FINALIZER]}
        await self._write(api, key, {**resource, "metadata": meta})

    async def _refuse(self, api: Apiserver, key: Key, resource: Json, verb: str, why: str) -> None:
        self.journal.note("refused", key, why)
        await self._report(api, key, resource, trouble=why if why == _ONLY_OBSERVED else _aws(verb, why))

    async def _report(
        self, api: Apiserver, key: Key, resource: Json, *, trouble: str = "", made: Json | None = None
    ) -> None:
        """Writes the status where it says something new."""
        before = resource.get("status", {})
        conditions = _conditions(resource, trouble, made=made is not None)
        types = [condition["type"] for condition in conditions]
        others = [condition for condition in before.get("conditions", []) if condition["type"] not in types]
        # The order in which they first came: a provider changes them where they are.
        order = [condition["type"] for condition in before.get("conditions", [])]
        conditions = sorted(
            [*others, *conditions], key=lambda c: order.index(c["type"]) if c["type"] in order else len(order)
        )
        status = {**before, "conditions": conditions}
        if made:
            status["atProvider"] = self._kinds.looked_at(made, self._polls)
        now = time.monotonic()
        # What is turned away waits longer each time, up to an hour.
        again = bool(_ASYNC.match(trouble)) and "RequestID" in trouble and now > self._retry.get(key, now)
        if _told(status) == _told(before) and not again:
            self._retry.setdefault(key, now + _RETRY)
            if made:
                self._at_rest[key] = self._state(resource)
            return
        self._retry[key] = now + _RETRY
        if again:
            # While it tries again all is well but what is told of the last time.
            trying = [
                _condition(resource, "Synced", "True", "ReconcileSuccess", "") if one["type"] == "Synced" else one
                for one in before.get("conditions", [])
            ]
            stored = await self._write(api, key, {**resource, "status": {**before, "conditions": trying}}, "status")
            resource = stored or resource
        await self._write(api, key, {**resource, "status": status}, "status")

    async def _write(self, api: Apiserver, key: Key, resource: Json, subresource: str = "") -> Json | None:
        self._writes[key[0]] += 1
        stored = await api.replace(catalogue()[key[0]], resource, subresource)
        # The watch may have told already of what came after it, such as that it is deleted.
        if stored is not None and key in self._seen and _version(stored) > _version(self._seen[key]):
            self._seen[key] = stored
        return stored


def _version(resource: Json) -> int:
    """Resource versions of one kind can be compared as numbers (KEP-5504, Kubernetes 1.35)."""
    return int(resource["metadata"]["resourceVersion"])


def _aws(verb: str, why: str) -> str:
    """Returns how a provider tells of AWS's words: in upjet's frame, with an id that is another one each time."""
    return (
        f"{verb} failed: async {verb} failed: failed to {verb} the resource: [{{0 operation error, https response error"
        f" StatusCode: 400, RequestID: {uuid4()}, {why}  []}}]"
    )


def _conditions(resource: Json, trouble: str, *, made: bool) -> list[Json]:
    """Returns the conditions that upjet writes: every kind of ours is made and changed asynchronously."""
    synced = ("False", "ReconcileError", trouble) if trouble else ("True", "ReconcileSuccess", "")
    found = [_condition(resource, "Synced", *synced)]
    if "deletionTimestamp" in resource["metadata"]:
        found.append(_condition(resource, "Ready", "False", "Deleting", ""))
    elif made:
        found.append(_condition(resource, "Ready", "True", "Available", ""))
    elif not trouble:
        found.append(_condition(resource, "Ready", "False", "Creating", ""))
    failed = _ASYNC.match(trouble)
    if failed:
        reason = f"Async{failed[1].capitalize()}Failure"
        found.append(_condition(resource, "LastAsyncOperation", "False", reason, failed[2]))
    elif made:
        found.append(_condition(resource, "LastAsyncOperation", "True", "Success", ""))
    return found


def _condition(resource: Json, type_: str, status: str, reason: str, message: str) -> Json:
    """Returns a condition; the time moves where the status does."""
    before: Json = next((c for c in resource.get("status", {}).get("conditions", []) if c["type"] == type_), {})
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        **({"message": message} if message else {}),
        "lastTransitionTime": before["lastTransitionTime"] if before.get("status") == status else now,
        "observedGeneration": resource["metadata"]["generation"],
    }


def _told(status: Json) -> Json:
    """Returns what a status says, without what is another one each time."""
    conditions = [
        {**condition, "message": _REQUEST_ID.sub("", condition.get("message", "")), "lastTransitionTime": ""}
        for condition in status.get("conditions", [])
    ]
    return {**status, "conditions": conditions}
