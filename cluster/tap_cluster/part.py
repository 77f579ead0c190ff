"""One process of the embedded cluster in the hands of a test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tap_cluster import embedded, processes, provider_process, recipes, tools
from tap_cluster.errors import ClusterError
from tap_cluster.places import Places
from tap_cluster.progress import Progress
from tap_cluster.state import Record, State


@dataclass(frozen=True)
class Part:
    """A process by its name, such as kube-apiserver, function or operator."""

    name: str
    places: Places
    progress: Progress

    @property
    def log(self) -> Path:
        """Where it writes."""
        return Path(self._record.log)

    @property
    def pid(self) -> int:
        """Its process id, as it was recorded when it was started."""
        return self._record.identity.pid

    @property
    def alive(self) -> bool:
        """Whether that very process runs."""
        return processes.alive(self._record.identity)

    def kill(self) -> None:
        """SIGKILL that very process; a stranger with its number is left alone."""
        processes.kill(self._record.identity)

    def stop(self) -> None:
        """End it gently."""
        processes.stop(self._record.identity)

    def start(self) -> None:
        """Start it as `up` would, unless it runs, and wait until it is ready."""
        known = self._state.processes
        names = recipes.EMBEDDED if "function" in known else recipes.CONTROL_PLANE
        more = recipes.PROVIDER if provider_process.NAME in known else ()
        context = embedded.load(self.places, tools.ensure((*names, *more), self.places, self.progress), self.progress)
        context.supervisor.ensure(embedded.programs(context)[self.name])

    @property
    def _state(self) -> State:
        return State.load(embedded.state_file(self.places))

    @property
    def _record(self) -> Record:
        known = self._state.processes
        if self.name not in known:
            what = f"no process {self.name} was started here; there are: {', '.join(known) or 'none'}"
            raise ClusterError(what)
        return known[self.name]
