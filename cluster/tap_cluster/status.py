"""What runs, on which ports, and where it logs."""

from __future__ import annotations

from tap_cluster import crossplane
from tap_cluster.embedded import LOOPBACK_PORTS, state_file
from tap_cluster.places import Places
from tap_cluster.state import State


def rows(places: Places) -> list[str]:
    """Return one line for each process that `up` started."""
    state = State.load(state_file(places))
    if not state.processes:
        return [f"Nothing was started from {places.embedded}. `make up` starts it."]
    return [_row(state, name) for name in state.processes]


def _row(state: State, name: str) -> str:
    record = state.processes[name]
    life = f"pid {record.identity.pid}" if state.running(name) else "not running"
    known = {**LOOPBACK_PORTS, **crossplane.PORTS}.items()
    ports = " ".join(f"{port}:{state.ports[port]}" for port, owner in known if owner == name and port in state.ports)
    return f"{name:24} {life:16} {ports:44} {record.log}"
