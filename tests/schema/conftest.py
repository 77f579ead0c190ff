from pathlib import Path

import pytest

from crds import Schema, of_provider
from tap_cluster import api


@pytest.fixture(scope="session")
def crds() -> Path:
    """The folder of the provider's CRDs."""
    return api.provider_crds()


@pytest.fixture(scope="session")
def schemas(crds: Path) -> dict[tuple[str, str], Schema]:
    """The schemas of the provider's kinds that are composed."""
    return of_provider(crds)
