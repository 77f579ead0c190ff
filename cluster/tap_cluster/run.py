"""Run a command and say in one line what it complained about. The only place that calls `subprocess`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tap_cluster.errors import ClusterError
from tap_cluster.places import Places

TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR")
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", *TRUST)
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    text: str | None = None,
    timeout: float | None = None,
) -> str:
    """Return what a command printed.

    Raises:
        ClusterError: the command cannot be started, failed, or took longer than `timeout` seconds.
    """
    name = Path(argv[0]).name
    try:
        # Every argv is built in this package from its own tables.
        done = subprocess.run(  # noqa: S603
            [str(part) for part in argv],
            env=dict(env) if env is not None else None,
            cwd=cwd,
            input=text,
            stdin=None if text is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
    except FileNotFoundError as error:
        what = f"{name} was not found"
        raise ClusterError(what, f"Install it, or look at {argv[0]}") from error
    except subprocess.TimeoutExpired as error:
        what = f"{name} gave no answer within {timeout:.0f} s"
        raise ClusterError(what, "Is the machine overloaded? Try again") from error
    if done.returncode != 0:
        what = f"{name} {_verb(argv)} failed: {_last_line(done.stderr or done.stdout)}"
        raise ClusterError(what, output=done.stderr or done.stdout)
    return done.stdout


def run_logged(argv: Sequence[str | Path], env: Mapping[str, str], log: Path) -> None:
    """Run a command whose words matter only when it fails; they are kept in `log`.

    Raises:
        ClusterError: as `run` does, with the log's name.
    """
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        log.write_text(run(argv, env=env), encoding="utf-8")
    except ClusterError as error:
        log.write_text(error.output, encoding="utf-8")
        raise ClusterError(error.what, error.mend, log=log, output=error.output) from error


def child_env(places: Places, **more: str | Path) -> dict[str, str]:
    """Return the small environment our commands get: no proxy, no kubeconfig, no home of the user's to write into."""
    return {**_passed_on(PASSED_ON), **_private_env(places), **{name: str(value) for name, value in more.items()}}


def program_env(places: Places, **more: str | Path) -> dict[str, str]:
    """Return the environment of what goes on running: the same from whichever shell it was started.

    Only where the user keeps the certificates that this machine trusts is passed on.
    """
    return {
        **_passed_on(TRUST),
        "PATH": f"{Path(sys.executable).parent}:{SYSTEM_PATH}",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        **_private_env(places),
        **{name: str(value) for name, value in more.items()},
    }


def _passed_on(names: Sequence[str]) -> dict[str, str]:
    return {name: os.environ[name] for name in names if name in os.environ}


def _private_env(places: Places) -> dict[str, str]:
    home = places.private("home")
    return {
        "HOME": str(home),
        "USER": "tap",  # kopf asks for a name, and a container's user may have none
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "DOCKER_CONFIG": str(home / "docker"),
        "KUBECACHEDIR": str(home / "kube"),
        "KUBERC": "off",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(places.private("tmp")),  # kopf and others write certificates and keys there
    }


def _verb(argv: Sequence[str | Path]) -> str:
    return " ".join(str(part) for part in argv[1:4] if not str(part).startswith(("-", "/")))


def _last_line(text: str) -> str:
    rows = [row.strip() for row in text.splitlines() if row.strip()]
    return rows[-1][:600] if rows else "it printed nothing"
