"""Which environment a name means, which regions it has, and what is said of others: every verb asks here."""

from collections.abc import Iterable, Mapping
from typing import Any

from tap_api.base import Json
from tap_api.errors import TapError
from tap_api.kinds import ENVIRONMENT_TAP


def the_one(environments: Iterable[Json], name: str, namespace: str | None) -> Json:
    """Returns the EnvironmentTap of that name.

    Args:
        environments: Those of `namespace`, or of all where it is None.
        name: Its name.
        namespace: The namespace that was looked in.

    Raises:
        TapError: there is none, or one in each of several namespaces.
    """
    found = [environment for environment in environments if environment["metadata"]["name"] == name]
    if not found:
        where = namespace or "any namespace"
        message = f"no EnvironmentTap {name!r} in {where}; `tap status` lists those there are"
        raise TapError(message)
    if len(found) > 1:
        places = ", ".join(environment["metadata"]["namespace"] for environment in found)
        message = f"there is an EnvironmentTap {name!r} in {places}; choose one with --namespace"
        raise TapError(message)
    return found[0]


def regions_of(document: Mapping[str, Any]) -> dict[str, Json]:
    """Returns the regions that a claim has, whatever their state, by name: each as it stands there.

    Of a RegionalTap that is its spec. Where regions are not of the shape that the schema holds, there is none.
    """
    spec = document["spec"]
    if document["kind"] != ENVIRONMENT_TAP.kind:
        return {str(spec.get("region")): spec}
    regions = spec.get("regions") or []
    if not (isinstance(regions, list) and all(isinstance(item, dict) and "name" in item for item in regions)):
        return {}
    return {str(item["name"]): item for item in regions}


def no_region(region: str, name: str, there: Iterable[str]) -> str:
    """Returns what to say of a region that the claim of that name does not have; `there` are those that it has."""
    return f"{region!r} is no region of {name}; its regions are {', '.join(there)}"
