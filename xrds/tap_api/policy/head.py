"""The head of a manifest: what stands beside its spec, as an apiserver that validates strictly takes it.

A field that is misspelled there would be left out without a word: `namespce` puts a claim into another namespace.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tap_api.policy.violation import Violation, field_path, misspelled, shown

_FIELDS = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})
#: Those of an ObjectMeta (k8s.io/apimachinery, pkg/apis/meta/v1/types.go).
_METADATA = frozenset(
    {
        "annotations",
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "labels",
        "managedFields",
        "name",
        "namespace",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def faults(manifest: Mapping[str, Any]) -> Iterator[Violation]:
    """Yields what no apiserver takes of a manifest, its spec left aside."""
    yield from _unknown("", manifest, _FIELDS)
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping):
        return
    yield from _unknown("metadata", metadata, _METADATA)
    namespace = metadata.get("namespace")
    if namespace is not None and not (isinstance(namespace, str) and _NAMESPACE.fullmatch(namespace)):
        message = f"{shown(namespace)} is no namespace; use lower-case letters, digits and hyphens, at most 63"
        yield Violation("metadata.namespace", "Schema", message)
    for name in ("labels", "annotations"):
        yield from _texts(f"metadata.{name}", metadata.get(name))


def _unknown(root: str, found: Mapping[str, Any], known: Collection[str]) -> Iterator[Violation]:
    for key in found:
        if key not in known:
            yield Violation(field_path(root, [key]).removeprefix("."), "Schema", misspelled(str(key), known))


def _texts(path: str, found: object) -> Iterator[Violation]:
    if found is not None and not isinstance(found, Mapping):
        yield Violation(path, "Schema", f"must be an object of texts; got {shown(found)}")
        return
    for key, text in (found or {}).items():
        if not isinstance(text, str):
            yield Violation(field_path(path, [key]), "Schema", f"must be text, so quote it; got {shown(text)}")
