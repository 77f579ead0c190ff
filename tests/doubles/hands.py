"""Somebody's hands in AWS: which fields of a resource they can reach, and what they leave there.

A double, and named as one. `unit.stack.test_drift` uses it without a control plane, `cluster.test_drift` on one.
"""

from collections.abc import Iterator
from typing import Any

from doubles.account import key_of
from tap_api.base import Json

#: What AWS does not tell of, or what is none of its own: kept apart from what the code knows of it.
UNREAD = {
    "s3.Object": {"acl", "contentBase64"},
    "lambda.Function": {"publish", "replaceSecurityGroupsOnDestroy", "s3Bucket", "s3Key", "s3ObjectVersion"},
    "rds.Cluster": {
        "applyImmediately",
        "autoGeneratePassword",
        "deleteAutomatedBackups",
        "finalSnapshotIdentifier",
        "masterPasswordSecretRef",
        "skipFinalSnapshot",
    },
    "rds.ClusterInstance": {"applyImmediately"},
    "rds.GlobalCluster": {"forceDestroy"},
    "s3.Bucket": {"forceDestroy"},
    "kms.Key": {"deletionWindowInDays"},
}
Steps = list[Any]


def reached(resource: Json) -> Iterator[Steps]:
    """Yields the steps to every leaf of a managed resource that AWS tells of; none where it is only observed."""
    if resource["spec"]["managementPolicies"] == ["Observe"]:
        return
    kind, _ = key_of(resource)
    for field, value in resource["spec"]["forProvider"].items():
        if field not in UNREAD.get(kind, ()) and not field.endswith(("Ref", "Refs")):
            yield from _leaves(value, [field])


def _leaves(node: Any, steps: Steps) -> Iterator[Steps]:
    if isinstance(node, dict):
        for field, value in node.items():
            if not field.endswith(("Ref", "Refs")) and field != "applyMethod":
                yield from _leaves(value, [*steps, field])
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _leaves(value, [*steps, index])
    else:
        yield steps


def put(node: Any, steps: Steps) -> tuple[Any, Any]:
    """Puts another value at the end of `steps` below `node`; returns what was there, and what is."""
    for step in steps[:-1]:
        node = node[step]
    was = node[steps[-1]]
    node[steps[-1]] = _other(was)
    return was, node[steps[-1]]


def _other(value: Any) -> Any:
    """Returns what somebody may have put in the place of a value."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    return f'{value[:-1]},"changed":"by hand"}}' if value.startswith('{"') else f"{value}-x"
