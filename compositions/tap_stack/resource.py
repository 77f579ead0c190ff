"""A resource that is wanted, before anybody asked whether it can be made yet."""

from collections.abc import Iterable
from dataclasses import dataclass

from tap_api.base import API_VERSION, ApiModel, Json
from tap_api.common import RegionContext
from tap_api.kinds import Kind
from tap_api.naming import LABEL_ENVIRONMENT, LABEL_ENVIRONMENT_TAP, LABEL_PART, LABEL_REGION
from tap_stack.subject import Subject
from tap_stack.values import Unknown


@dataclass(frozen=True)
class Resource:
    """A resource that is wanted.

    Attributes:
        key: Its key: API, because renaming it makes a new AWS resource and deletes the old one.
        manifest: The object, which may hold values.Unknown and values.Ref.
        needs: Fields of status.atProvider that make it of use; `Ready` alone can be early (05, section 1).
        after: What it is withheld for though nothing in its manifest says so: keys of resources that have to be ready
            first, and facts.
    """

    key: str
    manifest: Json
    needs: tuple[str, ...] = ()
    after: tuple[str | Unknown, ...] = ()


Resources = Iterable[Resource]


def labels(subject: Subject[RegionContext], part: str) -> dict[str, str]:
    """Returns the labels of everything that `subject` composes for `part` (empty: for no part)."""
    reference = subject.spec.environment_ref
    found = {
        LABEL_ENVIRONMENT: subject.spec.environment.value,
        LABEL_ENVIRONMENT_TAP: reference.name if reference else "",
        LABEL_REGION: subject.spec.region,
        LABEL_PART: part,
    }
    return {label: value for label, value in found.items() if value}


def xr(subject: Subject[RegionContext], kind: Kind, name: str, spec: ApiModel, later: Json) -> Resource:
    """Returns an XR of ours, composed by another one.

    Args:
        subject: The XR that composes it.
        kind: Its kind.
        name: Its name.
        spec: Its spec.
        later: Fields of its spec that may not be known yet.
    """
    manifest = {
        "apiVersion": API_VERSION,
        "kind": kind.kind,
        "metadata": {"name": name, "labels": labels(subject, kind.part)},
        "spec": {**spec.manifest(), **later},
    }
    return Resource(kind.part, manifest)
