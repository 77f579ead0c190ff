"""The manifests that a claim becomes, as the operator and Crossplane would apply them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tap_api.base import GROUP, Json
from tap_api.kinds import KINDS
from tap_api.policy import judge, shape_violations
from tap_stack.plan.compute import part_of
from tap_stack.plan.state import State
from tap_stack.plan.wanted import regions
from tap_stack.subject import RefusedError
from tap_stack.tree import stored, walk


@dataclass(frozen=True)
class Rendered:
    """An object that a claim becomes.

    Attributes:
        region: Its region.
        part: Its part; `key` for the region's key, empty for the region itself.
        manifest: The object.
        waits_for: What has to be there before it is applied; empty where it is applied at once.
    """

    region: str
    part: str
    manifest: Json
    waits_for: str = ""


def rendered(claim: Mapping[str, Any], state: State) -> Iterator[Rendered]:
    """Yields what `claim` becomes where there is what `state` holds: each region, what it composes, and its parts.

    Raises:
        RefusedError: policy refuses the claim; every violation is listed.
    """
    kind, name = claim["kind"], claim["metadata"]["name"]
    violations = judge(kind, claim, state.find(KINDS[kind], name))
    if violations:
        raise RefusedError(kind, name, violations)
    try:
        wanted = regions(claim, state).wanted
    except ValidationError as error:  # What only shows once the preset has filled the gaps.
        raise RefusedError(kind, name, shape_violations(error)) from error
    for tap in wanted:
        region = tap["spec"]["region"]
        for xr, composed in walk(tap, state.world):
            yield Rendered(region, KINDS[xr["kind"]].part, _bare(xr))
            for item in composed.resources:
                if item.manifest["apiVersion"].partition("/")[0] != GROUP:
                    yield Rendered(region, part_of(xr, item.key), _bare(stored(xr, item)))
            for withheld in composed.withheld:
                yield Rendered(region, part_of(xr, withheld.key), withheld.manifest, withheld.source)


def _bare(manifest: Mapping[str, Any]) -> Json:
    """Returns a manifest without its status, and without an owner that has no uid yet: an apiserver takes none."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "uid"}
    owners = [owner for owner in metadata.pop("ownerReferences", []) if owner.get("uid")]
    if owners:
        metadata["ownerReferences"] = owners
    return {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "metadata": metadata,
        "spec": manifest["spec"],
    }
