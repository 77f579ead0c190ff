"""What `tap deploy` applies, what it waits for, and what it says to bad input. A real cluster: tests/cluster."""

import json
import subprocess
import sys
import time
from contextlib import nullcontext
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from kubernetes.client.exceptions import ApiException

from doubles.restapi import RestApi, holding, serving
from golden.world import Environment
from policy_cases import ALONE, GOOD, ONE, TWO
from tap_api import manifest
from tap_api.base import Json
from tap_api.errors import TapError
from tap_api.kinds import PARTS
from tap_api.naming import MANAGER
from tap_cli import progress
from tap_cli.cluster import Cluster
from tap_cli.connection import ClusterError
from tap_cli.intent import intent, taken_over
from tap_cli.main import cli, run
from tap_cli.progress import Alone, undone
from tap_cli.refusals import RefusedByClusterError, StaleError, explained, warnings
from tap_cli.snapshot import Snapshot
from tap_cli.writer import Writer
from unit.stack.planned import objects

ROOT = Path(__file__).parents[3]
LIVE: Json = {
    **GOOD,
    "metadata": {**GOOD["metadata"], "uid": "u1"},
    "spec": {
        **GOOD["spec"],
        "drift": "Repair",
        "regions": [{**ONE, "state": "Present"}, {**TWO, "state": "Paused"}],
    },
}


def test_a_claim_is_applied_whole_and_as_the_file_has_it() -> None:
    written = {**GOOD, "status": {"old": True}, "metadata": {**GOOD["metadata"], "resourceVersion": "7"}}
    assert intent(written, LIVE).document == GOOD


def test_of_one_region_the_file_gives_its_entry_and_the_cluster_all_else() -> None:
    written = deepcopy(GOOD)
    written["spec"]["tags"]["Team"] = "payments"
    made = intent(written, LIVE, "us-east-2")
    assert made.document["spec"] == {**LIVE["spec"], "regions": [{**ONE, "state": "Present"}, TWO]}
    assert made.left_out == ("spec.tags.Team",)


def test_of_one_region_labels_and_annotations_stay_as_they_were_applied() -> None:
    written = {**GOOD, "metadata": {**GOOD["metadata"], "labels": {"team": "shop"}}}
    applied = entry(MANAGER, "Apply", {"f:metadata": {"f:labels": {"f:team": {}}}})
    meta = {"labels": {"team": "platform", "theirs": "x"}, "annotations": {"theirs": "x"}, "managedFields": [applied]}
    live = {**LIVE, "metadata": {**LIVE["metadata"], **meta}}
    made = intent(written, live, "us-east-2")
    assert made.document["metadata"] == {**GOOD["metadata"], "labels": {"team": "platform"}}
    assert made.left_out == ("metadata.labels.team",)


def test_a_region_that_is_new_is_added_and_of_a_new_environment_it_is_the_first() -> None:
    third = {"name": "eu-west-1", "cidr": "10.2.0.0/16"}
    written = deepcopy(GOOD)
    written["spec"]["regions"].append(third)
    assert intent(written, LIVE, "eu-west-1").document["spec"]["regions"] == [*LIVE["spec"]["regions"], third]
    assert intent(written, None, "us-east-1").document["spec"]["regions"] == [ONE]


@pytest.mark.parametrize("claim", [GOOD, ALONE], ids=["environment", "alone"])
def test_a_region_that_the_file_does_not_have_is_told_with_those_that_it_has(claim: Json) -> None:
    with pytest.raises(TapError, match=r"'mars-1' is no region of \w+; its regions are "):
        intent(claim, None, "mars-1")


CLAIMS = "/apis/tap.platform/v1alpha1/namespaces/tap-prod/environmenttaps"
BESIDE = "/apis/tap.platform/v1alpha1/namespaces/tap-dev"


class Busy(RestApi):
    """An apiserver on which others write a status between each look and the first `writes` patches."""

    def __init__(self, writes: int) -> None:
        super().__init__((CLAIMS, deepcopy(LIVE)))
        self.writes = writes

    def answer(self, method: str, url: str, body: Json | None) -> tuple[int, Json]:
        if method == "PATCH" and self.writes:
            self.writes -= 1
            self.put(CLAIMS, {**LIVE, "status": {"observedGeneration": self.writes}})
        return super().answer(method, url, body)


