"""An apiserver as the verbs of `tap` see it: objects by their URL, over HTTP, in memory. A test double.

It knows optimistic locking, dry runs, patches of whole fields, label selectors by key or value, who asks, and how to refuse or to be gone.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from tap_api.base import Json
from tap_api.kinds import KINDS
from tap_api.naming import LABEL_ENVIRONMENT_TAP
from tap_stack.catalogue import catalogue


class RestApi:
    """An apiserver.

    Attributes:
        objects: Everything that is stored, by URL.
        user: Who asks, whoever it is.
        refused: (method, beginning of a URL) -> status and message of the answer.
        asked: Every request, as `GET /url`.
        gone_after: The number of requests after which it hangs up; None: never.
    """

    def __init__(self, *objects: tuple[str, Json], user: str = "alice") -> None:
        self.objects: dict[str, Json] = {}
        self.user = user
        self.refused: dict[tuple[str, str], tuple[int, str]] = {}
        self.asked: list[str] = []
        self.gone_after: int | None = None
        self._version = 0
        for list_path, manifest in objects:
            self.put(list_path, manifest)

    def put(self, list_path: str, manifest: Json) -> None:
        """Stores an object in the list at `list_path`, such as `/api/v1/namespaces/a/secrets`."""
        self._store(f"{list_path}/{manifest['metadata']['name']}", deepcopy(manifest))

    def answer(self, method: str, url: str, body: Json | None) -> tuple[int, Json]:
        """Returns status and body of the answer to a request."""
        path, query = urlsplit(url).path, parse_qs(urlsplit(url).query)
        for (verb, begins), (status, message) in self.refused.items():
            if method == verb and path.startswith(begins):
                return status, _status(status, message)
        if path.endswith("/selfsubjectreviews"):
            return 201, {"status": {"userInfo": {"username": self.user}}}
        if method == "GET":
            found = self.objects.get(path)
            return (200, found) if found else self._list(path, query.get("labelSelector", [""])[0])
        assert body is not None
        if "dryRun" in query:
            return 201, body
        return self._write(method, path, body)

    def _write(self, method: str, path: str, body: Json) -> tuple[int, Json]:
        place = f"{path}/{body['metadata']['name']}" if method == "POST" else path
        there = self.objects.get(place)
        if there and _is_stale(method, body, there):
            return 409, _status(409, "the object has been modified")
        if method == "DELETE":
            gone = self.objects.pop(path, None)
            return (200, gone) if gone else (404, _status(404, "not found", "NotFound"))
        if method == "PATCH":
            old = there or {"metadata": {}}
            return 200, self._store(path, {**old, **body, "metadata": {**old["metadata"], **body["metadata"]}})
        if method == "POST" and there:
            return 409, _status(409, "already exists", "AlreadyExists")
        if method == "PUT" and not there:
            return 404, _status(404, "not found")
        return 201, self._store(place, body)

    def _list(self, path: str, labels: str) -> tuple[int, Json]:
        root, _, plural = path.rpartition("/")
        found = []
        for place, item in sorted(self.objects.items()):
            above, _, _ = place.rpartition("/")
            inside = above == path or (above.startswith(f"{root}/namespaces/") and above.endswith(f"/{plural}"))
            there = item["metadata"].get("labels") or {}
            key, _, value = labels.partition("=")
            if inside and (not labels or (there.get(key) == value if value else key in there)):
                found.append(item)
        if not found and plural not in _SERVED:
            return 404, _status(404, "the server could not find the requested resource", "NotFound")
        return 200, {"kind": f"{found[0]['kind'] if found else ''}List", "items": found}

    def _store(self, place: str, manifest: Json) -> Json:
        self._version += 1
        uid = manifest["metadata"].get("uid") or f"uid-{self._version}"
        metadata = {**manifest["metadata"], "uid": uid, "resourceVersion": str(self._version)}
        self.objects[place] = {**manifest, "metadata": metadata}
        return self.objects[place]


#: Kinds of which there may be none.
_SERVED = {"leases", "customresourcedefinitions", "deployments", "events", *(kind.plural for kind in KINDS.values())}


def _is_stale(method: str, body: Json, there: Json) -> bool:
    """Returns whether a write speaks of a version that is there no more; a patch may speak of none."""
    unsaid = there["metadata"]["resourceVersion"] if method == "PATCH" else None
    meant = body.get("metadata", {}).get("resourceVersion", unsaid)
    return method in ("PUT", "PATCH") and meant != there["metadata"]["resourceVersion"]


def _status(code: int, message: str, reason: str = "") -> Json:
    words = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 500: "InternalError"}
    return {"kind": "Status", "status": "Failure", "reason": reason or words[code], "message": message, "code": code}


def holding(there: list[Json]) -> RestApi:
    """Returns one that holds all that there is of environment `dev`, and can be asked which kinds it serves."""
    api = RestApi()
    plurals = {(entry.api_version, entry.kind): entry.plural for entry in catalogue().values()}
    served: dict[str, list[Json]] = {}
    references: dict[str, list[Json]] = {}
    for item in there:
        owner = (item["metadata"].get("ownerReferences") or [{}])[0].get("name", "")
        references.setdefault(owner, []).append({"apiVersion": item["apiVersion"], "kind": item["kind"]})
    for item in there:
        plural = plurals.get((item["apiVersion"], item["kind"])) or KINDS[item["kind"]].plural
        held = deepcopy(item)
        if item["kind"] in KINDS:
            held["spec"]["crossplane"] = {"resourceRefs": references.get(item["metadata"]["name"], [])}
        held["metadata"].setdefault("labels", {})[LABEL_ENVIRONMENT_TAP] = "dev"
        api.put(f"/apis/{item['apiVersion']}/namespaces/tap-dev/{plural}", held)
        served.setdefault(item["apiVersion"], []).append({"name": plural, "kind": item["kind"], "namespaced": True})
    for version, resources in served.items():
        known = [{"singularName": "", "verbs": ["list"], **resource} for resource in resources]
        api.objects[f"/apis/{version}"] = {"groupVersion": version, "resources": known, "metadata": {}}
    api.objects["/version"] = {"gitVersion": "v1.36.4", "metadata": {}}
    return api


def kubeconfig_of(folder: Path, cluster: Json, user: Json) -> Path:
    """Writes a kubeconfig of a cluster and of a user, and returns its path."""
    document = {
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "clusters": [{"name": "a", "cluster": cluster}],
        "users": [{"name": "a", "user": user}],
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(document))
    return file


@contextmanager
def serving(api: RestApi, folder: Path) -> Iterator[Path]:
    """Yields a kubeconfig whose cluster `api` is."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            api.asked.append(f"{self.command} {self.path}")
            if api.gone_after is not None and len(api.asked) > api.gone_after:
                self.close_connection = True
                self.connection.close()
                return
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, answer = api.answer(self.command, self.path, body)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _do  # noqa: N815

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (OSError, ValueError):  # It hung up on purpose.
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        kubeconfig = kubeconfig_of(folder, {"server": f"http://127.0.0.1:{server.server_port}"}, {"token": "t"})
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield kubeconfig
        finally:
            server.shutdown()
