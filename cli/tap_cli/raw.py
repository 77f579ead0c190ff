"""Single objects of a cluster, by their URL: what the verbs need beside the environments that tap_cli.cluster reads.

Of any API, as plain JSON, and each refusal with its status, so that a verb can tell "there is none" from "you may not".
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from tap_api.base import Json
from tap_cli.cluster import Cluster
from tap_cli.connection import HINT, TIMEOUT, ClusterError, line, unanswered

_USERS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


class RefusedError(ClusterError):
    """The apiserver refused a request.

    Attributes:
        status: The HTTP status.
        reason: One word, such as `Forbidden` or `Conflict`.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        """Args: status and reason as the attributes say, and the apiserver's message."""
        self.status, self.reason = status, reason
        super().__init__(message)


class RawCluster(Cluster):
    """A cluster, with single objects too."""

    def get(self, path: str) -> Json | None:
        """Returns what is at `path`; None where there is nothing, or where nothing like it is served."""
        try:
            return self.request("GET", path)
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def items(self, path: str, labels: str = "") -> list[Json]:
        """Returns the objects of the list at `path` that carry `labels`; none where it is not served."""
        query = f"?labelSelector={quote(labels)}" if labels else ""
        found = self.get(path + query) or {}
        return list(found.get("items") or ())

    def create(self, path: str, manifest: Json) -> Json:
        """Creates an object in the list at `path`."""
        return self.request("POST", path, manifest)

    def replace(self, path: str, manifest: Json) -> Json:
        """Replaces the object at `path`, if it is of the same resourceVersion."""
        return self.request("PUT", path, manifest)

    def me(self) -> str:
        """Returns who asks, as the apiserver names users."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = self.create(_USERS, review)
        return str(((answer.get("status") or {}).get("userInfo") or {}).get("username") or "")

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, accept: str = "application/json"
    ) -> Json:
        """Returns the JSON object that the apiserver answers with; `accept` chooses a form of it.

        Raises:
            RefusedError: it refused.
            ClusterError: it did not answer, or is none.
        """
        client = self._objects.api_client
        headers = {"Accept": accept, "Content-Type": "application/json"}
        call = client.param_serialize(method, path, header_params=headers, body=body, auth_settings=["BearerToken"])
        try:
            response = client.call_api(*call, _request_timeout=TIMEOUT)
            data = response.read() or b""
        except ApiException as error:
            raise _refused(error.status or 0, str(error.reason), str(error.body or "").encode(), path) from error
        except (HTTPError, OSError, ValueError) as error:
            raise unanswered(client, error) from error
        if not 200 <= response.status <= 299:
            raise _refused(response.status, str(response.reason), data, path)
        answer = _json(data)
        if answer is None:
            message = f"what answers is not a Kubernetes API: no JSON at {path}; {HINT}"
            raise ClusterError(message)
        return answer


def path_of(api_version: str, plural: str, namespace: str = "", name: str = "") -> str:
    """Returns the URL of an object, or of a list where `name` is empty."""
    root = "/apis" if "/" in api_version else "/api"
    place = f"namespaces/{quote(namespace, safe='')}/" if namespace else ""
    return f"{root}/{api_version}/{place}{plural}" + (f"/{quote(name, safe='')}" if name else "")


def _refused(status: int, reason: str, data: bytes, path: str) -> RefusedError:
    answer = _json(data) or {}
    said = line(answer.get("message") or f"{status} {reason}")
    if status == 401:
        said = "the cluster does not accept these credentials; log in again"
    elif status == 404:
        said = f"the cluster does not know {path}"
    return RefusedError(status, str(answer.get("reason") or reason), said)


def _json(data: bytes) -> Json | None:
    try:
        answer = json.loads(data)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
