"""Policy documents of AWS: typed here, canonical JSON there.

Same statements, same bytes: a provider compares the text that it sent with the text that AWS returns
(05, section 3, item 17).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tap_stack.fields import step
from tap_stack.values import Unknown

PARTITION = "aws"
VERSION = "2012-10-17"

Text = str | Unknown


@dataclass(frozen=True)
class Statement:
    """A statement of a policy.

    Attributes:
        sid: What it is for.
        actions: What may be done.
        resources: To what. Empty in a trust policy.
        principal: Who may, in a policy that belongs to a resource: type -> name, or `*` for everybody.
        conditions: Operator -> condition key -> value.
        effect: Allow or Deny.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[Text, ...] = ()
    principal: Mapping[str, Text] | Literal["*"] | None = None
    conditions: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    effect: Literal["Allow", "Deny"] = "Allow"

    def unknown(self) -> Unknown | None:
        """Returns the first value in it that is not known yet."""
        named = self.principal.values() if isinstance(self.principal, Mapping) else ()
        compared = (value for values in self.conditions.values() for value in values.values())
        return first_unknown(*self.resources, *named, *compared)

    def json(self) -> dict[str, Any]:
        """Returns its JSON form."""
        document: dict[str, Any] = {"Sid": self.sid, "Effect": self.effect, "Action": _one_or_many(self.actions)}
        if self.resources:
            document["Resource"] = _one_or_many(self.resources)
        if self.principal is not None:
            document["Principal"] = self.principal if isinstance(self.principal, str) else dict(self.principal)
        if self.conditions:
            document["Condition"] = {operator: dict(values) for operator, values in self.conditions.items()}
        return document


def policy(*statements: Statement) -> Text:
    """Returns the policy of `statements`; unknown where something in it is."""
    for statement in statements:
        unknown = statement.unknown()
        if unknown:
            return unknown
    document = {"Version": VERSION, "Statement": [statement.json() for statement in statements]}
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def trust(service: str, conditions: Mapping[str, Mapping[str, Text]]) -> Text:
    """Returns the trust policy of a role that one AWS service takes, under `conditions` (the confused deputy)."""
    return policy(
        Statement(
            sid="Trust",
            actions=("sts:AssumeRole",),
            principal={"Service": service},
            conditions=conditions,
        )
    )


def arn(service: str, region: str, account: Text, resource: str) -> Text:
    """Returns the ARN of a resource whose name is ours; unknown while the account is."""
    if isinstance(account, Unknown):
        return account
    return f"arn:{PARTITION}:{service}:{region}:{account}:{resource}"


def account_of(arn: str) -> str:
    """Returns the account that an ARN names."""
    return arn.split(":")[4]


def first_unknown(*values: object) -> Unknown | None:
    """Returns the first of `values` that is not known yet."""
    return next((value for value in values if isinstance(value, Unknown)), None)


def same(one: object, other: object) -> bool:
    """Returns whether two texts are the same policy: as JSON, a list of one being its item and lists having no order.

    AWS keeps the meaning of a policy, not its text.
    """
    try:
        return _normal(json.loads(str(one))) == _normal(json.loads(str(other)))
    except ValueError:
        return False


def first_difference(one: str, other: str) -> tuple[str, Any, Any] | None:
    """Returns the first place in which two texts differ as documents, and what stands there in each.

    None where one of them is no document, or where `same` finds no difference.
    """
    try:
        documents = json.loads(one), json.loads(other)
    except ValueError:
        return None
    if not all(isinstance(document, dict) for document in documents):
        return None
    return _first("", *map(_normal, documents))


def _first(path: str, one: Any, other: Any) -> tuple[str, Any, Any] | None:  # noqa: ANN401
    if one == other:
        return None
    if isinstance(one, dict) and isinstance(other, dict):
        places: list[Any] = sorted({*one, *other})
        values = [(step(path, key), one.get(key), other.get(key)) for key in places]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        values = [(f"{path}[{index}]", *pair) for index, pair in enumerate(zip(one, other, strict=True))]
    else:
        return path, one, other
    return next((found for value in values if (found := _first(*value))), None)


def _one_or_many(values: tuple[Text, ...]) -> Text | list[Text]:
    return values[0] if len(values) == 1 else list(values)


def _normal(node: object) -> object:
    if isinstance(node, dict):
        return {key: _normal(value) for key, value in node.items()}
    if isinstance(node, list):
        items = [_normal(item) for item in node]
        return items[0] if len(items) == 1 else sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    return node
