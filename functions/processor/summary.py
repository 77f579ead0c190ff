"""What an object is: its digest, its size, and its lines where it is text. Read once, a piece at a time."""

import codecs
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

#: Bytes of one piece, and the most that is read of one object.
PIECE = 256 * 1024
MOST = 512 * 1024 * 1024


@dataclass(frozen=True)
class Summary:
    """A summary.

    Attributes:
        read: Bytes that were read.
        complete: Whether that is all of it.
        sha256: Digest in hexadecimal; None where not all of it was read.
        lines: Lines of a text; None where it is none, or where not all of it was read.
    """

    read: int
    complete: bool
    sha256: str | None
    lines: int | None


def summarise(pieces: Iterable[bytes], size: int, may_go_on: Callable[[], bool], most: int = MOST) -> Summary:
    """Returns the summary of `pieces`.

    Args:
        pieces: The content.
        size: How many bytes it has, as S3 says.
        may_go_on: Returns whether there is time left to read on.
        most: The most that is read.
    """
    digest, lines, read, complete = hashlib.sha256(), _Lines(), 0, True
    for piece in pieces:
        digest.update(piece)
        lines.update(piece)
        read += len(piece)
        if read < size and (read >= most or not may_go_on()):
            complete = False
            break
    return Summary(
        read=read,
        complete=complete,
        sha256=digest.hexdigest() if complete else None,
        lines=lines.count() if complete else None,
    )


class _Lines:
    """Counts lines as long as the content is UTF-8 text."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text, self._ends, self._open = True, 0, False

    def update(self, piece: bytes) -> None:
        """Takes the next piece."""
        if not self._text or not piece:
            return
        try:
            self._decoder.decode(piece)
        except UnicodeDecodeError:
            self._text = False
        if b"\0" in piece:
            self._text = False
        self._ends += piece.count(b"\n")
        self._open = not piece.endswith(b"\n")

    def count(self) -> int | None:
        """Returns the lines, a last one without an end included; None where it was no text."""
        try:
            self._decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return None
        return self._ends + self._open if self._text else None
