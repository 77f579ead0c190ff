"""What the double of the provider asks of an apiserver: discovery, list and watch, replacing what it read, Secrets."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import client, config

from tap_api.base import Json
from tap_stack.catalogue import Entry


class AwayError(Exception):
    """The apiserver answers nothing just now, or that it cannot: it was killed, or has just been started."""


_SECONDS = 0.5


class Apiserver:
    """An apiserver."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        """Args: session: one that is logged in, with the apiserver's address as its base."""
        self._session = session

    async def schemas(self, group: str, version: str) -> Json:
        """Returns the OpenAPI schemas of a group, by name."""
        async with self._session.get(f"/openapi/v3/apis/{group}/{version}") as answer:
            answer.raise_for_status()
            schemas: Json = (await answer.json())["components"]["schemas"]
            return schemas

    async def changes(self, entry: Entry, namespace: str) -> AsyncIterator[tuple[str, Json]]:
        """Yields every resource of a kind, and then what becomes of it, for ever; it outlives the apiserver."""
        path = _path(entry, namespace)
        there: dict[str, Json] = {}
        while True:
            try:
                async for change, resource in self._changes(entry, path, there):
                    yield change, resource
            except AwayError:
                await asyncio.sleep(_SECONDS)

    async def _changes(self, entry: Entry, path: str, there: dict[str, Json]) -> AsyncIterator[tuple[str, Json]]:
        """Lists and watches once. What went while nobody watched is told as what went; `there` is kept up to date."""
        async with self._asked("GET", path) as answer:
            answer.raise_for_status()
            found = await answer.json()
        listed = {item["metadata"]["name"]: item for item in found["items"]}
        for name in there.keys() - listed.keys():
            yield "DELETED", there.pop(name)
        for name, item in listed.items():
            there[name] = {"apiVersion": entry.api_version, "kind": entry.kind, **item}
            yield "ADDED", there[name]
        async for change, resource in self._watch(path, found["metadata"]["resourceVersion"]):
            name = resource["metadata"]["name"]
            if change == "DELETED":
                there.pop(name, None)
            else:
                there[name] = resource
            yield change, resource

    async def _watch(self, path: str, version: str) -> AsyncIterator[tuple[str, Json]]:
        query = {"watch": "true", "resourceVersion": version}
        # No limit of aiohttp's on a line: an object that carries code is longer.
        timeout = aiohttp.ClientTimeout(sock_connect=5)
        async with self._asked("GET", path, params=query, timeout=timeout) as answer:
            answer.raise_for_status()
            rest = b""
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        return
                    yield event["type"], event["object"]

    @asynccontextmanager
    async def _asked(self, method: str, path: str, **how: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yields an answer that is one.

        Raises:
            AwayError: There is none, or it breaks off.
        """
        try:
            async with self._session.request(method, path, **how) as answer:
                # 503 while it starts; 500 ("rpc error: code = Unavailable") while etcd is away.
                if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    message = f"{answer.status} {answer.reason}"
                    raise AwayError(message)
                yield answer
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise AwayError(str(error)) from error

    async def replace(self, entry: Entry, resource: Json, subresource: str = "") -> Json | None:
        """Replaces a resource as it was read; returns what is stored, None if it changed meanwhile or is gone."""
        meta = resource["metadata"]
        path = "/".join(step for step in (_path(entry, meta["namespace"]), meta["name"], subresource) if step)
        query = {"fieldManager": "provider-double", "fieldValidation": "Strict"}
        async with self._asked("PUT", path, params=query, json=resource) as answer:
            if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
                return None
            body = await answer.text()
            if not answer.ok:
                message = f"the apiserver refuses what the double writes to {path}: {answer.status} {body[:500]}"
                raise AssertionError(message)
            stored: Json = json.loads(body)
            return stored

    async def apply(self, entry: Entry, resource: Json, manager: str) -> Json | None:
        """Applies a resource with force as `manager`; returns what is stored, None where it is gone."""
        path = f"{_path(entry, resource['metadata']['namespace'])}/{resource['metadata']['name']}"
        async with self._applied(path, resource, manager) as answer:
            # To apply to what has just gone is to make it, of which what is applied is too little.
            if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and await self._gone(path):
                return None
            if answer.status == HTTPStatus.NOT_FOUND:
                return None
            answer.raise_for_status()
            stored: Json = await answer.json()
            return stored

    async def _gone(self, path: str) -> bool:
        async with self._asked("GET", path) as answer:
            return answer.status == HTTPStatus.NOT_FOUND

    def _applied(self, path: str, resource: Json, manager: str) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        query = {"fieldManager": manager, "fieldValidation": "Strict", "force": "true"}
        how = {"Content-Type": "application/apply-patch+yaml"}
        return self._asked("PATCH", path, params=query, headers=how, data=json.dumps(resource))

    async def secret(self, namespace: str, name: str) -> Json | None:
        """Returns a Secret; None where there is none."""
        async with self._asked("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}") as answer:
            if answer.status == HTTPStatus.NOT_FOUND:
                return None
            answer.raise_for_status()
            found: Json = await answer.json()
            return found

    async def apply_secret(self, secret: Json) -> None:
        """Writes a Secret, whether it is there or not."""
        meta = secret["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/secrets/{meta['name']}"
        async with self._applied(path, secret, "provider-double") as answer:
            answer.raise_for_status()


def _path(entry: Entry, namespace: str) -> str:
    return f"/apis/{entry.api_version}/namespaces/{namespace}/{entry.plural}"


@asynccontextmanager
async def connect(kubeconfig: Path) -> AsyncIterator[Apiserver]:
    """Opens the apiserver for as long as the block runs."""
    settings = client.Configuration()
    await config.load_kube_config(str(kubeconfig), client_configuration=settings)  # type: ignore[no-untyped-call]
    context = ssl.create_default_context(cafile=settings.ssl_ca_cert)
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    token = settings.api_key.get("BearerToken")
    headers = {"Authorization": token} if token else {}
    # A watch for each kind stays open.
    connector = aiohttp.TCPConnector(ssl=context, limit=0)
    async with aiohttp.ClientSession(settings.host, connector=connector, headers=headers) as session:
        yield Apiserver(session)
    # https://docs.aiohttp.org/en/stable/client_advanced.html#graceful-shutdown: TLS closes a little later.
    await asyncio.sleep(0.3)
