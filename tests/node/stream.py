"""A stream of claims: some that have to be taken and some that have to be refused, and what went wrong with either."""

import json
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from cluster.world import World
from tap_api.base import API_VERSION, GROUP, VERSION

_PAUSE = 0.2
#: One claim in so many is stored, and becomes a region; the others are judged as dry runs.
_STORED = 100


def claim(world: World, name: str, *ranges: str) -> dict[str, Any]:
    """Returns a claim of one region for each range, in the namespace's own peering group."""
    names = ("us-east-1", "us-east-2", "eu-west-1")
    regions = [{"name": region, "cidr": cidr} for region, cidr in zip(names, ranges, strict=False)]
    return {
        "apiVersion": API_VERSION,
        "kind": "EnvironmentTap",
        "metadata": {"name": name, "namespace": world.namespace},
        "spec": {
            "environment": "dev",
            "primaryRegion": names[0],
            "peeringGroup": world.namespace,
            "tags": {"CostCenter": "platform-4200"},
            "regions": regions,
        },
    }


@dataclass
class Stream:
    """Sends claims until its `with` block ends.

    Attributes:
        world: Where to.
        stored: Names of the claims that were taken to be kept.
        judged: How many were judged.
        wrong: What was refused wrongly, or taken wrongly, and when.
    """

    world: World
    stored: list[str] = field(default_factory=list)
    judged: int = 0
    wrong: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        """Begins."""
        settings = client.Configuration()
        config.load_kube_config(str(self.world.cluster.kubeconfig), client_configuration=settings)  # type: ignore[no-untyped-call]
        self._objects: Any = client.CustomObjectsApi(client.ApiClient(settings))
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._begun = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Ends."""
        self._stop.set()
        self._thread.join(60)

    def more(self, count: int, seconds: float = 120) -> None:
        """Waits until `count` more claims were judged."""
        until, deadline = self.judged + count, time.monotonic() + seconds
        while self.judged < until:
            assert time.monotonic() < deadline, f"only {self.judged} of {until} claims were judged"
            time.sleep(0.1)

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(_PAUSE):
            number += 1
            kept = number % _STORED == 1
            # What is kept has a range of its own; the others would have one that nobody takes.
            cidr = f"10.{100 + number // _STORED}.0.0/16" if kept else "10.99.0.0/16"
            self._send(claim(self.world, f"claim-{number}", cidr), kept=kept, good=True)
            self._send(claim(self.world, f"bad-{number}", "10.0.0.0/16", "10.0.128.0/17"), kept=False, good=False)

    def _send(self, document: dict[str, Any], *, kept: bool, good: bool) -> None:
        name, said = document["metadata"]["name"], ""
        try:
            dry = {} if kept else {"dry_run": "All"}
            self._objects.create_namespaced_custom_object(
                GROUP, VERSION, self.world.namespace, "environmenttaps", document, **dry
            )
        except ApiException as error:
            said = json.loads(error.body or "{}").get("message", str(error.status))
        self.judged += 1
        right = not said if good else "denied the request" in said and "overlaps" in said
        if not right:
            self.wrong.append(f"{time.monotonic() - self._begun:.1f} s, {name}: {said or 'was taken'}")
        elif kept:
            self.stored.append(name)
