"""What the verbs write into a cluster."""

from typing import Any

from kubernetes.client.exceptions import ApiException

from tap_api.base import GROUP, VERSION, Json, own_spec
from tap_api.kinds import KINDS
from tap_api.naming import ANNOTATION_CONFIRM_REMOVAL, MANAGER
from tap_cli.cluster import Cluster
from tap_cli.connection import ClusterError
from tap_cli.intent import Intent, taken_over
from tap_cli.refusals import RefusedByClusterError, StaleError, explained, warnings

_TRIES = 5
_APPLYING = {
    "field_manager": MANAGER,
    "field_validation": "Strict",
    "_content_type": "application/apply-patch+yaml",
}


class Writer(Cluster):
    """Applies and deletes claims."""

    def apply(self, wanted: Intent) -> Json:
        """Applies a claim server-side, as ours, and returns what is stored.

        To what its plan was made of alone: an intent may hold the whole spec of that moment, and would undo what
        somebody has applied since. Status, finalizers and annotations are written by others all the while, and each
        write is a new version: then it is looked at again.

        Raises:
            RefusedByClusterError: admission, the schema or another manager speaks against it, or the spec was changed.
            ClusterError: the cluster does not answer, or the caller may not.
        """
        document, place = wanted.document, self._place(wanted.document)
        left = _TRIES
        while True:
            live, left = self._stored(document), left - 1
            if _asked(live) != _asked(wanted.live):
                what = f"{document['kind']} {document['metadata']['name']}"
                message = f"{what} was changed since its plan was shown, and nothing of it was applied; run it again"
                raise RefusedByClusterError(message)
            try:
                version = self._taken_over(document, live) if live else {}
                body = {**document, "metadata": {**document["metadata"], **version}}
                return self._patch(document, *place, body, **_APPLYING)
            except StaleError:
                if not left:
                    raise

    def rehearse(self, wanted: Intent) -> list[str]:
        """Returns the warnings with which a claim would be applied. It is not: the apiserver judges and stores nothing.

        Raises:
            RefusedByClusterError: admission, the schema or another manager speaks against it.
            ClusterError: the cluster does not answer, or the caller may not.
        """
        meta = wanted.live["metadata"] if wanted.live else {}
        # What was edited by hand is ours by the time that the claim is applied.
        edited = taken_over(meta.get("managedFields") or []) is not None
        call = self._objects.patch_namespaced_custom_object_with_http_info
        place, options = self._place(wanted.document), {**_APPLYING, "dry_run": "All", "force": edited}
        _, _, headers = self._written("change", wanted.document, call, *place, wanted.document, **options)
        return warnings(headers)

    def _stored(self, document: Json) -> Json | None:
        """Returns a claim as it is stored, None where it is not there."""
        try:
            call = self._objects.get_namespaced_custom_object
            found: Json = self._written("read", document, call, *self._place(document))
        except ClusterError as error:
            if not error.absent:
                raise
            return None
        return found

    def _taken_over(self, document: Json, live: Json) -> Json:
        """Makes ours what was edited in the spec by hand, and returns the resourceVersion, as metadata has it."""
        meta = live["metadata"]
        fields = taken_over(meta.get("managedFields") or [])
        if fields is not None:
            patch = [
                {"op": "replace", "path": "/metadata/managedFields", "value": fields},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": meta["resourceVersion"]},
            ]
            kind = "application/json-patch+json"
            meta = self._patch(document, *self._place(document), patch, _content_type=kind)["metadata"]
        return {"resourceVersion": meta["resourceVersion"]}

    def confirm(self, claim: Json, *, confirmed: bool) -> None:
        """Says of a protected claim that it may be deleted, or takes that back (charts/operator, tap-protection)."""
        value = claim["metadata"]["name"] if confirmed else None
        patch = {"metadata": {"annotations": {ANNOTATION_CONFIRM_REMOVAL: value}}}
        kind = "application/merge-patch+json"
        self._patch(claim, *self._place(claim), patch, field_manager=MANAGER, _content_type=kind)

    def delete(self, claim: Json) -> None:
        """Deletes a claim; that one alone, and not one that was made in its place.

        Raises:
            RefusedByClusterError: a guard or a lock speaks against it.
            ClusterError: the cluster does not answer, or the caller may not.
        """
        body = {"preconditions": {"uid": claim["metadata"]["uid"]}}
        try:
            self._written(
                "delete", claim, self._objects.delete_namespaced_custom_object, *self._place(claim), body=body
            )
        except ClusterError as error:
            if not error.absent:
                raise

    def _patch(self, document: Json, *args: Any, **options: Any) -> Json:  # noqa: ANN401
        call = self._objects.patch_namespaced_custom_object
        stored: Json = self._written("change", document, call, *args, **options)
        return stored

    def _written(self, verb: str, document: Json, call: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        what = f"{document['kind']} {document['metadata']['name']}"
        try:
            return self._call(verb, what, call, *args, **options)
        except ClusterError as error:
            if isinstance(error.__cause__, ApiException):
                raise explained(what, document["metadata"]["namespace"], error, error.__cause__) from error.__cause__
            raise

    @staticmethod
    def _place(document: Json) -> tuple[str, str, str, str, str]:
        meta = document["metadata"]
        return GROUP, VERSION, meta["namespace"], KINDS[document["kind"]].plural, meta["name"]


def _asked(live: Json | None) -> tuple[str, Json] | None:
    """Returns which object it is and what is asked of it, without what Crossplane writes into a spec."""
    if live is None:
        return None
    return live["metadata"]["uid"], own_spec(live["spec"])
