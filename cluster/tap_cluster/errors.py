"""What can go wrong here, as one line a person can act on."""

from __future__ import annotations

from pathlib import Path

TAIL_LINES = 12


class ClusterError(Exception):
    """Something stops the cluster; `what` says it, `mend` says what to do, `log` is where to read on."""

    def __init__(self, what: str, mend: str = "", *, log: Path | None = None, output: str = "") -> None:
        """Keep the parts; `output` is all that a failed command said, for callers that want more than a line."""
        super().__init__(what)
        self.output = output
        self.what = what
        self.mend = mend
        self.log = log

    def __str__(self) -> str:
        """One line, then the end of the log where there is one."""
        line = f"{self.what}. {self.mend}" if self.mend else self.what
        if self.log is None:
            return line
        shown = "\n".join(f"    {row}" for row in tail(self.log))
        return f"{line}\n  last lines of {self.log}:\n{shown}"


def tail(log: Path, lines: int = TAIL_LINES) -> list[str]:
    """Return the last lines of a log, or a word that it is empty."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 16_384))
            rows = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ["(no log was written)"]
    return [row[:400] for row in rows[-lines:]] or ["(the log is empty)"]
