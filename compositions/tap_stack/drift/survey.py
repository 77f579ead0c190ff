"""All drift of an environment, from its objects as they are stored: what `tap drift` shows.

Each region is composed anew with what is observed, as the function composes it, so what is wanted here is what
Crossplane is asked for; and what is judged is judged by what the parts remember in status.drift.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tap_api.base import Json
from tap_api.common import DriftMode
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP
from tap_stack.drift.compare import Difference
from tap_stack.drift.judge import judge, parse
from tap_stack.plan.compute import part_of
from tap_stack.plan.state import State, controller
from tap_stack.tree import walk


@dataclass(frozen=True)
class Found:
    """A field that AWS has otherwise than is wanted.

    Attributes:
        region: Its region.
        part: Its part; `key` for the region's key.
        key: Key of the resource.
        kind: Kind of the resource.
        name: Name of its object.
        difference: The field, and both values.
    """

    region: str
    part: str
    key: str
    kind: str
    name: str
    difference: Difference

    def json(self) -> Json:
        """Returns it as JSON."""
        return {
            "region": self.region,
            "part": self.part,
            "resource": self.key,
            "kind": self.kind,
            "name": self.name,
            "path": self.difference.path,
            "wanted": self.difference.wanted,
            "real": self.difference.real,
        }


@dataclass(frozen=True)
class Survey:
    """What is known of the drift of an EnvironmentTap, or of a RegionalTap that stands alone.

    Attributes:
        kind: Its kind.
        namespace: Its namespace.
        name: Its name.
        regions: Its regions, and whether drift in them is only reported.
        drifted: What was changed behind our back.
        changing: What differs in resources that AWS was not yet seen to have as they are wanted.
        compared: Resources that were compared.
        unseen: Resources that are there and that AWS does not show yet: region, part and key.
    """

    kind: str
    namespace: str
    name: str
    regions: Mapping[str, bool]
    drifted: Sequence[Found]
    changing: Sequence[Found]
    compared: int
    unseen: Sequence[tuple[str, str, str]]

    def json(self) -> Json:
        """Returns it as JSON."""
        return {
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "regions": [{"name": name, "onlyReported": only} for name, only in self.regions.items()],
            "compared": self.compared,
            "drifted": [found.json() for found in self.drifted],
            "changing": [found.json() for found in self.changing],
            "unseen": [{"region": region, "part": part, "resource": key} for region, part, key in self.unseen],
        }


def survey(tap: Mapping[str, Any], state: State) -> Survey:
    """Returns what is known of the drift of a tap.

    Args:
        tap: An EnvironmentTap, or a RegionalTap that stands alone, as it is stored.
        state: What there is in its namespace.

    Raises:
        RefusedError: nothing can be composed for one of its regions.
    """
    regions: dict[str, bool] = {}
    drifted: list[Found] = []
    changing: list[Found] = []
    unseen: list[tuple[str, str, str]] = []
    compared = 0
    for region in _regions(tap, state):
        name = str(region["spec"].get("region", ""))
        for xr, composed in walk(region, state.world):
            if xr["kind"] == REGIONAL_TAP.kind:
                regions[name] = bool((composed.status.get("drift") or {}).get("reporting"))
            mode = DriftMode.REPORT if regions[name] else DriftMode.REPAIR
            before = parse(xr.get("status") or {})
            judged = judge(composed.resources, state.world.get(xr["metadata"]["name"], {}), before, mode)
            told = _Teller(name, xr, {item.key: item.manifest for item in composed.resources})
            drifted += [told.found(key, difference) for key, difference in judged.fields]
            changing += [told.found(key, difference) for key, difference in judged.pending if difference]
            unseen += [told.place(key) for key, difference in judged.pending if difference is None]
            compared += len(judged.settled or {})
    meta = tap["metadata"]
    return Survey(
        tap["kind"], meta["namespace"], meta["name"], regions, tuple(drifted), tuple(changing), compared, tuple(unseen)
    )


@dataclass(frozen=True)
class _Teller:
    """What an XR composes, as findings tell of it."""

    region: str
    xr: Mapping[str, Any]
    manifests: Mapping[str, Json]

    def place(self, key: str) -> tuple[str, str, str]:
        return self.region, part_of(self.xr, key), key

    def found(self, key: str, difference: Difference) -> Found:
        head = self.manifests[key]
        return Found(*self.place(key), head["kind"], head["metadata"]["name"], difference)


def _regions(tap: Mapping[str, Any], state: State) -> Iterator[Mapping[str, Any]]:
    """Yields the RegionalTaps of a tap, as they are stored; in the order in which an environment lists them."""
    if tap["kind"] != ENVIRONMENT_TAP.kind:
        yield tap
        return
    there = {
        str(region["spec"].get("region")): region
        for region in state.regional_taps().values()
        if controller(region)[:2] == (ENVIRONMENT_TAP.kind, tap["metadata"]["name"])
    }
    listed = [region["name"] for region in tap["spec"].get("regions") or ()]
    yield from (there[name] for name in dict.fromkeys([*listed, *sorted(there)]) if name in there)
