"""Rules on storage, the API and monitoring."""

from collections.abc import Iterator

from tap_api.policy.rule import Finding, Subject
from tap_api.sections import MOST_TRUSTED, Authorization


def storage_classes(subject: Subject) -> Iterator[Finding]:
    """Transitions of objects that are too close."""
    # S3 wants thirty days between the two transitions (LifecycleConfiguration, "Minimum 30 days").
    storage = subject.sections.get("storage", {})
    first, second = storage.get("infrequentAccessDays", 0), storage.get("glacierDays", 30)
    if second < first + 30:
        yield "spec.storage.glacierDays", f"{second} is less than 30 days after infrequentAccessDays, {first}"


def jwt(subject: Subject) -> Iterator[Finding]:
    """An issuer without JWT authorization, or the other way about."""
    api = subject.sections.get("api", {})
    if (api.get("authorization") == "JWT") != ("jwt" in api):
        yield "spec.api.jwt", "is needed with `authorization: JWT`, and only then"


def trusted_principals(subject: Subject) -> Iterator[Finding]:
    """More principals than an event pattern holds."""
    principals = subject.sections.get("monitoring", {}).get("trustedPrincipals", [])
    length = sum(len(principal) + 3 for principal in principals)
    if length > MOST_TRUSTED:
        yield (
            "spec.monitoring.trustedPrincipals",
            f"{length} characters with quotes and commas are too many for an event pattern; use at most "
            f"{MOST_TRUSTED}, with `*` for what the ARNs differ in",
        )


def open_api(subject: Subject) -> Iterator[Finding]:
    """An API that anybody can call."""
    if subject.sections.get("api", {}).get("authorization") == Authorization.NONE.value:
        yield "spec.api.authorization", "None lets anybody on the internet call the API; use AWS_IAM or JWT"
