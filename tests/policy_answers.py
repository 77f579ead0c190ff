"""What an apiserver answers, in the words of the table of cases (policy_cases)."""

import re
from collections.abc import Mapping
from typing import Any

from policy_cases import Found


def said(status: Mapping[str, Any]) -> Found:
    """Returns the paths and codes in an apiserver's answer, whoever of the schema and the webhook gave it."""
    causes = (status.get("details") or {}).get("causes") or []
    # `<nil>` says that CEL was not asked, because the shape is wrong.
    found = {(_path(c["field"]), _code(c["message"])) for c in causes if c.get("field", "<nil>") != "<nil>"}
    message = str(status.get("message", ""))
    found |= {(path, "Schema") for path in re.findall(r'unknown field "([^"]+)"', message)}
    if not found:
        found = {(line[1], line[2]) for line in re.finditer(r"^(\S+|spec\.tags\[.*\]): .* \((\w+)\)$", message, re.M)}
    return sorted(found)


def _code(message: str) -> str:
    code = re.search(r"\((\w+)\)$", message)
    return code[1] if code else "Schema"


def _path(field: str) -> str:
    """Returns a path as we write it: the apiserver puts the key of a map into brackets."""
    return re.sub(r"^(spec\.tags)\.?\[(\w+)\]$", r"\1.\2", field)
