"""What the verbs write into a cluster. With tap_cli.cluster the only module here that knows the Kubernetes client."""

import json
from typing import Any

from kubernetes.client.exceptions import ApiException

from tap_api.base import GROUP, VERSION, Json
from tap_api.errors import TapError
from tap_api.kinds import KINDS
from tap_cli.cluster import Cluster, ClusterError
from tap_cli.intent import MANAGER, Intent, taken_over


class RefusedByClusterError(TapError):
    """The cluster refused to store an object; the message has every violation."""


class Writer(Cluster):
    """Applies claims."""

    def apply(self, wanted: Intent) -> Json:
        """Applies a claim server-side, as ours, and returns what is stored.

        Raises:
            RefusedByClusterError: admission, the schema or another manager speaks against it.
            ClusterError: the cluster does not answer, or the caller may not.
        """
        place = self._place(wanted.document)
        if wanted.live is not None:
            meta = wanted.live["metadata"]
            fields = taken_over(meta.get("managedFields") or [])
            if fields is not None:
                patch = [
                    {"op": "replace", "path": "/metadata/managedFields", "value": fields},
                    {"op": "replace", "path": "/metadata/resourceVersion", "value": meta["resourceVersion"]},
                ]
                self._patch(wanted.document, *place, patch, _content_type="application/json-patch+json")
        kind = "application/apply-patch+yaml"
        options = {"field_manager": MANAGER, "field_validation": "Strict", "_content_type": kind}
        return self._patch(wanted.document, *place, wanted.document, **options)

    def _patch(self, document: Json, *args: Any, **options: Any) -> Json:  # noqa: ANN401
        what = f"{document['kind']} {document['metadata']['name']}"
        try:
            stored: Json = self._call("change", what, self._objects.patch_namespaced_custom_object, *args, **options)
        except ClusterError as error:
            if isinstance(error.__cause__, ApiException):
                raise _explained(what, document["metadata"]["namespace"], error, error.__cause__) from error
            raise
        return stored

    @staticmethod
    def _place(document: Json) -> tuple[str, str, str, str, str]:
        meta = document["metadata"]
        return GROUP, VERSION, meta["namespace"], KINDS[document["kind"]].plural, meta["name"]


def _explained(what: str, namespace: str, error: ClusterError, cause: ApiException) -> TapError:
    """Returns what the apiserver says, as one that is read: every violation on its own line."""
    try:
        answer = json.loads(cause.body or "{}")
    except ValueError:
        return error
    message, details = str(answer.get("message") or ""), answer.get("details") or {}
    if cause.status == 404 and details.get("kind") == "namespaces":
        return ClusterError(f"namespace {namespace} is not there; make it first: kubectl create namespace {namespace}")
    if cause.status == 403 and "cannot patch resource" in message:
        return ClusterError(f"you may not change {what} in {namespace}; ask for the ClusterRole `tap-edit`")
    if cause.status not in (400, 403, 409, 422):
        return error
    causes = [f"- {found.get('field', '')}: {found.get('message', '')}" for found in details.get("causes") or ()]
    said = "\n".join(causes) if causes and cause.status in (409, 422) else message.partition("denied the request: ")[2]
    return RefusedByClusterError(f"the cluster refuses {what}; nothing of it was changed:\n{said or message}")
