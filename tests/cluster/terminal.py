"""A person at a terminal: what a command asks there, and what it does with the answer."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

CTRL_C = "\x03"
#: A terminal of its own, whose Ctrl-C is heard also where the tests run in the background, which are started deaf to it.
_SPAWN = """
import os, pty, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
"""
#: Seconds after which a person to whom nothing happens presses Ctrl-C again.
_AGAIN = 5.0


def at_a_terminal(
    command: Sequence[str], env: Mapping[str, str], question: str, answer: str, seconds: float = 120
) -> tuple[int, str]:
    """Runs a command on a terminal of its own, and types `answer` once it has asked `question`.

    Ctrl-C is pressed again while the command does not end: one that comes between the question and the reading of the
    answer is seen only when something is read (CPython's `input`).

    Returns its exit code and all that was to be read.

    Raises:
        AssertionError: It did not ask, or did not end within `seconds`.
    """
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", _SPAWN, *command], env=env, start_new_session=True, **pipes)  # type: ignore[call-overload]
    said, typed = b"", 0.0
    try:
        for chunk in _read(process.stdout.fileno(), time.monotonic() + seconds):
            said += chunk
            asked = question.encode() in said
            again = answer == CTRL_C and time.monotonic() - typed > _AGAIN
            if asked and (not typed or again):
                typed = time.monotonic()
                process.stdin.write(answer.encode())
                process.stdin.flush()
        assert typed, f"it ended without the question:\n{said.decode()}"
        return process.wait(10), said.decode().replace("\r\n", "\n")
    except TimeoutError as error:
        message = f"it did not end within {seconds:g} s; it said:\n{said.decode()}"
        raise AssertionError(message) from error
    finally:
        # What reads from the terminal ends with it.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        process.stdin.close()
        process.stdout.close()


def _read(file: int, deadline: float) -> Iterator[bytes]:
    """Yields what comes, or nothing after each while in which nothing does, until it ends."""
    while True:
        if time.monotonic() > deadline:
            raise TimeoutError
        if not select.select([file], [], [], 0.5)[0]:
            yield b""
        elif chunk := os.read(file, 4096):
            yield chunk
        else:
            return
