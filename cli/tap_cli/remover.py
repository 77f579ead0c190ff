"""The edge of `tap destroy`: it resumes, confirms and deletes, and looks for what is left."""

from collections.abc import Sequence
from pathlib import Path

import click

from tap_api.base import API_VERSION, Json
from tap_api.kinds import ENVIRONMENT_TAP, PARTS, REGIONAL_TAP
from tap_cli.follow import nowhere
from tap_cli.progress import follow
from tap_cli.raw import RawCluster, path_of
from tap_cli.remains import Remains, Target
from tap_cli.removing import Removal, is_resumed, is_resuming, resuming
from tap_cli.writer import Writer
from tap_stack.aws import KINDS as AWS_KINDS


class Remover(Writer, RawCluster):
    """Destroys claims, and sees what is left of them."""

    def __init__(self, kubeconfig: Path | None = None, context: str | None = None) -> None:
        """Args: as of tap_cli.cluster.Cluster."""
        super().__init__(kubeconfig, context)
        self._found: dict[Target, set[tuple[str, str]]] = {}
        self._most: dict[Target, int] = {}
        #: What is on its way.
        self.begun: list[Removal] = []

    def live(self, target: Target) -> Json | None:
        """Returns the claim of a target, None where it is gone."""
        found = self.environments if target.kind == ENVIRONMENT_TAP.kind else self.regions
        return next((item for item in found(target.namespace) if item["metadata"]["name"] == target.name), None)

    def destroy(self, removals: Sequence[Removal], seconds: float) -> None:
        """Resumes what is paused and waits for that, as long as so many seconds; then lets all of it go."""
        resumed = [removal.target for removal in removals if self._resume(removal)]
        if resumed:
            click.echo(f"What is paused is resumed first: {', '.join(map(str, resumed))}", err=True)
            follow(lambda: self._still_paused(resumed), list, nowhere(), seconds=seconds)
        for removal in removals:
            self._begin(removal)
            self.begun.append(removal)

    def _resume(self, removal: Removal) -> bool:
        """Resumes what is paused of a claim that goes whole; returns whether anything is."""
        wanted = resuming(removal)
        if wanted is not None:
            self.apply(wanted)
        return wanted is not None or is_resuming(removal)

    def _still_paused(self, targets: Sequence[Target]) -> list[str]:
        """Returns the targets of which something is paused still, a line each."""
        found = [(target, self.live(target)) for target in targets]
        return [f"{target}: is being resumed first" for target, live in found if live and not is_resumed(live)]

    def _begin(self, removal: Removal) -> None:
        """Takes one region away, or deletes the claim; where it is protected, it was confirmed by name.

        What a guard or a lock refuses is left as it was, its confirmation too.
        """
        if removal.wanted is not None:
            self.apply(removal.wanted)
            return
        live = self.live(removal.target)
        if live is None:
            return
        if not removal.protected:
            self.delete(live)
            return
        self.confirm(live, confirmed=True)
        deleted = False
        try:
            self.delete(live)
            deleted = True
        finally:
            if not deleted:
                self.confirm(live, confirmed=False)

    def look(self, target: Target) -> Remains:
        """Returns what is left of a target.

        The claim goes before what it made, and a kind is known by nobody then. So once nothing is left of the kinds
        that were seen, every kind is looked at before that is said.
        """
        claim = self.live(target)
        ours = [REGIONAL_TAP, *PARTS]
        objects = [o for kind in ours for o in self._of(target, API_VERSION, kind.plural)]
        seen = self._found.get(target)
        resources = self._managed_of(target, seen) if seen else []
        if not resources:
            resources = self._managed_of(target, {(k.entry.api_version, k.entry.plural) for k in AWS_KINDS})
        self._most[target] = max(self._most.get(target, 0), len(resources))
        return Remains(target, claim, [*objects, *resources], self._most[target])

    def _managed_of(self, target: Target, kinds: set[tuple[str, str]]) -> list[Json]:
        found = {kind: self._of(target, *kind) for kind in sorted(kinds)}
        self._found[target] = {kind for kind, items in found.items() if items}
        return [item for items in found.values() for item in items]

    def _of(self, target: Target, api_version: str, plural: str) -> list[Json]:
        path = path_of(api_version, plural, target.namespace)
        found = self.get(path) or {}
        kind = str(found.get("kind") or "").removesuffix("List")
        items = [{"apiVersion": api_version, "kind": kind, **item} for item in found.get("items") or ()]
        return [item for item in items if target.has(item)]
