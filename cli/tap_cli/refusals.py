"""What a cluster answers to a write, as people read it. Pure, but for the client's own exception."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus

from kubernetes.client.exceptions import ApiException

from tap_api.errors import TapError
from tap_cli.connection import ClusterError

_MISSING = re.compile(r"cannot (patch|delete) resource")
#: What the apiserver puts before the words of a webhook, and of a policy.
_DENIED = re.compile(r"denied (?:the )?request: ")
#: A warning in the header of an answer (RFC 7234, section 5.5), and what its text escapes.
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


class RefusedByClusterError(TapError):
    """The cluster refused to store an object; the message has every violation."""


class StaleError(RefusedByClusterError):
    """Somebody has written the object since it was read."""


def explained(what: str, namespace: str, error: ClusterError, cause: ApiException) -> TapError:
    """Returns what the apiserver says, as one that is read: every violation on its own line.

    Args:
        what: Kind and name of what was written.
        namespace: Its namespace.
        error: What is said of an answer that is no refusal.
        cause: The answer.
    """
    try:
        answer = json.loads(cause.body or "{}")
    except ValueError:
        return error
    message, details = str(answer.get("message") or ""), answer.get("details") or {}
    if cause.status == HTTPStatus.NOT_FOUND and details.get("kind") == "namespaces":
        return ClusterError(f"namespace {namespace} is not there; make it first: kubectl create namespace {namespace}")
    if cause.status == HTTPStatus.FORBIDDEN and (missing := _MISSING.search(message)):
        verb = {"patch": "change"}.get(missing[1], missing[1])
        return ClusterError(f"you may not {verb} {what} in {namespace}; ask for the ClusterRole `tap-edit`")
    if cause.status not in (400, 403, 409, 422):
        return error
    causes = [f"- {found.get('field', '')}: {found.get('message', '')}" for found in details.get("causes") or ()]
    said = "\n".join(causes) if causes and cause.status in (409, 422) else _DENIED.split(message, maxsplit=1)[-1]
    refusal = StaleError if cause.status == HTTPStatus.CONFLICT and not causes else RefusedByClusterError
    return refusal(f"the cluster refuses {what}; nothing of it was changed:\n{said or message}")


def warnings(headers: Mapping[str, str]) -> list[str]:
    """Returns the warnings in the headers of an answer."""
    return [_ESCAPED.sub(r"\1", text) for text in _WARNING.findall(headers.get("Warning") or "")]
