"""A process is known by number, start and command line together; anything else is a stranger."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tap_cluster import processes
from tap_cluster.errors import ClusterError
from tap_cluster.processes import Identity, alive, identify

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


def proc(
    folder: Path, pid: int, *, state: str = "S", start: int = 7, command: bytes = b"etcd\0", threads: int = 1
) -> Path:
    home = folder / str(pid)
    for thread in range(threads):
        (home / "task" / str(pid + thread)).mkdir(parents=True)
    middle = " ".join("0" for _ in range(18))
    (home / "stat").write_text(f"{pid} (a ) b) {state} {middle} {start} 0 0\n")
    (home / "cmdline").write_bytes(command)
    return folder


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Identity]:
    identity = processes.start(SLEEP, dict(os.environ), tmp_path / "log")
    yield identity
    processes.kill(identity)


def test_a_name_with_brackets_and_spaces_does_not_shift_the_fields(tmp_path: Path) -> None:
    found = identify(41, proc(tmp_path, 41, start=12345))
    assert found is not None
    assert (found.pid, found.start) == (41, 12345)


def test_who_was_started_is_known_by_a_command_line_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within exec it has ours first, then none."""
    ours = Path("/proc/self/cmdline").read_bytes()
    found = [identify(41, proc(tmp_path / str(i), 41, command=text)) for i, text in enumerate((ours, b"", b"etcd\0"))]
    seen = iter(found)
    monkeypatch.setattr(processes, "identify", lambda pid: next(seen) if pid == 41 else identify(pid))
    assert processes._settled(41) == found[-1]


def test_nobody_lives_at_an_unused_number(tmp_path: Path) -> None:
    assert identify(41, tmp_path) is None


@pytest.mark.parametrize(("threads", "there"), [(1, False), (3, True)], ids=["gone", "other threads still exit"])
def test_a_zombie_is_dead_once_its_last_thread_is(tmp_path: Path, threads: int, there: bool) -> None:  # noqa: FBT001
    found = identify(41, proc(tmp_path, 41, state="Z", threads=threads))
    assert (found is not None) == there


@pytest.mark.parametrize(
    "now",
    [{"start": 8}, {"command": b"sleep\0600\0"}, {"start": 8, "command": b"sleep\0600\0"}],
    ids=["same command, started later", "same start, another command", "all differs"],
)
def test_a_reused_number_is_a_stranger(tmp_path: Path, now: dict[str, object]) -> None:
    ours = identify(4194305, proc(tmp_path / "before", 4194305))
    assert ours is not None
    assert alive(ours, tmp_path / "before")
    assert not alive(ours, proc(tmp_path / "after", 4194305, **now))  # type: ignore[arg-type]


def test_no_signal_goes_to_a_stranger(sleeper: Identity) -> None:
    for stranger in (
        Identity(sleeper.pid, sleeper.start + 1, sleeper.argv),
        Identity(sleeper.pid, sleeper.start, "else"),
    ):
        processes.stop(stranger, grace=0)
        processes.kill(stranger)
    assert alive(sleeper)


def test_a_started_process_leads_its_own_session_and_logs_to_its_file(tmp_path: Path) -> None:
    argv = (sys.executable, "-c", "import os, time; print(os.getsid(0) == os.getpid(), flush=True); time.sleep(600)")
    identity = processes.start(argv, dict(os.environ), tmp_path / "logs" / "x.log")
    try:
        # Python may write a line and its end one after the other.
        while not (tmp_path / "logs" / "x.log").read_text().endswith("\n"):
            assert alive(identity)
        assert (tmp_path / "logs" / "x.log").read_text() == "True\n"
    finally:
        processes.stop(identity)
    assert not alive(identity)


def test_what_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    parent = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {child!r}]); print(p.pid, flush=True); p.wait()"
    identity = processes.start((sys.executable, "-c", parent), dict(os.environ), tmp_path / "log")
    while not (tmp_path / "log").read_text().endswith("\n"):
        assert alive(identity)
    grandchild = identify(int((tmp_path / "log").read_text()))
    assert grandchild is not None
    processes.stop(identity, grace=0.2)
    assert not alive(identity)
    while alive(grandchild):
        pass


def test_a_program_that_is_not_there_is_one_line_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(ClusterError) as caught:
        processes.start((str(tmp_path / "nothing"),), {}, tmp_path / "log")
    assert str(caught.value).splitlines() == [
        f"{tmp_path / 'nothing'} cannot be started: No such file or directory."
        " Is it there, and may you execute it? `make up` builds what is absent"
    ]


def test_a_log_that_grew_too_large_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "ROTATE_BYTES", 3)
    (tmp_path / "x.log").write_text("old words\n")
    processes.kill(processes.start(SLEEP, dict(os.environ), tmp_path / "x.log"))
    assert (tmp_path / "x.log.1").read_text() == "old words\n"
    assert (tmp_path / "x.log").read_text() == ""


def test_a_stranger_outside_proc_is_never_waited_for() -> None:
    other = subprocess.Popen(SLEEP)
    try:
        assert not alive(Identity(other.pid, 0, "ours"))
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_child_that_outlives_its_parent_has_time_to_end_and_is_gone_when_both_are_stopped(tmp_path: Path) -> None:
    """As what nsenter started: nsenter ends at once, and a port is free once the other has."""
    end = "lambda *_: (time.sleep(0.3), open(sys.argv[1], 'w'), sys.exit())"
    last = f"import signal, sys, time; signal.signal(signal.SIGTERM, {end})"
    child = f"{last}; print('up', flush=True); time.sleep(600)"
    argv = (sys.executable, "-c", child, str(tmp_path / "ended"))
    identity = processes.start(("/bin/sh", "-c", '"$@" & wait', "sh", *argv), dict(os.environ), tmp_path / "log")
    while "up" not in (tmp_path / "log").read_text():
        assert alive(identity)
    processes.stop(identity, grace=10)
    assert (tmp_path / "ended").exists(), "it was killed before it had ended"
