"""The one place where an AWS resource becomes an object: names, labels, credentials, policies, region and tags."""

from tap_api.base import Json
from tap_api.common import ProviderConfigKind, RegionContext
from tap_api.naming import provider_config_name
from tap_stack.catalogue import AwsKind
from tap_stack.resource import Resource, labels
from tap_stack.subject import Subject

#: Left as it is for kinds that AWS names. Without LateInitialize their external name would not be kept, and a
#: restarted provider would make them twice (upjet#531, crossplane#5918).
EVERYTHING = ["*"]
#: For kinds whose name is ours: nothing that AWS fills in is written into the spec (05, section 3, items 5, 8, 15, 20).
NO_LATE_INITIALIZE = ["Observe", "Create", "Update", "Delete"]


def managed(
    subject: Subject[RegionContext],
    key: str,
    kind: AwsKind,
    for_provider: Json,
    *,
    external_name: str = "",
) -> Resource:
    """Returns the AWS resource `key` of `subject`.

    Args:
        subject: The XR that wants it.
        key: Its key.
        kind: Its kind.
        for_provider: What is wanted of it, region and tags apart.
        external_name: Its name in AWS, where that is ours to choose; empty where AWS chooses.
    """
    entry = kind.entry
    name = subject.resource_name(key)
    metadata: Json = {"name": name, "labels": labels(subject, subject.kind.part)}
    if external_name:
        metadata["annotations"] = {"crossplane.io/external-name": external_name}
    return Resource(
        key=key,
        manifest={
            "apiVersion": entry.api_version,
            "kind": entry.kind,
            "metadata": metadata,
            "spec": {
                "managementPolicies": list(NO_LATE_INITIALIZE if external_name else EVERYTHING),
                "providerConfigRef": _provider_config(subject.spec),
                "forProvider": {
                    **({"region": subject.region} if entry.region else {}),
                    **for_provider,
                    **({"tags": _tags(subject, kind, name)} if entry.tags else {}),
                },
            },
        },
        needs=kind.needs,
    )


def _provider_config(spec: RegionContext) -> Json:
    """Returns the credentials. Both fields: one alone is rejected (04, item 12)."""
    chosen = spec.provider_config_ref
    if chosen:
        return {"kind": chosen.kind.value, "name": chosen.name}
    return {"kind": ProviderConfigKind.PROVIDER_CONFIG.value, "name": provider_config_name(spec.environment.value)}


def _tags(subject: Subject[RegionContext], kind: AwsKind, name: str) -> dict[str, str]:
    own = {"Environment": subject.spec.environment.value, "Region": subject.region}
    # EC2 shows the tag Name as a resource's name; every other service has names of its own.
    shown = {"Name": name} if kind.service == "ec2" else {}
    return dict(sorted({**subject.spec.tags, **own, **shown}.items()))
