"""What the operator asks of a cluster: live reads and few kinds of writes. No cache; discovery for references alone."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from tap_api.base import API_VERSION, Json
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP, Kind

FIELD_MANAGER = "tap-operator"


@dataclass(frozen=True)
class Resource:
    """A kind of object, as URLs have it.

    Attributes:
        api_version: Its group and version.
        plural: Its name in URLs.
    """

    api_version: str
    plural: str

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Returns the path of one object, or of all of a namespace or cluster where the names are empty."""
        root = "/apis/" if "/" in self.api_version else "/api/"
        place = f"namespaces/{quote(namespace, safe='')}/" if namespace else ""
        steps = [f"{root}{self.api_version}/{place}{self.plural}", quote(name, safe=""), subresource]
        return "/".join(step for step in steps if step)


def resource(kind: Kind) -> Resource:
    """Returns the resource of one of our kinds."""
    return Resource(API_VERSION, kind.plural)


ENVIRONMENT_TAPS = resource(ENVIRONMENT_TAP)
REGIONAL_TAPS = resource(REGIONAL_TAP)
LEASES = Resource("coordination.k8s.io/v1", "leases")
EVENTS = Resource("v1", "events")


class Cluster(Protocol):
    """What the operator asks of a cluster. Every method raises ClusterError where it cannot do its work."""

    async def get(self, what: Resource, namespace: str, name: str, *, must_be_served: bool = False) -> Json | None:
        """Returns the object as it is now; None if there is none, or if its kind is not served.

        With `must_be_served` the latter is an error: that nobody can be asked is no sign that nothing is there.
        """

    async def referred(self, namespace: str, reference: Json) -> Json | None:
        """Returns the object that a reference of `apiVersion`, `kind` and `name` refers to; None if there is none."""

    def select(self, what: Resource, namespace: str = "", labels: str = "") -> AsyncIterator[Json]:
        """Yields the objects that carry `labels`, page by page; none if their kind is not served."""

    async def holds(self, what: Resource, namespace: str) -> bool:
        """Returns whether there is such an object in `namespace`; False if its kind is not served."""

    async def apply(self, what: Resource, manifest: Json, subresource: str = "") -> Json:
        """Applies `manifest` server-side as ours, taking over fields that others wrote; returns what is stored."""

    async def create(self, what: Resource, manifest: Json, *, dry_run: bool = False) -> Json:
        """Creates an object; `AlreadyExists` if it is there. A dry run is judged like any other, and stores nothing."""

    async def replace(self, what: Resource, manifest: Json) -> Json:
        """Replaces an object of the same resourceVersion; `Conflict` if it changed meanwhile."""

    async def finalize(self, what: Resource, live: Json, finalizers: list[str]) -> Json:
        """Sets the finalizers of an object that was read; `Conflict` if it changed since. Returns what is stored."""

    async def delete(
        self, what: Resource, namespace: str, name: str, uid: str, *, dependents_first: bool = False
    ) -> None:
        """Deletes the object of that `uid`, its dependents after it or first. Does nothing if it is gone already."""
