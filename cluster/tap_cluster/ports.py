"""Free ports on loopback, remembered, and chosen again when a stranger took one."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable

from tap_cluster.errors import ClusterError

# Below the range from which Linux takes source ports (32768-60999), so that no outgoing connection holds ours.
FIRST, LAST = 20_000, 32_000
LOOPBACK = "127.0.0.1"
EVERYWHERE = ""


def free(port: int, host: str = LOOPBACK) -> bool:
    """Say whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def choose(taken: set[int], host: str = LOOPBACK, is_free: Callable[[int, str], bool] = free) -> int:
    """Return a free port that is not in `taken`.

    Raises:
        ClusterError: a thousand tries found none.
    """
    for _ in range(1000):
        port = random.randrange(FIRST, LAST)  # noqa: S311 - a port is no secret
        if port not in taken and is_free(port, host):
            return port
    what = f"no free port between {FIRST} and {LAST} on this machine"
    raise ClusterError(what, "See what listens with `ss -ltn`, and stop some of it")
