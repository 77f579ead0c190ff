"""Where everything lies: we write the state folder and the cache, temporary files too, and nothing else.

Three things that we call write to places of their own: `go` to its caches (GOCACHE, GOMODCACHE), uv to its cache
(UV_CACHE_DIR), and with CLUSTER=kind, kind and Docker to Docker's store and the system's temporary folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tap_cluster.errors import ClusterError

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Places:
    """The repository that is read, the state folder and the cache that are written; and whose the state is."""

    repository: Path
    state: Path
    cache: Path
    name: str = "embedded"

    @classmethod
    def find(cls, environ: Mapping[str, str] = os.environ) -> Places:
        """Read TAP_STATE and TAP_CACHE, else take `.tap/` and the user's cache folder."""
        state = Path(environ.get("TAP_STATE") or REPOSITORY / ".tap")
        home_cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        cache = Path(environ.get("TAP_CACHE") or home_cache / "tap-crossplane")
        return cls(REPOSITORY, state.absolute(), cache.absolute())

    @property
    def recipes(self) -> Path:
        """The go.mod recipes."""
        return self.repository / "cluster" / "tools"

    @property
    def tools(self) -> Path:
        """What was built from them."""
        return self.cache / "tools"

    @property
    def embedded(self) -> Path:
        """All that a control plane keeps: the embedded one, or that of a node."""
        return self.state / self.name

    @property
    def logs(self) -> Path:
        """One log for each process."""
        return self.embedded / "logs"

    @property
    def kubeconfig(self) -> Path:
        """The admin's kubeconfig of that control plane."""
        return self.embedded / "kubeconfig"

    def private(self, *parts: str) -> Path:
        """Return a folder below the embedded state that only its owner can read, made if absent."""
        folder = self.embedded.joinpath(*parts)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder


def writable(folder: Path, variable: str) -> None:
    """See that we may write a folder of ours, which is made if it is absent; `variable` moves it elsewhere.

    Raises:
        ClusterError: we may not.
    """
    mend = f"Set {variable} to a folder you may write"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        what = f"{folder} cannot be made: {error.strerror}"
        raise ClusterError(what, mend) from error
    if not os.access(folder, os.W_OK):
        what = f"{folder} may not be written"
        raise ClusterError(what, mend)


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file that only its owner can read, whole or not at all; leave it alone if nothing changed."""
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
