"""The webhook's certificate: two files in a folder that others renew, taken up without a pause."""

import asyncio
import logging
import ssl
from pathlib import Path

_LOG = logging.getLogger(__name__)


class Certificate:
    """The certificate in a folder, `tls.crt` and `tls.key`.

    The listening socket is never closed for a renewal. Each handshake is given the context of the newest certificate
    that was whole; connections that stand keep theirs.
    """

    def __init__(self, folder: Path) -> None:
        """Reads the certificate.

        Raises:
            OSError: there is none, or it does not fit its key.
        """
        self._files = (folder / "tls.crt", folder / "tls.key")
        self._seen = self._read()
        self._newest = self._load()
        #: What to listen with.
        self.context = self._load()
        self.context.sni_callback = self._choose

    async def watch(self, interval: float) -> None:
        """Looks every `interval` seconds whether the files changed, for ever."""
        while True:
            await asyncio.sleep(interval)
            self.refresh()

    def refresh(self) -> None:
        """Takes the files up if they changed; keeps what it has while they do not fit (half a renewal)."""
        try:
            seen = self._read()
            if seen == self._seen:
                return
            self._newest = self._load()
        except OSError as error:  # ssl.SSLError is one.
            _LOG.warning("the renewed certificate cannot be used, the old one is kept: %s", error)
            return
        # Changed again between the two reads, it differs from what was seen and is loaded again.
        self._seen = seen
        _LOG.info("the renewed certificate is in use")

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _: ssl.SSLContext) -> None:
        connection.context = self._newest

    def _read(self) -> tuple[bytes, ...]:
        return tuple(file.read_bytes() for file in self._files)

    def _load(self) -> ssl.SSLContext:
        context = ssl.create_default_context(purpose=ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self._files)
        return context
