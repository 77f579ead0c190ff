"""What is remembered: ports, processes, finished steps."""

import json
import os
from pathlib import Path

import pytest

from tap_cluster import ports
from tap_cluster.errors import ClusterError
from tap_cluster.processes import Identity, identify
from tap_cluster.state import Record, State


def test_a_state_that_was_saved_is_loaded_whole_and_only_the_owner_reads_it(tmp_path: Path) -> None:
    state = State(tmp_path / "a" / "state.json")
    state.ports["etcd"] = 20001
    state.processes["etcd"] = Record(Identity(4, 5, "ab"), "cd", "/log")
    state.done["step"] = "digest"
    state.applied["step"] = ["{}"]
    state.save()
    assert State.load(state.path) == state
    assert state.path.stat().st_mode & 0o777 == 0o600


def test_no_file_is_an_empty_state(tmp_path: Path) -> None:
    assert State.load(tmp_path / "state.json") == State(tmp_path / "state.json")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ports": {}}', '{"ports": {}, "done": {}, "processes": {"x": {}}}'])
def test_a_broken_file_is_one_line_with_the_mend(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(ClusterError, match=r"cannot be read.*Remove it and run `make up` again"):
        State.load(tmp_path / "state.json")


def test_a_state_of_an_older_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(json.dumps({"ports": {"a": 1}, "processes": {}, "done": {}}))
    assert State.load(tmp_path / "state.json").ports == {"a": 1}


def test_a_remembered_port_is_kept_while_it_is_free(tmp_path: Path) -> None:
    state = State(tmp_path / "state.json", ports={"a": 20001})
    assert state.settle_ports({"a": ("etcd", "127.0.0.1")}, lambda _port, _host: True)["a"] == 20001


def test_a_port_that_a_stranger_took_is_chosen_anew_and_the_others_stay(tmp_path: Path) -> None:
    state = State(tmp_path / "state.json", ports={"a": 20001, "b": 20002})
    wanted = {"a": ("etcd", "127.0.0.1"), "b": ("etcd", "")}
    after = state.settle_ports(wanted, lambda port, _host: port != 20001)
    assert after["a"] not in {20001, 20002}
    assert after["b"] == 20002
    assert State.load(state.path).ports == after


def test_a_port_that_several_share_is_kept_while_one_of_them_runs(tmp_path: Path) -> None:
    me = identify(os.getpid())
    assert me is not None
    state = State(tmp_path / "s", ports={"a": 20001}, processes={"second": Record(me, "", "")})
    wanted = {"a": (("first", "second"), "127.0.0.1")}
    assert state.settle_ports(wanted, lambda _port, _host: False) == {"a": 20001}


def test_two_names_never_get_one_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "FIRST", 20_000)
    monkeypatch.setattr(ports, "LAST", 20_004)
    names = dict.fromkeys("abcd", ("p", "127.0.0.1"))
    assert sorted(State(tmp_path / "s").settle_ports(names, lambda _port, _host: True).values()) == [
        *range(20_000, 20_004)
    ]


def test_no_port_at_all_is_one_line_with_the_mend() -> None:
    with pytest.raises(ClusterError, match=r"no free port between .*`ss -ltn`"):
        ports.choose(set(), is_free=lambda _port, _host: False)