def test_what_others_write_beside_a_spec_is_looked_at_again_and_not_for_ever(tmp_path: Path) -> None:
    wanted = intent({**GOOD, "spec": {**GOOD["spec"], "drift": "Report"}}, LIVE)
    api = Busy(writes=3)
    with serving(api, tmp_path) as kubeconfig:
        assert Writer(kubeconfig).apply(wanted)["spec"]["drift"] == "Report"
    api = Busy(writes=99)
    with serving(api, tmp_path) as kubeconfig, pytest.raises(StaleError, match="nothing of it was changed"):
        Writer(kubeconfig).apply(wanted)
    assert api.objects[f"{CLAIMS}/prod"]["spec"]["drift"] == "Repair"


@pytest.mark.parametrize("now", [{**LIVE, "spec": {**LIVE["spec"], "regions": [ONE]}}, None], ids=["changed", "gone"])
def test_what_is_not_what_the_plan_was_made_of_is_not_written_to(tmp_path: Path, now: Json | None) -> None:
    api = RestApi(*([(CLAIMS, now)] if now else []))
    with (
        serving(api, tmp_path) as kubeconfig,
        pytest.raises(RefusedByClusterError, match="EnvironmentTap prod was changed since its plan was shown"),
    ):
        Writer(kubeconfig).apply(intent(GOOD, LIVE, "us-east-2"))
    assert not [asked for asked in api.asked if asked.startswith("PATCH")]


def test_a_label_that_alone_changes_is_applied(tmp_path: Path) -> None:
    environment = Environment("dev", regions=[{"name": "us-east-1", "cidr": "10.0.0.0/16"}])
    environment.settle()
    api, claim = (
        holding(list(objects(environment))),
        {**environment.claim, "metadata": dict(environment.claim["metadata"])},
    )
    place = f"{BESIDE}/environmenttaps/dev"
    del claim["metadata"]["uid"]
    with serving(api, tmp_path) as kubeconfig:
        assert deployed(claim, kubeconfig) is False
        claim["metadata"]["labels"] = {"team": "shop"}
        assert deployed(claim, kubeconfig) is True
        assert api.objects[place]["metadata"]["labels"] == {"team": "shop"}
        assert deployed(claim, kubeconfig) is False


def deployed(claim: Json, kubeconfig: Path) -> bool:
    """Returns whether `tap deploy` applied a claim."""
    file = kubeconfig.with_name("claim.yaml")
    file.write_text(manifest.dump([claim]))
    args = ["deploy", str(file), "--yes", "--no-wait", "-o", "json", "--kubeconfig", str(kubeconfig)]
    done = CliRunner().invoke(cli, args, env={"NO_PROXY": "127.0.0.1"})
    return bool(json.loads(done.output)["claims"][0]["applied"])


class Choosy(RestApi):
    """An apiserver that refuses what is called `second`: in the dry run already, or only when it is written."""

    def __init__(self, *, in_dry_run: bool) -> None:
        super().__init__()
        self._in_dry_run = in_dry_run

    def answer(self, method: str, url: str, body: Json | None) -> tuple[int, Json]:
        if method == "PATCH" and "/second?" in url and ("dryRun" in url) is self._in_dry_run:
            return 400, {"message": WEBHOOK}
        return super().answer(method, url, body)


@pytest.mark.parametrize("in_dry_run", [True, False])
def test_of_several_claims_none_is_applied_or_what_was_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, in_dry_run: bool
) -> None:
    files = []
    for name in ("first", "second"):
        claim = {**GOOD, "metadata": {**GOOD["metadata"], "name": name}}
        files.append(str(tmp_path / f"{name}.yaml"))
        Path(files[-1]).write_text(manifest.dump([claim]), encoding="utf-8")
    api = Choosy(in_dry_run=in_dry_run)
    with serving(api, tmp_path) as kubeconfig:
        flags = ["--yes", "--no-wait", "-o", "json", "--kubeconfig", str(kubeconfig)]
        code = run(partial(cli, ["deploy", *files, *flags]))
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert (code, [claim["applied"] for claim in found["claims"]]) == (1, [not in_dry_run, False])
    assert (f"{CLAIMS}/first" in api.objects, f"{CLAIMS}/second" in api.objects) == (not in_dry_run, False)
    assert "the cluster refuses EnvironmentTap second; nothing of it was changed:" in told.err
    assert found["error"] == told.err.removeprefix("error: ").rstrip("\n")
    before = "EnvironmentTap first was applied before that; it goes on; look again with: tap status first -n tap-prod"
    assert (before in told.err) is not in_dry_run


