"""What the platform is installed as: Crossplane packages, their names, and the versions of each that go together.

A pure function of a registry and a version: neither is in the repository, both are written into what is built.
"""

import re

from tap_api.base import Json
from tap_stack import aws

#: The Function's name is API: every Composition refers to it.
FUNCTION = "function-tap"
CONFIGURATION = "configuration-tap"
#: Up to v2.3.4 garbage collection deletes what it does not control (GHSA-77cv-mrm6-fr3c).
CROSSPLANE = ">=v2.4.0"
#: v2.6.0 makes and deletes VPCEndpointRouteTableAssociations for ever, and loops on parameter groups (05, section 0).
OLDEST_PROVIDER = "v2.7.0"
#: The kinds that are composed are `v1beta1` of the second major version.
PROVIDER = f">={OLDEST_PROVIDER}, <v3.0.0"
PROVIDER_REGISTRY = "xpkg.upbound.io/upbound"

_PACKAGES = "pkg.crossplane.io/v1"
_VERSION = re.compile(r"v(\d+)\.(\d+)\.\d+")


def providers() -> list[str]:
    """Returns the names of the provider packages that bring the kinds that are composed; the family's own is first."""
    return ["provider-family-aws", *sorted({f"provider-aws-{kind.service}" for kind in aws.KINDS})]


def provider_dependencies() -> list[Json]:
    """Returns them as a Configuration depends on them."""
    return [_dependency("Provider", f"{PROVIDER_REGISTRY}/{name}", PROVIDER) for name in providers()]


def for_chart() -> Json:
    """Returns the providers as charts/platform reads them.

    Each is called as Crossplane would call it: they depend on their family, which Crossplane installs by itself unless
    one of that name is there.
    """
    folder = PROVIDER_REGISTRY.partition("/")[2].replace("/", "-")
    packages = [{"name": f"{folder}-{name}", "package": f"{PROVIDER_REGISTRY}/{name}"} for name in providers()]
    return {"registry": PROVIDER_REGISTRY, "version": OLDEST_PROVIDER, "range": PROVIDER, "packages": packages}


def configuration(registry: str, version: str) -> Json:
    """Returns the `crossplane.yaml` of the Configuration.

    Args:
        registry: Where the function's package is, such as `ghcr.io/acme`.
        version: Its version, such as `v0.1.0`; the Configuration has the same.
    """
    return {
        "apiVersion": "meta.pkg.crossplane.io/v1",
        "kind": "Configuration",
        "metadata": {
            "name": CONFIGURATION,
            "annotations": {
                "meta.crossplane.io/maintainer": "TAP on Crossplane",
                "meta.crossplane.io/license": "Apache-2.0",
                "meta.crossplane.io/description": "RegionalTap, its parts, and how each is composed.",
            },
        },
        "spec": {
            "crossplane": {"version": CROSSPLANE},
            "dependsOn": [
                _dependency("Function", f"{registry}/{FUNCTION}", compatible(version)),
                *provider_dependencies(),
            ],
        },
    }


def compatible(version: str) -> str:
    """Returns the range of what goes with `version`: later patches, and from 1.0.0 on later minor versions too.

    Raises:
        ValueError: it is no version such as `v0.1.0`.
    """
    found = _VERSION.fullmatch(version)
    if not found:
        message = f"{version} is no version such as v0.1.0"
        raise ValueError(message)
    major, minor = int(found[1]), int(found[2])
    return f">={version}, <v{major + 1}.0.0" if major else f">={version}, <v0.{minor + 1}.0"


def _dependency(kind: str, package: str, version: str) -> Json:
    return {"apiVersion": _PACKAGES, "kind": kind, "package": package, "version": version}
