"""The edge to the apiserver: one HTTP request for each thing that tap_operator.cluster names, each with a deadline."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
from kubernetes.aio import client

from tap_api.base import Json
from tap_operator.cluster import FIELD_MANAGER, Cluster, Resource
from tap_operator.errors import ClusterError
from tap_operator.login import login

#: Seconds for one request, connecting included. A stuck one must not hold an object's queue.
_DEADLINE = aiohttp.ClientTimeout(total=20, sock_connect=5)
_PAGE = 500
#: Steps of a path that lead into a namespace: `namespaces`, and its name.
_OF_A_NAMESPACE = 2
#: Told of every object that was written, with what the apiserver stored.
OnWrite = Callable[[Json], None]
#: Told of every request: its method, the plural of what was asked for, and the HTTP status; 0 where nobody answered.
OnCall = Callable[[str, str, int], None]


def _unheard(_method: str, _resource: str, _code: int) -> None:
    pass


class ApiCluster:
    """A cluster behind its apiserver."""

    def __init__(self, api: client.ApiClient, on_write: OnWrite = lambda _: None, on_call: OnCall = _unheard) -> None:
        """Args: api: a client that is logged in; on_write, on_call: told of every object written, and every request."""
        self._api = api
        self._on_write = on_write
        self._on_call = on_call

    async def get(self, what: Resource, namespace: str, name: str, *, must_be_served: bool = False) -> Json | None:
        """See Cluster."""
        try:
            return await self._call("GET", what.path(namespace, name))
        except ClusterError as error:
            # Of an object the apiserver says NotFound; of a kind, Not Found in plain text.
            if error.status == 404 and (error.reason == "NotFound" or not must_be_served):
                return None
            raise

    async def referred(self, namespace: str, reference: Json) -> Json | None:
        """See Cluster."""
        api_version, kind = reference["apiVersion"], reference["kind"]
        known = await self._call("GET", f"/apis/{api_version}")
        plural = next((one["name"] for one in known.get("resources") or [] if one["kind"] == kind), None)
        return await self.get(Resource(api_version, plural), namespace, reference["name"]) if plural else None

    async def select(self, what: Resource, namespace: str = "", labels: str = "") -> AsyncIterator[Json]:
        """See Cluster."""
        query = {"limit": str(_PAGE), **({"labelSelector": labels} if labels else {})}
        while True:
            page = await self._page(what, namespace, query)
            for item in page.get("items") or []:
                yield item
            query["continue"] = page.get("metadata", {}).get("continue") or ""
            if not query["continue"]:
                return

    async def holds(self, what: Resource, namespace: str) -> bool:
        """See Cluster."""
        page = await self._page(what, namespace, {"limit": "1"})
        return bool(page.get("items"))

    async def apply(self, what: Resource, manifest: Json, subresource: str = "") -> Json:
        """See Cluster."""
        meta = manifest["metadata"]
        path = what.path(meta.get("namespace", ""), meta["name"], subresource)
        query = {"fieldManager": FIELD_MANAGER, "force": "true", "fieldValidation": "Strict"}
        stored = await self._call("PATCH", path, query, manifest, "application/apply-patch+yaml")
        self._on_write(stored)
        return stored

    async def create(self, what: Resource, manifest: Json, *, dry_run: bool = False) -> Json:
        """See Cluster."""
        path = what.path(manifest["metadata"].get("namespace", ""))
        query = {"fieldManager": FIELD_MANAGER, **({"dryRun": "All"} if dry_run else {})}
        stored = await self._call("POST", path, query, manifest)
        if not dry_run:
            self._on_write(stored)
        return stored

    async def replace(self, what: Resource, manifest: Json) -> Json:
        """See Cluster."""
        meta = manifest["metadata"]
        path = what.path(meta.get("namespace", ""), meta["name"])
        stored = await self._call("PUT", path, {"fieldManager": FIELD_MANAGER}, manifest)
        self._on_write(stored)
        return stored

    async def finalize(self, what: Resource, live: Json, finalizers: list[str]) -> Json:
        """See Cluster."""
        meta = live["metadata"]
        change = {"metadata": {"resourceVersion": meta["resourceVersion"], "finalizers": finalizers}}
        path, query = what.path(meta["namespace"], meta["name"]), {"fieldManager": FIELD_MANAGER}
        stored = await self._call("PATCH", path, query, change, "application/merge-patch+json")
        if finalizers or not meta.get("deletionTimestamp"):
            self._on_write(stored)  # Without the last one it is gone, and no watch tells of this version.
        return stored

    async def delete(
        self, what: Resource, namespace: str, name: str, uid: str, *, dependents_first: bool = False
    ) -> None:
        """See Cluster."""
        policy = "Foreground" if dependents_first else "Background"
        options = {"propagationPolicy": policy, "preconditions": {"uid": uid}}
        try:
            await self._call("DELETE", what.path(namespace, name), body=options)
        except ClusterError as error:
            # A conflict is the precondition: the object of this uid is gone, another has its name.
            if error.status not in (404, 409):
                raise

    async def _page(self, what: Resource, namespace: str, query: Mapping[str, str]) -> Json:
        """Returns a page of a list; nothing where the kind is not served."""
        try:
            return await self._call("GET", what.path(namespace), query)
        except ClusterError as error:
            if error.status == 404:
                return {}
            raise

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        content_type: str = "application/json",
    ) -> Json:
        request = await self._api.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = await self._api.call_api(*request, _request_timeout=_DEADLINE)
            data: bytes = await response.read()  # type: ignore[no-untyped-call]
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._on_call(method, self.plural(path), 0)
            message = f"the apiserver does not answer ({type(error).__name__}: {error})"
            raise ClusterError(0, "Unreachable", message) from error
        self._on_call(method, self.plural(path), response.status)
        answer = _json(data)
        if 200 <= response.status <= 299:
            return answer
        # A kind that is not served is answered in plain text.
        message = f"the apiserver does not serve {path}" if response.status == 404 else f"{method} {path} failed"
        reason = str(answer.get("reason") or response.reason or response.status)
        raise ClusterError(response.status, reason, str(answer.get("message") or message))

    @staticmethod
    def plural(path: str) -> str:
        """Returns the plural of what a path leads to: `/api/v1/namespaces/tap-prod/events/x` to `events`."""
        group = 3 if path.startswith("/apis/") else 2
        steps = path.strip("/").split("/")[group:]
        if steps[:1] == ["namespaces"] and len(steps) > _OF_A_NAMESPACE:
            steps = steps[_OF_A_NAMESPACE:]
        return steps[0] if steps else "discovery"


def _json(data: bytes) -> Json:
    try:
        answer = json.loads(data)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


@asynccontextmanager
async def connect(on_write: OnWrite = lambda _: None, on_call: OnCall = _unheard) -> AsyncIterator[Cluster]:
    """Opens the cluster for as long as the block runs.

    Raises:
        ClusterError: there is no way to log in.
    """
    api = client.ApiClient(await login())
    try:
        yield ApiCluster(api, on_write, on_call)
    finally:
        await api.close()  # type: ignore[no-untyped-call]
