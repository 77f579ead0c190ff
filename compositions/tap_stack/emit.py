"""The generated files of this room: Compositions, the activation policy, the catalogue, the reference of the stack."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from tap_api import manifest
from tap_api.base import API_VERSION, GROUP, Json
from tap_api.emit import Files
from tap_api.errors import TapError
from tap_api.kinds import XRS, Kind
from tap_stack import aws, packages, reference, schemas
from tap_stack.catalogue import FILE, Entry, catalogue, describe
from tap_stack.processor import code

STEP = "compose"
ROOM = PurePosixPath("compositions")
CATALOGUE = ROOM / "tap_stack" / FILE
#: What the chart reads into its ClusterRole `tap-view`.
LOOKED_AT = PurePosixPath("charts/operator/files/looked-at.yaml")
#: What charts/platform installs.
PLATFORM = PurePosixPath("charts/platform/files")
SCHEMAS = ROOM / "tap_stack" / schemas.FILE
CODE = ROOM / "tap_stack" / "processor" / code.FILE


class CatalogueError(TapError):
    """The provider's CRDs lack a kind that is composed."""


def files() -> Files:
    """Returns every file of this room and of the reference, from the catalogue as it stands."""
    made = {ROOM / f"{kind.plural}.yaml": composition(kind) for kind in XRS}
    made[ROOM / "activation-policy.yaml"] = activation_policy()
    made[PLATFORM / "activation-policy.yaml"] = activation_policy()
    made[PLATFORM / "providers.yaml"] = packages.for_chart()
    made[reference.PACKAGES] = {"dependsOn": packages.provider_dependencies()}
    manifests = {path: manifest.dump([document], header=manifest.GENERATED) for path, document in made.items()}
    return {**manifests, LOOKED_AT: looked_at(), **reference.files()}


def composition(kind: Kind) -> Json:
    """Returns the Composition of an XRD: one step, and all that it decides is in tap_stack."""
    return {
        "apiVersion": "apiextensions.crossplane.io/v1",
        "kind": "Composition",
        # The name that the XRD's defaultCompositionRef gives (tap_api.schema).
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "compositeTypeRef": {"apiVersion": API_VERSION, "kind": kind.kind},
            "mode": "Pipeline",
            "pipeline": [{"step": STEP, "functionRef": {"name": packages.FUNCTION}}],
        },
    }


def activation_policy() -> Json:
    """Returns the policy that activates the kinds that are composed, and no other of the provider's thousand."""
    return {
        "apiVersion": "apiextensions.crossplane.io/v1alpha1",
        "kind": "ManagedResourceActivationPolicy",
        "metadata": {"name": "tap"},
        "spec": {"activate": sorted(kind.entry.crd for kind in aws.KINDS)},
    }


def looked_at() -> str:
    """Returns the rules of RBAC, for the chart, of whoever may look at the kinds that are composed."""
    plurals: dict[str, set[str]] = {}
    for entry in catalogue().values():
        plurals.setdefault(entry.group, set()).add(entry.plural)
    verbs = ["get", "list", "watch"]
    rules: Any = [
        {"apiGroups": [group], "resources": sorted(found), "verbs": verbs} for group, found in sorted(plurals.items())
    ]
    return manifest.dump([rules], header=manifest.GENERATED)


def catalogue_file(crds: Iterable[Mapping[str, Any]]) -> Files:
    """Returns the catalogue, read from the provider's CRDs.

    Raises:
        CatalogueError: a kind that is composed is not among them.
    """
    wanted = {(kind.group, kind.kind): str(kind) for kind in aws.KINDS}
    found = {
        wanted[key]: describe(crd)
        for crd in crds
        if (key := (crd["spec"]["group"], crd["spec"]["names"]["kind"])) in wanted
    }
    missing = [name for name in wanted.values() if name not in found]
    if missing:
        message = f"no CRD of {', '.join(missing)}; give the folder of the provider's CRDs (--crds)"
        raise CatalogueError(message)
    return {CATALOGUE: json.dumps(dict(sorted(found.items())), indent=2) + "\n"}


def schemas_file(crds: Iterable[Mapping[str, Any]], replaces: Callable[[Entry], Sequence[str]]) -> Files:
    """Returns the schemas of the kinds that are composed.

    Args:
        crds: The provider's CRDs, those of other kinds among them.
        replaces: Returns which fields of a kind AWS cannot change in place.
    """
    wanted = {entry.crd: entry for entry in catalogue().values()}
    found = [(wanted[name], crd) for crd in crds if (name := crd["metadata"]["name"]) in wanted]
    return {SCHEMAS: schemas.dump([schemas.describe(crd, replaces(entry)) for entry, crd in found])}


def code_file(sources: Mapping[str, bytes]) -> Files:
    """Returns the zip of the processor, made of its modules: path in the zip -> content."""
    return {CODE: json.dumps(code.document(sources), indent=2) + "\n"}


def is_composed(crd: str) -> bool:
    """Returns whether the text of a CRD can be one of a kind that is composed: to parse them all takes a minute."""
    return any(f"\n  group: {kind.group}\n" in crd and f"\n    kind: {kind.kind}\n" in crd for kind in aws.KINDS)


def is_current() -> bool:
    """Returns whether the catalogue lists just the kinds that are composed."""
    return set(catalogue()) == {str(kind) for kind in aws.KINDS}
