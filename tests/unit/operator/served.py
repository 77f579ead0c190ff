"""The webhook, served over TLS through kopf's own admission engine with kopf's handlers, as the apiserver meets it."""

import asyncio
import io
import json
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import kopf
import trustme
from kopf._cogs.structs.ephemera import AnyMemo, Memo
from kopf._cogs.structs.references import Insights
from kopf._cogs.structs.references import Resource as KopfResource
from kopf._core.engines.admission import serve_admission_request
from kopf._core.engines.indexing import OperatorIndexers
from kopf._core.reactor.inventory import ResourceMemories

from tap_api.base import GROUP, VERSION, Json
from tap_api.policy import Organisation
from tap_operator.admission import handlers
from tap_operator.reviews import BY_PLURAL
from tap_operator.webhook import Webhook
from unit.operator.double import InMemoryCluster

HOST = "tap-admission.tap-system.svc"
GOOD: Json = {
    "apiVersion": "admission.k8s.io/v1",
    "kind": "AdmissionReview",
    "request": {
        "uid": "705ab4f5",
        "operation": "CREATE",
        "userInfo": {"username": "somebody"},
        "resource": {"group": GROUP, "version": VERSION, "resource": "environmenttaps"},
        "object": {
            "metadata": {"name": "prod", "namespace": "tap-prod"},
            "spec": {
                "environment": "prod",
                "primaryRegion": "us-east-1",
                "tags": {"CostCenter": "platform-4200"},
                "regions": [{"name": "us-east-1", "cidr": "10.0.0.0/16"}],
            },
        },
        "oldObject": None,
    },
}


PLURALS = tuple(BY_PLURAL)


def judge(plurals: tuple[str, ...] = PLURALS, organisation: Organisation | None = None) -> Any:
    """Returns kopf's admission engine with our handlers, in a cluster that serves `plurals`."""
    insights = Insights()
    insights.webhook_resources.update(
        KopfResource(group=GROUP, version=VERSION, plural=plural, namespaced=True, preferred=True) for plural in plurals
    )
    return partial(
        serve_admission_request,
        settings=kopf.OperatorSettings(),
        memories=ResourceMemories(),
        memobase=AnyMemo(Memo()),
        registry=handlers(InMemoryCluster(), organisation),
        insights=insights,
        indices=OperatorIndexers().indices,
    )


def issue(authority: trustme.CA, folder: Path) -> None:
    leaf = authority.issue_cert(HOST)
    folder.joinpath("tls.crt").write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    folder.joinpath("tls.key").write_bytes(leaf.private_key_pem.bytes())


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Served:
    """A webhook that serves, and what the apiserver trusts."""

    def __init__(
        self, webhook: Webhook, port: int, authority: trustme.CA, folder: Path, task: asyncio.Task[None]
    ) -> None:
        self.webhook, self.port, self.authority, self.folder = webhook, port, authority, folder
        self._task = task

    async def end(self) -> None:
        """Asks it to end, as kopf does, and waits until it has."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/?timeout=3s"

    async def post(self, body: bytes | Json, path: str = "/?timeout=3s", authority: trustme.CA | None = None) -> Any:
        trust = ssl.create_default_context()
        (authority or self.authority).configure_trust(trust)
        data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session,
            session.post(f"https://127.0.0.1:{self.port}{path}", data=data, ssl=trust, server_hostname=HOST) as answer,
        ):
            text = await answer.text()
            try:
                return answer.status, json.loads(text)
            except ValueError:
                return answer.status, text


@asynccontextmanager
async def connect(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that keeps its connection, as an apiserver does."""
    trust = ssl.create_default_context()
    trust.check_hostname = False
    served.authority.configure_trust(trust)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session:
        yield session


@asynccontextmanager
async def serving(folder: Path, drain: float = 0, judged_by: Any = None) -> AsyncIterator[Served]:
    """Serves a webhook whose certificate lies in `folder`, and which ends as it does when kopf is told to."""
    authority, port = trustme.CA(), free_port()
    issue(authority, folder)
    # As processes.admit does. What kopf would log of hostile input, no worker of pytest could send on, either.
    logging.getLogger("kopf.objects").setLevel(logging.CRITICAL)
    webhook = Webhook(("127.0.0.1", port), folder, file_check_interval=0.05, drain=drain)
    listening = asyncio.Event()

    async def serve() -> None:
        async for _ in webhook(judged_by or judge()):
            listening.set()

    task = asyncio.create_task(serve())
    await asyncio.wait_for(listening.wait(), 10)
    served = Served(webhook, port, authority, folder, task)
    try:
        yield served
    finally:
        await served.end()
