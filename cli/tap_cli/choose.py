"""Which environment a name means, and what is said of a region that it does not have: every verb asks here."""

from collections.abc import Iterable

from tap_api.base import Json
from tap_api.errors import TapError


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


def no_region(region: str, name: str, there: Iterable[str]) -> str:
    """Returns what to say of a region that the claim of that name does not have; `there` are those that it has."""
    return f"{region!r} is no region of {name}; its regions are {', '.join(there)}"
