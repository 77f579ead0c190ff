"""Asks a MySQL server whether it speaks over TLS, to the end of its handshake and without an account.

The server greets, the client asks for TLS, both shake hands, the client names a user
(https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html). The user here is nobody, so the
server refuses it. To hang up earlier would count as a broken handshake, and after a hundred of them a server shuts out
the whole host (max_connect_errors); a refused user does not count
(https://dev.mysql.com/doc/refman/8.0/en/performance-schema-host-cache-table.html).
"""

import socket
import ssl
import struct
from dataclasses import dataclass

#: Nobody. Whoever finds it in the audit log shall know what it is.
USER = b"tap-health-check"

_PROTOCOL_41, _SSL, _SECURE_CONNECTION, _PLUGIN_AUTH = 1 << 9, 1 << 11, 1 << 15, 1 << 19
_CAPABILITIES = _PROTOCOL_41 | _SSL | _SECURE_CONNECTION | _PLUGIN_AUTH
_MAX_PACKET = 1 << 24
_UTF8MB4 = 45
_ERROR, _SWITCH = 0xFF, 0xFE
#: A greeting or a refusal is far shorter; whatever is longer is no MySQL.
_LONGEST = 4096


class NotAnsweringError(Exception):
    """The server does not answer over TLS; the message says why."""


@dataclass(frozen=True)
class Answer:
    """How the server answered.

    Attributes:
        tls: Version of TLS.
    """

    tls: str


def ask(host: str, port: int, seconds: float, ca_file: str = "") -> Answer:
    """Returns how the server answers.

    Args:
        host: The server.
        port: Its port.
        seconds: The longest that any step may take.
        ca_file: Certificates that its own is verified by. Empty: it is not, which is enough to learn whether it
            answers: no secret is sent. (Certificates of RDS are in no store that Python comes with.)

    Raises:
        NotAnsweringError: it does not, or not over TLS.
    """
    try:
        with socket.create_connection((host, port), timeout=seconds) as plain:
            _greeting(plain)
            # The client's half of the capabilities, its largest packet, its character set, and nothing: "use TLS".
            plain.sendall(_packet(1, _head()))
            with _context(ca_file).wrap_socket(plain, server_hostname=host) as secure:
                secure.sendall(_packet(2, _head() + USER + b"\0" + b"\0" + b"mysql_native_password\0"))
                sequence, answer = _read(secure)
                if answer[0] == _SWITCH:
                    # It would like another kind of proof: there is none.
                    secure.sendall(_packet(sequence + 1, b""))
                    _read(secure)
                return Answer(secure.version() or "TLS")
    except (OSError, struct.error) as error:
        message = f"{type(error).__name__}: {error}"
        raise NotAnsweringError(message) from error


def _greeting(plain: socket.socket) -> None:
    """Reads what the server says first.

    Raises:
        NotAnsweringError: it is no greeting, or one of a server without TLS.
    """
    _, greeting = _read(plain)
    if greeting[0] == _ERROR:
        code = int.from_bytes(greeting[1:3], "little")
        message = f"the server refuses connections (error {code})"
        raise NotAnsweringError(message)
    if greeting[0] != 10:
        message = f"not a server of MySQL (protocol {greeting[0]})"
        raise NotAnsweringError(message)
    # The version, a thread, eight bytes of salt, a zero; then the lower half of the capabilities.
    after = greeting.index(b"\0", 1) + 1 + 4 + 8 + 1 if b"\0" in greeting[1:] else len(greeting)
    if not int.from_bytes(greeting[after : after + 2], "little") & _SSL:
        message = "the server offers no TLS"
        raise NotAnsweringError(message)


def _head() -> bytes:
    return struct.pack("<IIB23x", _CAPABILITIES, _MAX_PACKET, _UTF8MB4)


def _packet(sequence: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([sequence % 256]) + payload


def _read(connection: socket.socket) -> tuple[int, bytes]:
    """Returns number and payload of the next packet."""
    head = _exactly(connection, 4)
    length = int.from_bytes(head[:3], "little")
    if not 0 < length <= _LONGEST:
        message = f"not a server of MySQL (a packet of {length} bytes)"
        raise NotAnsweringError(message)
    return head[3], _exactly(connection, length)


def _exactly(connection: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        piece = connection.recv(length - len(found))
        if not piece:
            message = "the server hung up"
            raise NotAnsweringError(message)
        found += piece
    return found


def _context(ca_file: str) -> ssl.SSLContext:
    if ca_file:
        context = ssl.create_default_context(cafile=ca_file)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