def test_what_policy_refuses_is_told_to_programs_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "claim.yaml"
    file.write_text(manifest.dump([{**GOOD, "spec": {**GOOD["spec"], "tags": {}}}]), encoding="utf-8")
    with serving(RestApi(), tmp_path) as kubeconfig:
        code = run(partial(cli, ["deploy", str(file), "--yes", "-o", "json", "--kubeconfig", str(kubeconfig)]))
    [claim] = json.loads(capsys.readouterr().out)["claims"]
    assert (code, claim["applied"]) == (1, False)
    assert [(found["path"], found["code"]) for found in claim["violations"]] == [("spec.tags.CostCenter", "TagMissing")]


def test_what_a_cluster_warns_of_is_read_from_the_header_of_its_answer() -> None:
    header = r'299 - "spec.a: is \"x\", and that is late", 299 kube-apiserver "spec.b: too"'
    assert warnings({"Warning": header}) == ['spec.a: is "x", and that is late', "spec.b: too"]
    assert warnings({}) == []


def entry(manager: str, operation: str, fields: Json, **more: str) -> Json:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "tap.platform/v1alpha1",
        "fieldsV1": fields,
        **more,
    }


def test_what_was_edited_by_hand_becomes_ours_so_that_what_the_file_lost_goes() -> None:
    found = taken_over(
        [
            entry("kubectl-edit", "Update", {"f:spec": {"f:ttl": {}}, "f:metadata": {"f:annotations": {"f:x": {}}}}),
            entry(MANAGER, "Apply", {"f:spec": {"f:tags": {"f:Team": {}}}}),
            entry("tap-operator", "Apply", {"f:status": {}}, subresource="status"),
            entry("kubectl-patch", "Update", {"f:spec": {"f:tags": {"f:CostCenter": {}}}}),
            entry("argocd", "Apply", {"f:spec": {"f:drift": {}}}),
        ]
    )
    assert found is not None
    assert [(item["manager"], item["fieldsV1"]) for item in found] == [
        ("kubectl-edit", {"f:metadata": {"f:annotations": {"f:x": {}}}}),
        ("tap-operator", {"f:status": {}}),
        ("argocd", {"f:spec": {"f:drift": {}}}),
        (MANAGER, {"f:spec": {"f:tags": {"f:Team": {}, "f:CostCenter": {}}, "f:ttl": {}}}),
    ]


def test_what_crossplane_keeps_in_a_spec_stays_its_own() -> None:
    machinery: Json = {"f:crossplane": {"f:compositionRef": {}}}
    kept = entry("crossplane", "Update", {"f:spec": machinery})
    assert taken_over([kept, entry(MANAGER, "Apply", {"f:spec": {"f:cidr": {}}})]) is None
    found = taken_over([entry("crossplane", "Update", {"f:spec": {**machinery, "f:cidr": {}}})])
    assert found is not None
    assert [item["fieldsV1"]["f:spec"] for item in found] == [machinery, {"f:cidr": {}}]


def test_what_is_all_ours_is_left_as_it_is() -> None:
    assert taken_over([entry(MANAGER, "Apply", {"f:spec": {}}), entry("x", "Update", {"f:metadata": {}})]) is None


def environment(*regions: Json, seen: int = 1, spec: Any = None) -> Json:
    wanted = spec or [{"name": region["name"], "state": region["state"]} for region in regions]
    meta = {"name": "prod", "namespace": "tap-prod", "generation": 1}
    return {"metadata": meta, "spec": {"regions": wanted}, "status": {"observedGeneration": seen, "regions": regions}}


def told(name: str, state: str = "Present", *, ready: bool = True, message: str = "") -> Json:
    return {"name": name, "state": state, "ready": ready, **({"message": message} if message else {})}


