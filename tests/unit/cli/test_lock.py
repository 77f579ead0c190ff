"""`tap lock`, `tap unlock` and `tap lock status` on a double of the apiserver."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doubles.restapi import RestApi, serving
from tap_api.base import API_VERSION, Json
from tap_api.errors import TapError
from tap_api.locks import take
from tap_cli.main import VERBS, cli

TAPS = "/apis/tap.platform/v1alpha1/namespaces/tap-prod/environmenttaps"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/tap-prod/leases"
EVENTS = "/api/v1/namespaces/tap-prod/events"
PROD: Json = {
    "apiVersion": API_VERSION,
    "kind": "EnvironmentTap",
    "metadata": {"name": "prod", "namespace": "tap-prod", "uid": "u"},
    "spec": {"regions": []},
}


class Said:
    """What a verb said, on both streams and as an error, and its exit code."""

    def __init__(self, code: int, text: str) -> None:
        self.code, self.text = code, re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d[.\d]*Z)?", "TIME", text)


class Asked:
    """A double, and `tap` asking it."""

    def __init__(self, api: RestApi, kubeconfig: Path) -> None:
        self.api, self.kubeconfig = api, kubeconfig

    def tap(self, *args: str) -> Said:
        done = self.run(*args)
        error = str(done.exception) if isinstance(done.exception, TapError) else ""
        return Said(1 if error else done.exit_code, done.output + error)

    def run(self, *args: str) -> Result:
        words = 2 if " ".join(args[:2]) in VERBS else 1
        where = ("--kubeconfig", str(self.kubeconfig))
        return CliRunner().invoke(cli, [*args[:words], *where, *args[words:]], env={"NO_PROXY": "127.0.0.1"})


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    api = RestApi((TAPS, PROD))
    with serving(api, tmp_path) as kubeconfig:
        yield Asked(api, kubeconfig)


def lease(user: str) -> Json:
    return take(None, PROD, user=user, why="moving", seconds=3600, now=datetime.now(UTC))


def test_a_lock_is_taken_shown_and_given_up(asked: Asked) -> None:
    assert asked.tap("lock", "prod", "--why", "moving", "--for", "2h").text == (
        "tap-prod/prod is locked by alice (moving; until TIME UTC)\n"
    )
    assert asked.api.objects[f"{LEASES}/tap-lock-prod"]["spec"]["leaseDurationSeconds"] == 7200
    assert asked.tap("lock", "status").text == "tap-prod/prod  locked by alice, until TIME UTC\n  why: moving\n"
    assert asked.tap("unlock", "prod").text == "tap-prod/prod is not locked any more\n"
    assert asked.tap("lock", "status", "prod").text == "tap-prod/prod  not locked\n"


def test_anothers_lock_is_neither_taken_nor_given_up(asked: Asked) -> None:
    asked.api.put(LEASES, lease("bob"))
    for verb in ("lock", "unlock"):
        said = asked.tap(verb, "prod")
        assert (said.code, said.text) == (
            1,
            "tap-prod/prod is locked by bob (moving; until TIME UTC); wait for `tap unlock prod -n tap-prod` by its "
            "holder, or break it on record with --break --why TEXT",
        )


def test_a_break_is_on_the_lease_and_told_by_an_event(asked: Asked) -> None:
    asked.api.put(LEASES, lease("bob"))
    said = asked.tap("unlock", "prod", "--break", "--why", "on leave")
    sentence = "the lock of bob was broken by alice at TIME: on leave"
    assert (said.code, said.text) == (0, f"tap-prod/prod is not locked any more: {sentence}\n")
    [event] = [item for path, item in asked.api.objects.items() if path.startswith(EVENTS)]
    assert (event["reason"], event["involvedObject"]["uid"]) == ("LockBroken", "u")
    assert event["message"].startswith("the lock of bob was broken by alice at ")
    assert asked.tap("lock", "status").text == f"tap-prod/prod  not locked\n  last broken: {sentence}\n"
    [row] = json.loads(asked.run("lock", "status", "-o", "json").output)["locks"]
    assert (row["locked"], row["broken"]["by"], row["broken"]["holder"]) == (False, "alice", "bob")


def test_a_break_whose_event_is_refused_is_broken_all_the_same_and_says_so(asked: Asked) -> None:
    asked.api.put(LEASES, lease("bob"))
    asked.api.refused["POST", EVENTS] = (403, "events is forbidden")
    said = asked.tap("unlock", "prod", "--break", "--why", "on leave")
    assert said.code == 0
    assert "warning: no Event tells of it (events is forbidden); the Lease tap-lock-prod does" in said.text
    assert asked.api.objects[f"{LEASES}/tap-lock-prod"]["spec"]["holderIdentity"] == ""


def test_programs_get_a_row_for_each_environment(asked: Asked) -> None:
    asked.api.put(LEASES, lease("bob"))
    [row] = json.loads(asked.run("lock", "status", "-o", "json").output)["locks"]
    assert {key: row[key] for key in ("namespace", "name", "locked", "holder", "why", "stale")} == {
        "namespace": "tap-prod",
        "name": "prod",
        "locked": True,
        "holder": "bob",
        "why": "moving",
        "stale": False,
    }
    assert asked.run("lock", "status", "-o", "yaml").output.startswith(
        "version: 1\nlocks:\n- namespace: tap-prod\n  name: prod\n  locked: true\n"
    )


def test_whoever_is_quicker_wins_and_the_other_one_reads_again(asked: Asked) -> None:
    answer = asked.api.answer

    def overtaken(method: str, url: str, body: Json | None) -> tuple[int, Json]:
        if method == "POST" and url.endswith("/leases"):
            asked.api.put(LEASES, lease("bob"))
        return answer(method, url, body)

    asked.api.answer = overtaken  # type: ignore[method-assign]
    said = asked.tap("lock", "prod")
    assert said.code == 1
    assert said.text.startswith("tap-prod/prod is locked by bob")


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["lock", "gone"], 1, "no EnvironmentTap 'gone' in any namespace; `tap status` lists those there are"),
        (["lock", "status", "gone"], 1, "no EnvironmentTap 'gone' in any namespace"),
        (["unlock", "prod"], 1, "tap-prod/prod is not locked; there is nothing to unlock"),
        (["unlock", "prod", "--break"], 2, "--break needs --why: it goes on record"),
        (["unlock", "prod", "--why", "x"], 2, "--why goes with --break"),
        (["lock", "prod", "--for", "3y"], 2, "'3y' is no time; write one such as 30m, 2h or 1d"),
        (["lock", "prod", "--for", "8d"], 2, "8d is longer than 7 days; renew the lock instead"),
        (["lock", "--", "status"], 1, "no EnvironmentTap 'status'"),
        (["lock"], 2, "Missing argument 'NAME'"),
    ],
)
def test_bad_input_gets_one_message(asked: Asked, args: list[str], code: int, said: str) -> None:
    found = asked.tap(*args)
    assert found.code == code
    assert said in found.text


@pytest.mark.parametrize("verb", [("lock", "prod"), ("unlock", "prod"), ("lock", "status")])
def test_a_right_that_is_missing_is_named(asked: Asked, verb: tuple[str, ...]) -> None:
    asked.api.refused["GET", "/apis/coordination.k8s.io/"] = (403, 'User "alice" cannot get resource "leases"')
    found = asked.tap(*verb)
    assert (found.code, found.text) == (1, 'User "alice" cannot get resource "leases"')


@pytest.mark.parametrize("requests", [0, 1, 2, 3])
def test_a_cluster_that_goes_midway_is_told_in_one_line(asked: Asked, requests: int) -> None:
    asked.api.gone_after = requests
    found = asked.tap("lock", "prod")
    assert found.code == 1
    assert found.text.startswith("the cluster does not answer (")
    assert "\n" not in found.text
