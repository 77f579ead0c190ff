"""The packages on real Crossplane: what `make publish` pushed is pulled from a registry, installed, and controlled.

On a control plane of their own: a Configuration that is deleted takes its XRDs along, with all that is of their kinds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tap_api.kinds import XRS
from tap_cluster import embedded, package, recipes, release, runtime, services, tools
from tap_cluster.api import Cluster
from tap_cluster.context import Context
from tap_cluster.release import Release
from tap_stack.packages import CONFIGURATION, FUNCTION

NAMES = sorted(f"{xr.plural}.tap.platform" for xr in XRS)
KINDS = ("compositeresourcedefinition", "composition")


@pytest.fixture(scope="module")
def context(spare: Cluster) -> Context:
    """The spare control plane with a registry, and what tells Crossplane where functions run; `spare` ends both."""
    built = tools.ensure(recipes.EMBEDDED, spare.places, spare.progress)
    found = embedded.load(spare.places, built, spare.progress)
    found.supervisor.ensure(package.registry(found))
    runtime.install(found)
    services.install_function_certificate(found)
    found.supervisor.ensure(runtime.program(found))
    return found


@pytest.fixture(scope="module")
def pushed(context: Context, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The references of both packages, as `make publish` pushed them, with digests."""
    where = release.registry("", context.places)
    made = release.build(
        Release(where, release.this_version()), tmp_path_factory.mktemp("dist"), context.places, context.tools
    )
    return [release.push(one, context.tools) for one in made]


def read(cluster: Cluster, kind: str, name: str) -> Any:
    return json.loads(cluster.kubectl("get", kind, name, "-o", "json"))


def listed(cluster: Cluster, kind: str) -> dict[str, Any]:
    """Returns the objects of a kind by their names."""
    found = json.loads(cluster.kubectl("get", kind, "-o", "json"))["items"]
    return {one["metadata"]["name"]: one for one in found}


def true_conditions(found: Mapping[str, Any]) -> set[str]:
    said = found.get("status", {}).get("conditions", [])
    return {condition["type"] for condition in said if condition["status"] == "True"}


def await_true(cluster: Cluster, kind: str, name: str, *conditions: str) -> Any:
    """Returns the object once all of these conditions are True."""

    def missing() -> tuple[Any, Any]:
        found = read(cluster, kind, name)
        return found, None if true_conditions(found) >= set(conditions) else found.get("status", "no status")

    return until(missing)


def until(look: Callable[[], tuple[Any, Any]], patience: float = 60) -> Any:
    """Returns what `look` found, once it says that nothing is missing."""
    deadline = time.monotonic() + patience
    while True:
        found, missing = look()
        if missing is None:
            return found
        assert time.monotonic() < deadline, missing
        time.sleep(0.3)


def controller(found: Mapping[str, Any]) -> tuple[str, str] | None:
    """Returns kind and name of what controls an object."""
    owners = found["metadata"].get("ownerReferences", [])
    return next(((owner["kind"], owner["name"]) for owner in owners if owner.get("controller")), None)


def test_a_configuration_is_installed_and_takes_over_what_was_applied_before_it(
    spare: Cluster, context: Context, pushed: list[str]
) -> None:
    before = context.places.repository
    for room in ("xrds/regionalsessions.tap.platform.yaml", "compositions/regionalsessions.yaml"):
        spare.kubectl("apply", "-f", before / room)
    uids = {kind: read(spare, kind, "regionalsessions.tap.platform")["metadata"]["uid"] for kind in KINDS}

    manifest = {
        "apiVersion": "pkg.crossplane.io/v1",
        "kind": "Configuration",
        "metadata": {"name": CONFIGURATION},
        "spec": {"package": pushed[1].partition("@")[0], "skipDependencyResolution": True},
    }
    spare.kubectl("apply", "-f", "-", input=json.dumps(manifest))
    installed = await_true(spare, "configuration", CONFIGURATION, "Installed", "Healthy")

    revision = installed["status"]["currentRevision"]
    for kind in KINDS:
        objects = listed(spare, kind)
        assert {name: controller(found) for name, found in objects.items()} == dict.fromkeys(
            NAMES, ("ConfigurationRevision", revision)
        )
        assert objects["regionalsessions.tap.platform"]["metadata"]["uid"] == uids[kind], "made anew, not adopted"

    def not_established() -> tuple[None, Any]:
        names = [name for name, xrd in listed(spare, KINDS[0]).items() if "Established" not in true_conditions(xrd)]
        return None, names or None

    until(not_established)


def test_the_function_is_installed_from_the_same_registry(spare: Cluster, pushed: list[str]) -> None:
    spare.kubectl("apply", "-f", "-", input=json.dumps(package.function(pushed[0].partition("@")[0])))
    found = await_true(spare, "function.pkg.crossplane.io", FUNCTION, "Installed", "Healthy")
    revision = read(spare, "functionrevision", found["status"]["currentRevision"])
    assert revision["spec"]["image"].endswith(f"/{FUNCTION}:{release.this_version()}")


def test_what_is_pushed_again_keeps_its_digest(context: Context, pushed: list[str], tmp_path: Path) -> None:
    where = release.registry("", context.places)
    made = release.build(Release(where, release.this_version()), tmp_path, context.places, context.tools)
    assert [release.push(one, context.tools) for one in made] == pushed