TAP: Json = {"metadata": {"name": "prod-us-east-2", "uid": "r2"}}
THERE: Json = {"resources": {"desired": 1, "created": 1}}
ONE_TAP: Json = {"metadata": {"name": "prod-us-east-1", "uid": "r1"}, "status": THERE}
REFUSED: Json = {"type": "ResourcesHealthy", "status": "False", "message": "database/cluster: LimitExceeded"}
REFUSED_TAP: Json = {**ONE_TAP, "status": {**THERE, "conditions": [REFUSED]}}
PARTS_THERE: list[Json] = [
    {
        "kind": kind.kind,
        "metadata": {"name": kind.part, "uid": kind.part, "ownerReferences": [{"uid": "r1", "controller": True}]},
        "status": THERE,
    }
    for kind in PARTS
]


@pytest.mark.parametrize(
    ("snapshot", "lines"),
    [
        (Snapshot(environment(told("us-east-1")), [ONE_TAP], PARTS_THERE), []),
        (
            Snapshot(environment(told("us-east-1")), [REFUSED_TAP], PARTS_THERE),
            ["us-east-1: database/cluster: LimitExceeded"],
        ),
        (Snapshot(environment(told("us-east-1")), [ONE_TAP], PARTS_THERE[1:]), ["us-east-1/network: RegionalNetwork"]),
        (
            Snapshot(environment(told("us-east-1", ready=False, message="database/cluster: LimitExceeded"))),
            ["us-east-1: database/cluster: LimitExceeded"],
        ),
        (
            Snapshot(environment(told("us-east-1"), seen=0)),
            ["the operator has not looked at its latest spec (generation 1, seen none)"],
        ),
        (
            Snapshot(environment(told("us-east-1", "Paused", ready=False, message="is paused"))),
            ["us-east-1: RegionalTap"],
        ),
        (Snapshot(environment(told("us-east-2", "Absent", ready=False))), []),
        (Snapshot(environment(told("us-east-2", "Absent", ready=False)), [TAP]), ["us-east-2: is being removed"]),
        (
            Snapshot(
                environment(told("us-east-1"), told("us-east-2", "Absent"), spec=[{"name": "us-east-1"}]),
                [ONE_TAP],
                PARTS_THERE,
            ),
            ["us-east-2: is being removed"],
        ),
        (Snapshot(environment(spec=[{"name": "us-east-1"}])), ["us-east-1: is not ready yet"]),
    ],
    ids=[
        "ready",
        "AWS refuses a change",
        "a part is missing",
        "AWS refuses",
        "unseen",
        "paused",
        "absent",
        "leaving",
        "left the list",
        "not told of",
    ],
)
def test_what_is_not_as_it_is_wanted_is_told_with_its_cause(snapshot: Snapshot, lines: list[str]) -> None:
    assert undone(snapshot) == lines


def test_of_a_chosen_region_alone_something_is_waited_for() -> None:
    both = Snapshot(environment(told("us-east-1"), told("us-east-2", ready=False)), [ONE_TAP], PARTS_THERE)
    assert undone(both, "us-east-1") == []
    assert undone(both, "us-east-2") == ["us-east-2: is not ready yet"]


def test_a_region_that_stands_alone_is_waited_for_too() -> None:
    ready = {"type": "Ready", "status": "False", "observedGeneration": 1}
    parts = [{"name": "network", "ready": False, "message": "vpc: denied"}]
    tap: Json = {
        "metadata": {"name": "alone", "namespace": "tap-dev", "uid": "u", "generation": 1},
        "spec": {"region": "eu-west-1", "cidr": "10.9.0.0/16"},
        "status": {"conditions": [ready], "parts": parts},
    }
    assert undone(Alone.of(tap, [])) == ["eu-west-1: network: vpc: denied"]
    ready["status"] = "True"
    tap["status"] |= THERE
    own = {"ownerReferences": [{"uid": "u", "controller": True}]}
    there = [{**part, "metadata": {**part["metadata"], **own}} for part in PARTS_THERE]
    assert undone(Alone.of(tap, there)) == []
    tap["metadata"]["generation"] = 2
    assert undone(Alone.of(tap, [])) != []


KMS = "kms.aws.m.upbound.io/v1beta1"


