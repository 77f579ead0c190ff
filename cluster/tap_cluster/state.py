"""What we did last time: `state.json`, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tap_cluster.errors import ClusterError
from tap_cluster.places import write_private
from tap_cluster.ports import choose, free
from tap_cluster.processes import Identity, alive


@dataclass(frozen=True)
class Record:
    """One process we started: who it is, and a hash of all that it was started with."""

    identity: Identity
    fingerprint: str
    log: str


@dataclass
class State:
    """What is known from before.

    Ports by name; processes in the order of their start; the digest of each finished step; and for steps that prune,
    the objects they applied, each as the manifest that deletes it.
    """

    path: Path
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, Record] = field(default_factory=dict)
    done: dict[str, str] = field(default_factory=dict)
    applied: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> State:
        """Read the file; an absent one is an empty state.

        Raises:
            ClusterError: it is there and cannot be read.
        """
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            processes = {
                name: Record(Identity(**entry["identity"]), entry["fingerprint"], entry["log"])
                for name, entry in raw["processes"].items()
            }
            return cls(path, dict(raw["ports"]), processes, dict(raw["done"]), dict(raw.get("applied", {})))
        except FileNotFoundError:
            return cls(path)
        except (ValueError, KeyError, TypeError, OSError) as error:
            what = f"{path} cannot be read ({type(error).__name__})"
            raise ClusterError(
                what, f"Remove it and run `make up` again; stop what still runs by `ps`: {path.parent}"
            ) from error

    def save(self) -> None:
        """Write the file."""
        data = {
            "ports": self.ports,
            "processes": {name: asdict(record) for name, record in self.processes.items()},
            "done": self.done,
            "applied": self.applied,
        }
        write_private(self.path, json.dumps(data, indent=2) + "\n")

    def running(self, name: str) -> bool:
        """Say whether the process of that name is the very one we started."""
        record = self.processes.get(name)
        return record is not None and alive(record.identity)

    def settle_ports(
        self, wanted: Mapping[str, tuple[str | tuple[str, ...], str]], is_free: Callable[[int, str], bool] = free
    ) -> dict[str, int]:
        """Return a port for each name, the remembered one unless a stranger has taken it.

        Args:
            wanted: the process that listens, or those that share the port, and the address they listen on, by the
                port's name.
            is_free: asks the machine.
        """
        for name, (process, host) in wanted.items():
            owners = (process,) if isinstance(process, str) else process
            known = self.ports.get(name)
            if known is not None and (any(map(self.running, owners)) or is_free(known, host)):
                continue
            self.ports[name] = choose(set(self.ports.values()), host, is_free)
        self.save()
        return self.ports
