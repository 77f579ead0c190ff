"""What every step of `up` is given, and how a step is skipped when nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tap_cluster.kubectl import Kubectl
from tap_cluster.places import Places
from tap_cluster.progress import Progress
from tap_cluster.run import child_env
from tap_cluster.state import State
from tap_cluster.supervisor import Supervisor, digest

CLUSTER = "cluster"


@dataclass(frozen=True)
class Context:
    """The places, the tools, what was done before, and the hands to do more."""

    places: Places
    tools: Mapping[str, Path]
    state: State
    progress: Progress
    kubeconfig: Path
    address: str = "127.0.0.1"

    @property
    def kubectl(self) -> Kubectl:
        """Return kubectl as the admin."""
        return Kubectl(self.kubeconfig, child_env(self.places))

    @property
    def supervisor(self) -> Supervisor:
        """Return what starts and stops programs."""
        return Supervisor(self.state, self.places.logs, self.progress)

    @property
    def ports(self) -> Mapping[str, int]:
        """Return the ports, by name."""
        return self.state.ports

    @property
    def server(self) -> str:
        """Return the apiserver's URL."""
        return f"https://{self.address}:{self.ports['apiserver']}"

    def forget_other_clusters(self) -> None:
        """Drop what was done if it was done to another cluster (its data folder was removed)."""
        uid = self.kubectl.read("namespace", "kube-system")["metadata"]["uid"]
        if self.state.done.get(CLUSTER) != uid:
            self.state.done, self.state.applied = {CLUSTER: uid}, {}
            self.state.save()

    def once(self, name: str, inputs: str, do: Callable[[], None], still: Callable[[], bool] = lambda: True) -> None:
        """Do a step unless it was done with these inputs and its result is `still` there."""
        if self.state.done.get(name) == inputs and still():
            return
        with self.progress.step(name):
            do()
        self.state.done[name] = inputs
        self.state.save()

    def apply_once(self, name: str, text: str, *, prune: bool = False) -> None:
        """Apply manifests unless these very ones were applied and all their objects are there.

        With `prune`, what the last version of this step applied and this one does not is deleted.
        """

        def do() -> None:
            now = self.kubectl.apply(text)
            gone = set(self.state.applied.get(name, ())) - set(now)
            if prune and gone:
                self.kubectl("delete", "--ignore-not-found", "-f", "-", text="\n---\n".join(sorted(gone)))
            if prune:
                self.state.applied[name] = now

        if text.strip():
            self.once(name, digest(text), do, lambda: self.kubectl.holds(text))