def test_a_region_that_stands_alone_is_waited_for_by_what_speaks_of_itself_and_no_more(tmp_path: Path) -> None:
    meta = {"name": "alone", "namespace": "tap-dev", "uid": "u", "generation": 1}
    below = {"namespace": "tap-dev", "ownerReferences": [{"uid": "u", "controller": True}]}
    ready = {**THERE, "conditions": [{"type": "Ready", "status": "True", "observedGeneration": 1}]}
    key: Json = {"apiVersion": KMS, "kind": "Key", "metadata": {**below, "name": "alone-key"}, "spec": {}}
    crossplane = {"resourceRefs": [{"apiVersion": KMS, "kind": "Key", "name": "alone-key"}]}
    tap: Json = {**ALONE, "metadata": meta, "spec": {**ALONE["spec"], "crossplane": crossplane}, "status": ready}
    api = RestApi((f"{BESIDE}/regionaltaps", tap), (f"/apis/{KMS}/namespaces/tap-dev/keys", key))
    for kind in PARTS:
        part = {"kind": kind.kind, "metadata": {**below, "name": f"alone-{kind.part}"}, "spec": {}, "status": THERE}
        api.put(f"{BESIDE}/{kind.plural}", part)
    with serving(api, tmp_path) as kubeconfig:
        [seen] = progress.look(Cluster(kubeconfig), [ALONE])
    assert undone(seen) == []
    assert len(seen.parts) == len(PARTS)
    assert [asked for asked in api.asked if "/apis/tap.platform/" not in asked] == []


def test_what_is_left_is_told_when_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_POLL_SECONDS", 0)
    with pytest.raises(TapError, match=r"not done within 0\.01 s; it goes on\. What is left:\nprod: slow"):
        progress.follow(list, lambda _: ["prod: slow"], nullcontext(lambda _: time.sleep(0.02)), seconds=0.01)


def test_a_cluster_that_goes_away_is_told_and_what_was_applied_goes_on() -> None:
    def gone() -> list[Snapshot]:
        message = "the cluster does not answer"
        raise ClusterError(message)

    with pytest.raises(TapError, match="the cluster does not answer; what was applied goes on without this command"):
        progress.follow(gone, lambda _: [], nullcontext(lambda _: None), seconds=9)


WEBHOOK = 'admission webhook "claims.tap.platform" denied the request: EnvironmentTap prod is refused:\n- spec.a: x (A)'


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (400, {"message": WEBHOOK}, "EnvironmentTap prod is refused:\n- spec.a: x (A)"),
        (
            422,
            {"details": {"causes": [{"field": "spec.b", "message": "no"}, {"field": "spec.c", "message": "never"}]}},
            "- spec.b: no\n- spec.c: never",
        ),
        (403, {"message": 'User "bob" cannot patch resource "environmenttaps"'}, "ask for the ClusterRole `tap-edit`"),
        (404, {"details": {"kind": "namespaces"}}, "namespace tap-prod is not there; make it first"),
        (500, {"message": "boom"}, "as it was"),
        (503, None, "as it was"),
    ],
)
def test_what_a_cluster_refuses_is_told_whole(status: int, answer: Json | None, said: str) -> None:
    cause = ApiException(status=status)
    cause.body = json.dumps(answer) if answer is not None else "<html>"
    assert said in str(explained("EnvironmentTap prod", "tap-prod", ClusterError("as it was"), cause))


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["deploy"], 2, "Missing argument"),
        (["deploy", "claims/dev.yaml"], 2, "there is nobody to ask; look at `tap plan`, then say --yes"),
        (["deploy", "gone.yaml", "--yes"], 1, "error: gone.yaml: cannot be read: No such file or directory"),
        (["deploy", "compositions/activation-policy.yaml", "--yes"], 1, "is no claim; expected"),
        (["deploy", "README.md", "--yes"], 1, "error: README.md:"),
        (["deploy", "claims/dev.yaml", "--yes", "--timeout", "0"], 2, "--timeout"),
        (["deploy", "claims/dev.yaml", "--yes", "--kubeconfig", "/nonexistent"], 1, "no kubeconfig that can be used"),
    ],
)
def test_bad_input_gets_one_clear_message(args: list[str], code: int, message: str) -> None:
    command = [sys.executable, "-m", "tap_cli", *args]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
