"""A double of a MySQL server: the connection phase and nothing else, with a certificate of its own."""

import socket
import ssl
import struct
from threading import Event, Thread
from types import TracebackType
from typing import Self

import trustme

SSL = 1 << 11
#: The version, a thread, eight bytes of salt, a zero, the lower capabilities, a character set, and so on.
GREETING = b"\x0a8.0.39\0" + struct.pack("<I8sxHBHH", 7, b"saltsalt", 0xFFFF, 45, 2, 0xDFFF) + b"\x15" + b"\0" * 10


def packet(sequence: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([sequence]) + payload


class MySql:
    """The server. `users` are those that asked to come in, `finished` how often a handshake came to its end."""

    def __init__(
        self,
        *,
        tls: bool = True,
        switch: bool = False,
        silent: bool = False,
        greeting: bytes | None = GREETING,
    ) -> None:
        self.authority = trustme.CA()
        self.users: list[bytes] = []
        self.finished = 0
        self._greeting = greeting if tls or greeting is None else greeting.replace(b"\xff\xff", b"\xff\xf7")
        self._switch, self._silent = switch, silent
        self._ended = Event()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("localhost").configure_cert(self._context)
        self._socket = socket.create_server(("localhost", 0))
        self._thread = Thread(target=self._serve)
        self.port = int(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._ended.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.settimeout(5)
            with connection:
                try:
                    self._answer(connection)
                except OSError:
                    continue

    def _answer(self, connection: socket.socket) -> None:
        if self._silent:
            self._ended.wait(5)
            return
        if self._greeting is None:
            return
        connection.sendall(packet(0, self._greeting))
        asked = self._read(connection)
        assert len(asked) == 32 and int.from_bytes(asked[:4], "little") & SSL
        with self._context.wrap_socket(connection, server_side=True) as secure:
            answer = self._read(secure)
            # The same head as before, then the user.
            assert answer[:32] == asked
            self.users.append(answer[32:].partition(b"\0")[0])
            sequence = 3
            if self._switch:
                secure.sendall(packet(sequence, b"\xfecaching_sha2_password\0" + b"salt" * 5 + b"\0"))
                assert self._read(secure) == b""
                sequence = 5
            secure.sendall(packet(sequence, b"\xff\x15\x04#28000Access denied"))
            self.finished += 1

    @staticmethod
    def _read(connection: socket.socket) -> bytes:
        head = b""
        while len(head) < 4:
            piece = connection.recv(4 - len(head))
            if not piece:
                message = "hung up"
                raise OSError(message)
            head += piece
        length, found = int.from_bytes(head[:3], "little"), b""
        while len(found) < length:
            found += connection.recv(length - len(found))
        return found
