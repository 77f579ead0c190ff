"""What an AdmissionReview of ours looks like. Whatever else is sent is answered 400 and a sentence."""

import json
from collections.abc import Mapping
from typing import Any

from tap_api.base import GROUP, Json
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP

#: What a review of each operation has to carry.
_CARRIES = {"CREATE": ("object",), "UPDATE": ("object", "oldObject"), "DELETE": ("oldObject",)}
#: Names of our kinds in URLs -> the kinds; whatever else is asked about was never ours to judge.
BY_PLURAL = {kind.plural: kind for kind in (ENVIRONMENT_TAP, REGIONAL_TAP)}
#: Levels of nesting. A claim has nine, its managedFields twelve; recursion in Python ends at a thousand.
_DEEPEST = 100


def parse(text: str) -> Json | str:
    """Returns the review that `text` is, or what keeps it from being one about our kinds."""
    try:
        review = json.loads(text)
    except (ValueError, RecursionError):
        return "the body is not JSON"
    return fault(review) or review


def fault(review: object) -> str:
    """Returns what keeps `review` from being an AdmissionReview about one of our kinds; empty if nothing does."""
    if not isinstance(review, Mapping) or review.get("kind") != "AdmissionReview":
        return "not an AdmissionReview"
    request = review.get("request")
    if not isinstance(request, Mapping):
        return "request is missing"
    if _too_deep(review):
        return f"nested deeper than {_DEEPEST} levels"
    operation = request.get("operation")
    carries = _CARRIES.get(operation, ()) if isinstance(operation, str) else ()
    checks = {
        "request.uid must be text": _is_text(request.get("uid")),
        f"request.operation must be one of {', '.join(_CARRIES)}": bool(carries),
        "request.userInfo must be an object": isinstance(request.get("userInfo"), Mapping),
        f"request.resource must be one of {', '.join(BY_PLURAL)} in {GROUP}": _is_ours(request.get("resource")),
        "request.subResource must be empty: no subresource is judged": request.get("subResource") in (None, ""),
        "request.object must be an object with metadata": _is_object(request.get("object")),
        "request.oldObject must be an object with metadata": _is_object(request.get("oldObject")),
        f"request of {operation} must carry {' and '.join(carries)}": all(request.get(key) for key in carries),
    }
    return next((wrong for wrong, good in checks.items() if not good), "")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_ours(value: object) -> bool:
    if not isinstance(value, Mapping) or not all(_is_text(value.get(key)) for key in ("group", "version", "resource")):
        return False
    return value["group"] == GROUP and value["resource"] in BY_PLURAL


def _is_object(value: object) -> bool:
    """Returns whether `value` is an object as every apiserver writes it, or none at all."""
    if value is None:
        return True
    if not isinstance(value, Mapping) or not isinstance(value.get("metadata"), Mapping):
        return False
    metadata = value["metadata"]
    texts = [metadata.get(key) for key in ("name", "generateName", "namespace", "uid")]
    maps = [metadata.get(key) for key in ("labels", "annotations")]
    return all(text is None or isinstance(text, str) for text in texts) and all(map(_is_text_map, maps))


def _is_text_map(value: object) -> bool:
    return value is None or (isinstance(value, Mapping) and all(isinstance(text, str) for text in value.values()))


def _too_deep(value: Any) -> bool:  # noqa: ANN401  (JSON of any shape)
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [item for above in level for item in _items(above)]
        if not level:
            return False
    return True


def _items(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
