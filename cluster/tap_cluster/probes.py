"""Questions to a process of this machine: is it ready?"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

TIMEOUT = 5.0


def http_ready(port: int, path: str = "/readyz", host: str = "127.0.0.1") -> Callable[[], bool]:
    """Return a check that is true when GET answers 200."""
    return lambda: _get(http.client.HTTPConnection(host, port, timeout=TIMEOUT), path)


def https_ready(
    port: int, path: str, ca: Path, client: Path | None = None, host: str = "127.0.0.1"
) -> Callable[[], bool]:
    """Return a check over TLS, with a client certificate (a folder) where the server asks for one."""

    def check() -> bool:
        context = ssl.create_default_context(cafile=ca)
        if client is not None:
            context.load_cert_chain(client / "tls.crt", client / "tls.key")
        return _get(http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context), path)

    return check


def tcp_ready(port: int) -> Callable[[], bool]:
    """Return a check that is true when somebody accepts connections."""

    def check() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), TIMEOUT).close()
        except OSError:
            return False
        return True

    return check


def _get(connection: http.client.HTTPConnection, path: str) -> bool:
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
