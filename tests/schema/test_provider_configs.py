"""The provider's configuration is one that its own CRDs take: an unknown field would be pruned, and not be missed."""

from pathlib import Path

import pytest

from crds import of_crd
from tap_cluster import moto, tap


@pytest.mark.parametrize("plural", ["clusterproviderconfigs", "providerconfigs"])
def test_the_way_to_moto_is_one_that_the_provider_takes(crds: Path, plural: str) -> None:
    schema = of_crd(crds / f"aws.m.upbound.io_{plural}.yaml")
    [config, _] = moto.objects(())
    configs = [one for one in tap.environments(moto.provider_config) if one["kind"] == "ProviderConfig"]
    for found in configs if plural == "providerconfigs" else [config]:
        assert schema.faults(found) == []
        assert schema.faults({**found, "spec": {**found["spec"], "s3UsePathStyle": True}}), (
            "a field of another spelling"
        )
