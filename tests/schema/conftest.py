from pathlib import Path

import pytest

from crds import Schema, of_provider
from tap_api.base import API_VERSION
from tap_api.kinds import XRS
from tap_api.schema import xrd
from tap_cluster import api


@pytest.fixture(scope="session")
def crds() -> Path:
    """The folder of the provider's CRDs."""
    return api.provider_crds()


@pytest.fixture(scope="session")
def schemas(crds: Path) -> dict[tuple[str, str], Schema]:
    """The schemas of the provider's kinds that are composed."""
    return of_provider(crds)


@pytest.fixture(scope="session")
def ours() -> dict[tuple[str, str], Schema]:
    """The schemas of our own XRs, which parts are held against. Metadata is the apiserver's."""
    found = {}
    for kind in XRS:
        (version,) = xrd(kind)["spec"]["versions"]
        schema = version["schema"]["openAPIV3Schema"]
        head = {name: {"type": "string"} for name in ("apiVersion", "kind")}
        properties = {**schema["properties"], **head, "metadata": {"type": "object"}}
        found[API_VERSION, kind.kind] = Schema({**schema, "properties": properties})
    return found
