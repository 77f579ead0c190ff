"""A managed resource in the hands of the provider: what it writes before it asks AWS, and what it says after.

A double, and named as one. `doubles.provider` uses it on a control plane, `golden.slow` without one.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from doubles.account import Account, Key, key_of, wanted
from doubles.aws import ACCOUNT, external_name, keeps_name, late_initialized, provided
from doubles.references import Reference, of_schema, patch, pruned, resolved, turned
from tap_api.base import Json
from tap_stack.catalogue import catalogue

#: What is no part of a version of a function (terraform-provider-aws, internal/service/lambda/function.go).
_OF_NO_VERSION = ("tags", "reservedConcurrentExecutions")
FINALIZER = "finalizer.managedresource.crossplane.io"


def is_paused(resource: Json) -> bool:
    """Returns whether the provider leaves a resource alone (crossplane-runtime, meta.IsPaused)."""
    return bool(resource["metadata"].get("annotations", {}).get("crossplane.io/paused") == "true")


@dataclass
class Kinds:
    """What the provider's CRDs say of its kinds.

    Attributes:
        references: Kind -> its references, by field.
        asked: Kind -> the fields that can be asked of it.
        told: Kind -> the schema of its status.atProvider.
    """

    references: dict[str, dict[str, Reference]] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(default_factory=dict)
    told: dict[str, Json] = field(default_factory=dict)

    def learn(self, kind: str, schema: Json) -> None:
        """Takes up what the schema of a kind says."""
        spec, status = (schema["properties"][name]["properties"] for name in ("spec", "status"))
        self.references[kind] = of_schema(spec["forProvider"])
        self.asked[kind] = list(spec["forProvider"]["properties"])
        self.told[kind] = status["atProvider"]

    def resolution(self, resource: Json, find: Callable[[Key], Json | None]) -> Json:
        """Returns what the provider applies to resolve the references of `resource`; empty where nothing changes.

        Raises:
            UnresolvedError: a reference leads to nothing that is made yet.
        """
        return patch(resource, resolved(resource, self.references[key_of(resource)[0]], find))

    def prepared(self, resource: Json, find: Callable[[Key], Json | None], made: Json | None = None) -> Json:
        """Returns the object as the provider writes it before it asks AWS for anything.

        Args:
            resource: The object as Crossplane made it.
            find: Gives the object of a kind and a name, None where there is none.
            made: The resource as AWS has it, where it has.

        Raises:
            UnresolvedError: a reference leads to nothing that is made yet.
        """
        kind, name = key_of(resource)
        if made:
            filled = late_initialized(resource, made, self.asked[kind])
            resource = {**resource, "spec": {**resource["spec"], "forProvider": filled}}
        spec = resolved(resource, self.references[kind], find)
        if catalogue()[kind].tags and resource["spec"]["managementPolicies"] != ["Observe"]:
            config = resource["spec"]["providerConfigRef"]["name"]
            group = resource["apiVersion"].partition("/")[0]
            own = {"kind": f"{resource['kind'].lower()}.{group}", "name": name, "providerconfig": config}
            spec["tags"] = {**spec.get("tags", {}), **{f"crossplane-{tag}": value for tag, value in own.items()}}
        meta = resource["metadata"]
        asked = {**resource, "spec": {**resource["spec"], "forProvider": spec}}
        given = provided(asked)["status"]["atProvider"]["id"] if keeps_name(resource) else ""
        in_aws = external_name(resource) or given
        named = {"crossplane.io/external-name": in_aws} if in_aws else {}
        return {
            **asked,
            "metadata": {
                **meta,
                "annotations": {**meta.get("annotations", {}), **named},
                "finalizers": sorted({*meta.get("finalizers", []), FINALIZER}),
            },
        }

    def answer(self, resource: Json, account: Account) -> Json:
        """Returns a resource, prepared before, as `account` has it."""
        made = provided(resource)
        kind, _ = key_of(resource)
        if kind == "rds.GlobalCluster":
            made["status"]["atProvider"]["globalClusterMembers"] = [
                {"dbClusterArn": member["status"]["atProvider"]["arn"], "isWriter": account.writes(member)}
                for member in account.members(made["status"]["atProvider"]["id"])
            ]
        if kind == "rds.Cluster" and account.writer and wanted(resource).get("globalClusterIdentifier"):
            # A switchover moves it; of the one that writes now there is none.
            source = f"arn:aws:rds:{account.writer}:{ACCOUNT}:cluster:writer"
            follows = not account.writes(resource)
            made["status"]["atProvider"]["replicationSourceIdentifier"] = source if follows else ""
        if kind == "rds.ClusterInstance":
            cluster = account.find("rds.Cluster", id=wanted(resource)["clusterIdentifier"])
            # Nothing writes in a cluster that follows another.
            follows = cluster is not None and cluster["status"]["atProvider"].get("replicationSourceIdentifier")
            made["status"]["atProvider"]["writer"] &= not follows
        if kind == "lambda.Function":
            made["status"]["atProvider"]["version"] = published(resource, account.made.get(key_of(resource)))
        if kind == "s3.Object" and not account.keeps_versions(wanted(resource)["bucket"]):
            # As provider-aws 2.5.0 says it; what comes before its bucket keeps versions has none, ever.
            made["status"]["atProvider"]["versionId"] = ""
        made["status"]["atProvider"] = pruned(made["status"]["atProvider"], self.told[kind])
        return made

    def looked_at(self, made: Json, time: int) -> Json:
        """Returns what the provider reads of a resource the `time`th time: in no order where there is none."""
        kind, name = key_of(made)
        shown: Json = made["status"]["atProvider"]
        # Of a seed of its own: looked at twice in between, it is the same.
        return turned(shown, self.told[kind], random.Random(f"{name} {time}")) if time else shown  # noqa: S311


def published(function: Json, before: Json | None) -> str:
    """Returns the version of a function that AWS has published last: one of each change but of what is none of it."""
    if before is None:
        return "1"
    was, now = (
        {name: value for name, value in one["spec"]["forProvider"].items() if name not in _OF_NO_VERSION}
        for one in (before, function)
    )
    last = int(before["status"]["atProvider"]["version"])
    return str(last if was == now else last + 1)
