"""A person at a terminal: what a command asks there, and what it does with the answer."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

_SPAWN = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
CTRL_C = "\x03"


def at_a_terminal(command: Sequence[str], env: Mapping[str, str], question: str, answer: str) -> tuple[int, str]:
    """Runs a command on a terminal of its own, and types `answer` once it has asked `question`.

    Returns its exit code and all that was to be read.
    """
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", _SPAWN, *command], env=env, **pipes) as process:  # type: ignore[call-overload]
        said = b""
        while question.encode() not in said:
            chunk = os.read(process.stdout.fileno(), 4096)
            assert chunk, f"it ended without the question:\n{said.decode()}"
            said += chunk
        process.stdin.write(answer.encode())
        process.stdin.flush()
        said += process.stdout.read()
    return process.returncode, said.decode().replace("\r\n", "\n")
