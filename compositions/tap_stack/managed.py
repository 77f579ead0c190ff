"""The one place where an AWS resource becomes an object: names, labels, credentials, policies, region and tags."""

from dataclasses import dataclass, field

from tap_api.base import Json
from tap_api.common import DriftMode, ProviderConfigKind, RegionContext
from tap_api.limits import by_rank
from tap_api.naming import provider_config_name
from tap_stack import pause
from tap_stack.catalogue import AwsKind
from tap_stack.documents import Text
from tap_stack.resource import Resource, labels
from tap_stack.subject import Subject
from tap_stack.values import Unknown

#: Left as it is for kinds that AWS names. Without LateInitialize their external name would not be kept, and a
#: restarted provider would make them twice (upjet#531, crossplane#5918).
EVERYTHING = ["*"]
#: For kinds whose name is ours, and for those that may be made twice: nothing that AWS fills in is written into the
#: spec (05, section 3, items 5, 8, 15, 20).
NO_LATE_INITIALIZE = ["Observe", "Create", "Update", "Delete"]
#: For what somebody else makes.
OBSERVE = ["Observe"]


@dataclass(frozen=True)
class Handling:
    """How a resource is handled where its kind does not say.

    Attributes:
        retained: Stays in AWS when its object goes: data that is protected, and what it cannot be read without.
        observed: Is looked at and never changed: another resource makes it.
        init_provider: What is wanted when it is made and left alone ever after.
        connection_secret: Name of the Secret that the provider writes its connection details to.
        needs: Fields of status.atProvider that make it of use, in place of the kind's own.
        after: See resource.Resource.
    """

    retained: bool = False
    observed: bool = False
    init_provider: Json = field(default_factory=dict)
    connection_secret: str = ""
    needs: tuple[str, ...] = ()
    after: tuple[str | Unknown, ...] = ()

    def policies(self, *, named: bool, drift: DriftMode) -> list[str]:
        """Returns the management policies of a resource: one of the sets that Crossplane allows (04, item 11).

        Args:
            named: Whether nobody has to keep its name.
            drift: What happens where AWS differs. Without `Update` the provider looks and changes nothing; `Observe`
                alone would let go of what it made, and compute no difference (04, item 40).
        """
        if self.observed:
            return list(OBSERVE)
        repairs = drift is DriftMode.REPAIR
        if repairs and not self.retained:
            return list(NO_LATE_INITIALIZE if named else EVERYTHING)
        return [
            "Observe",
            "Create",
            *(["Update"] if repairs else []),
            # Without `Delete` the provider lets go of what it made.
            *([] if self.retained else ["Delete"]),
            *([] if named else ["LateInitialize"]),
        ]


AS_USUAL = Handling()


def managed(  # noqa: PLR0913 (the one place that makes AWS resources says all of it at once)
    subject: Subject[RegionContext],
    key: str,
    kind: AwsKind,
    for_provider: Json,
    *,
    external_name: Text = "",
    handling: Handling = AS_USUAL,
) -> Resource:
    """Returns the AWS resource `key` of `subject`.

    Args:
        subject: The XR that wants it.
        key: Its key.
        kind: Its kind.
        for_provider: What is wanted of it, region and tags apart.
        external_name: Its name in AWS, where that is ours to choose; empty where AWS chooses. One that holds the
            account's id may not be known yet.
        handling: How it is handled, where its kind does not say.
    """
    entry = kind.entry
    name, secret = subject.resource_name(key), handling.connection_secret
    annotations = {
        **({"crossplane.io/external-name": external_name} if external_name else {}),
        **pause.annotation(subject.spec.state, subject.observed.get(key)),
    }
    metadata: Json = {"name": name, "labels": labels(subject, subject.kind.part)}
    if annotations:
        metadata["annotations"] = annotations
    return Resource(
        key=key,
        manifest={
            "apiVersion": entry.api_version,
            "kind": entry.kind,
            "metadata": metadata,
            "spec": {
                "managementPolicies": handling.policies(
                    named=bool(external_name) or kind.repeatable, drift=subject.spec.drift
                ),
                "providerConfigRef": _provider_config(subject.spec),
                "forProvider": {
                    **({"region": subject.region} if entry.region else {}),
                    **for_provider,
                    **({"tags": _tags(subject, kind, name)} if entry.tags and not handling.observed else {}),
                },
                **({"initProvider": handling.init_provider} if handling.init_provider else {}),
                **({"writeConnectionSecretToRef": {"name": secret}} if secret else {}),
            },
        },
        needs=handling.needs or kind.needs,
        after=handling.after,
    )


def _provider_config(spec: RegionContext) -> Json:
    """Returns the credentials. Both fields: one alone is rejected (04, item 12)."""
    chosen = spec.provider_config_ref
    if chosen:
        return {"kind": chosen.kind.value, "name": chosen.name}
    return {"kind": ProviderConfigKind.PROVIDER_CONFIG.value, "name": provider_config_name(spec.environment.value)}


def tags(subject: Subject[RegionContext]) -> dict[str, str]:
    """Returns the tags of everything that `subject` composes."""
    own = {"Environment": subject.spec.environment.value, "Region": subject.region}
    return dict(sorted({**subject.spec.tags, **own}.items()))


def _tags(subject: Subject[RegionContext], kind: AwsKind, name: str) -> dict[str, str]:
    # EC2 shows the tag Name as a resource's name; every other service has names of its own.
    shown = {"Name": name} if kind.service == "ec2" else {}
    found = {**tags(subject), **shown}
    # As many as AWS takes. That none is cut which an organisation requires is policy's to hold (OrganisationTagCut).
    return {tag: found[tag] for tag in sorted(by_rank(found)[: kind.most_tags])}
