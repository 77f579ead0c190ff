import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "Error: no credentials were provided"),
        (["--tls-server-certs-dir", "/nonexistent"], "Error: /nonexistent/tls.crt: No such file or directory"),
    ],
)
def test_a_server_that_cannot_start_says_why_in_one_line(args: list[str], message: str) -> None:
    command = [sys.executable, "-W", "error::SyntaxWarning", "-m", "tap_function.main", *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
