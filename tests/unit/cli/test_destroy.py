"""What `tap destroy` asks, writes, waits for and says. A real cluster: tests/cluster/test_destroy.py."""

import json
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from doubles.restapi import RestApi, serving
from policy_cases import ALONE, GOOD, ONE, TWO
from tap_api import manifest
from tap_api.base import API_VERSION, Json
from tap_api.errors import TapError
from tap_api.naming import MANAGER
from tap_cli import progress
from tap_cli.claims import Claim
from tap_cli.main import cli, run
from tap_cli.remains import Remains, Target, retained
from tap_cli.removing import is_resumed, removing, resuming
from tap_cli.removing_text import done, lines
from tap_cli.terminal import formatted
from tap_stack.plan import State, plan

ROOT = Path(__file__).parents[3]
NAMESPACE = GOOD["metadata"]["namespace"]
NAME = GOOD["metadata"]["name"]
LIST = f"/apis/{API_VERSION}/namespaces/{NAMESPACE}/environmenttaps"


def live(*regions: Json, kind: Json = GOOD, **spec: Any) -> Json:
    own = {"regions": list(regions)} if regions else {}
    return {**kind, "metadata": {**kind["metadata"], "uid": "u1"}, "spec": {**kind["spec"], **own, **spec}}


def claim(document: Json = GOOD) -> Claim:
    return Claim(Path("claim.yaml"), document)


def of(stored: Json | None, region: str | None = None, document: Json = GOOD) -> Any:
    return removing(claim(document), region, State((stored,) if stored else ()))


def test_a_region_becomes_absent_and_all_else_stays_as_the_cluster_has_it() -> None:
    stored = live({**ONE, "state": "Present"}, {**TWO, "state": "Present"}, drift="Repair")
    removal = of(stored, TWO["name"])
    assert removal.wanted is not None
    regions = [{**ONE, "state": "Present"}, {**TWO, "state": "Absent"}]
    assert removal.wanted.document["spec"] == {**stored["spec"], "regions": regions}
    assert (removal.begun, removal.listed) == (False, True)


def test_what_other_regions_wait_for_is_no_work_of_it() -> None:
    waiting = plan(live(ONE, TWO), State((live(ONE, TWO),)))
    assert {change.region for change in waiting.changes if change.in_aws} == {ONE["name"], TWO["name"]}
    removal = of(live(ONE, TWO), TWO["name"])
    assert not [change for change in removal.plan.changes if change.in_aws]
    assert [(change.kind, change.region) for change in removal.plan.changes] == [("EnvironmentTap", "")]
    assert {change.region for change in waiting.beyond(waiting, ONE["name"]).changes} == {ONE["name"]}


def test_what_was_never_there_is_not_said_to_be_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    removal = of(None)
    assert (removal.absent, of(live(ONE)).absent, of(None, document=ALONE).absent) == (True, False, True)
    assert [line.text for line in lines(removal)][1:] == [
        f"There is no EnvironmentTap {NAME} in namespace {NAMESPACE}, nor what one has made."
    ]
    assert [line.text for line in done([removal])] == [f"{NAMESPACE}/{NAME} was not there."]
    file = tmp_path / "claim.yaml"
    file.write_text(manifest.dump([GOOD]), encoding="utf-8")
    with serving(RestApi(), tmp_path) as kubeconfig:
        code = run(partial(cli, ["destroy", str(file), "--yes", "-o", "json", "--kubeconfig", str(kubeconfig)]))
    [told] = json.loads(capsys.readouterr().out)["claims"]
    assert (code, told["found"], told["begunBefore"]) == (0, False, False)


def test_what_policy_refuses_is_not_said_to_be_nothing() -> None:
    removal = of(live(ONE, TWO), ONE["name"])
    assert [violation.code for violation in removal.plan.violations] == ["PrimaryState"]
    assert len(list(lines(removal))) == 1


def test_labels_that_the_file_has_otherwise_stay_too() -> None:
    stored = live(ONE, TWO)
    applied = {"manager": MANAGER, "operation": "Apply", "fieldsV1": {"f:metadata": {"f:labels": {"f:team": {}}}}}
    stored["metadata"] |= {"labels": {"team": "platform", "theirs": "x"}, "managedFields": [applied]}
    written = {**GOOD, "metadata": {**GOOD["metadata"], "labels": {"team": "shop"}}}
    removal = of(stored, TWO["name"], written)
    assert removal.wanted.document["metadata"] == {**GOOD["metadata"], "labels": {"team": "platform"}}


@pytest.mark.parametrize(
    ("stored", "region"),
    [
        (None, None),
        (None, TWO["name"]),
        (live({**ONE}, {**TWO, "state": "Absent"}), TWO["name"]),
        (
            {**live(ONE), "metadata": {**GOOD["metadata"], "uid": "u1", "deletionTimestamp": "2026-11-24T09:00:00Z"}},
            None,
        ),
    ],
    ids=["gone", "gone, one region", "absent", "being deleted"],
)
def test_what_is_on_its_way_is_neither_asked_for_nor_written_again(stored: Json | None, region: str | None) -> None:
    removal = of(stored, region)
    assert (removal.begun, removal.wanted, removal.protected) == (True, None, False)


@pytest.mark.parametrize(("document", "there"), [(GOOD, live(ONE)), (ALONE, live(kind=ALONE))])
def test_a_region_that_is_not_there_is_told_with_those_that_are(document: Json, there: Json) -> None:
    with pytest.raises(TapError, match=r"'mars-1' is no region of \w+; its regions are \w+"):
        of(there, "mars-1", document)


@pytest.mark.parametrize(
    ("stored", "protected"),
    [
        (live(ONE, environment="prod"), True),
        (live(ONE, environment="prod", protection=False), False),
        (live(ONE, environment="dev"), False),
        (live(ONE, environment="dev", protection=True), True),
    ],
)
def test_protected_is_what_the_guard_takes_for_it(stored: Json, protected: bool) -> None:  # noqa: FBT001
    assert of(stored).protected is protected


def test_what_is_paused_is_resumed_and_nothing_else() -> None:
    stored = live({**ONE, "state": "Present"}, {**TWO, "state": "Paused"})
    wanted = resuming(of(stored))
    assert wanted is not None
    assert wanted.document["spec"] == {
        **stored["spec"],
        "regions": [{**ONE, "state": "Present"}, {**TWO, "state": "Present"}],
    }
    assert resuming(of(live(ONE))) is None
    alone = live(kind=ALONE, state="Paused", crossplane={"resourceRefs": []})
    made = resuming(of(alone, document=ALONE))
    assert made is not None
    assert made.document["spec"] == {**ALONE["spec"], "state": "Present"}


def test_it_is_resumed_once_nothing_is_paused_and_the_operator_has_seen_that() -> None:
    stored = live(ONE)
    stored["metadata"]["generation"] = 2
    stored["status"] = {
        "observedGeneration": 2,
        "regions": [{"name": "a", "state": "Present"}],
        "resources": {"paused": 0},
    }
    assert is_resumed(stored)
    for change in (
        {"observedGeneration": 1},
        {"resources": {"paused": 3}},
        {"regions": [{"name": "a", "state": "Paused"}]},
    ):
        assert not is_resumed({**stored, "status": {**stored["status"], **change}})


WHOLE = Target("EnvironmentTap", NAMESPACE, NAME)
DENIED = {"type": "Synced", "status": "False", "reason": "ReconcileError", "message": "delete failed: AccessDenied: no"}


def resource(kind: str, name: str, region: str, part: str, **status: Any) -> Json:
    labels = {"tap.platform/environmenttap": NAME, "tap.platform/region": region, "tap.platform/part": part}
    return {
        "apiVersion": "sqs.aws.m.upbound.io/v1beta1",
        "kind": kind,
        "metadata": {"name": name, "labels": labels, "annotations": {"crossplane.io/external-name": f"x-{name}"}},
        "spec": {},
        "status": status,
    }


def test_what_is_left_is_told_by_region_and_part_and_first_what_blocks() -> None:
    one = resource("Queue", "one", "us-east-1", "processor")
    two = resource("Queue", "two", "us-east-2", "processor", conditions=[DENIED])
    remains = Remains(WHOLE, live(ONE), [one, two], 9)
    assert remains.left() == [
        "us-east-2/processor: Queue two: delete failed: AccessDenied: no",
        "us-east-1/processor: Queue one",
        "us-east-2/processor: Queue two",
        f"{WHOLE}: EnvironmentTap {NAME}",
    ]
    assert remains.summary() == f"{WHOLE}: 2 of 9 AWS resources left; Queue two: delete failed: AccessDenied: no"
    assert Remains(WHOLE, None, [], 9).left() == []
    assert retained([one, two], [("Queue", "two")]) == [
        {"region": "us-east-2", "kind": "Queue", "name": "two", "externalName": "x-two"}
    ]


def test_what_the_operator_waits_with_is_told() -> None:
    stored = live(ONE, TWO)
    stored["status"] = {"conditions": [{"type": "Synced", "status": "False", "message": "us-east-2 is being resumed"}]}
    target = Target("EnvironmentTap", NAMESPACE, NAME, "us-east-2")
    assert Remains(target, stored, [], 0).left() == [f"{target}: us-east-2 is being resumed"]


def test_a_target_has_what_its_labels_or_its_owners_say() -> None:
    one, two = (resource("Queue", "q", region, "processor") for region in ("us-east-1", "us-east-2"))
    target = Target("EnvironmentTap", NAMESPACE, NAME, "us-east-2")
    assert (target.has(one), target.has(two)) == (False, True)
    assert (WHOLE.has(one), WHOLE.has(two), WHOLE.has(live(ONE)), target.has(live(ONE))) == (True, True, True, False)
    alone = Target("RegionalTap", NAMESPACE, "alone")
    assert not alone.has(one)
    owned = deepcopy(one)
    owned["metadata"]["ownerReferences"] = [{"kind": "RegionalProcessor", "name": "alone-processor"}]
    assert alone.has(owned)
    owned["metadata"]["ownerReferences"] = [{"kind": "RegionalProcessor", "name": "alone-2-processor"}]
    assert not alone.has(owned)


@pytest.fixture
def api() -> RestApi:
    return RestApi((LIST, live(ONE, environment="dev")))


@pytest.fixture
def file(api: RestApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(progress, "_STILL_SECONDS", 0)
    monkeypatch.chdir(tmp_path)
    Path("claim.yaml").write_text(manifest.dump([GOOD]), encoding="utf-8")
    with serving(api, tmp_path):
        yield "claim.yaml"


def destroy(*args: str) -> int:
    return run(partial(cli, ["destroy", *args, "--kubeconfig", "kubeconfig"]))


def writes(api: RestApi) -> list[str]:
    return [asked.split("?")[0] for asked in api.asked if not asked.startswith("GET")]


def test_what_is_not_protected_goes_with_a_yes(api: RestApi, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert destroy(file, "--yes", "-o", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["gone"]
    assert [item["name"] for item in told["claims"]] == [NAME]
    assert writes(api) == [f"DELETE {LIST}/{NAME}"]


def test_what_is_protected_goes_with_its_name_alone(
    api: RestApi, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api.put(LIST, live(ONE, environment="dev", protection=True))
    assert destroy(file, "--yes") == 2
    assert f"{NAME} is protected, and there is nobody to ask: say --confirm {NAME}" in capsys.readouterr().err
    assert writes(api) == []
    assert destroy(file, "--confirm", NAME) == 0
    assert f"{WHOLE} is gone." in capsys.readouterr().out
    assert writes(api) == [f"PATCH {LIST}/{NAME}", f"DELETE {LIST}/{NAME}"]


def test_what_a_lock_refuses_is_told_and_its_confirmation_is_taken_back(
    api: RestApi, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api.put(LIST, live(ONE, environment="dev", protection=True))
    api.refused["DELETE", LIST] = (403, "ValidatingAdmissionPolicy 'x' denied request: EnvironmentTap is locked by bob")
    assert destroy(file, "--confirm", NAME) == 1
    said = capsys.readouterr().err
    assert said.endswith("nothing of it was changed:\nEnvironmentTap is locked by bob\n")
    assert api.objects[f"{LIST}/{NAME}"]["metadata"]["annotations"]["tap.platform/confirm-removal"] is None


def test_who_may_not_delete_is_told_so(api: RestApi, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    api.refused["DELETE", LIST] = (403, 'User "bob" cannot delete resource "environmenttaps"')
    assert destroy(file, "--yes") == 1
    said = f"error: you may not delete EnvironmentTap {NAME} in {NAMESPACE}; ask for the ClusterRole `tap-edit`\n"
    assert capsys.readouterr().err == said


def test_without_waiting_it_is_told_how_to_look_again(
    api: RestApi, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert destroy(file, "--yes", "--no-wait") == 0
    again = f"it goes on; look again with: tap destroy claim.yaml -n {NAMESPACE} --yes"
    assert capsys.readouterr().out.splitlines()[-1] == again
    # So one looks again: there is nothing to ask or to write.
    before = writes(api)
    assert destroy(file, "--yes") == 0
    assert writes(api) == before


def test_ctrl_c_stops_the_looking_and_says_how_to_look_again(
    file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tap_cli.remover import Remover

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Remover, "look", stop)
    assert destroy(file, "--yes") == 130
    assert f"it goes on; look again with: tap destroy claim.yaml -n {NAMESPACE} --yes" in capsys.readouterr().err


def test_ctrl_c_before_anything_was_deleted_says_that(
    file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tap_cli.remover import Remover

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Remover, "destroy", stop)
    assert destroy(file, "--yes") == 130
    assert "nothing was destroyed yet" in capsys.readouterr().err


def test_what_stays_in_aws_is_told_before_and_after() -> None:
    tap = {
        "apiVersion": API_VERSION,
        "kind": "RegionalTap",
        "metadata": {
            "name": f"{NAME}-us-east-1",
            "namespace": NAMESPACE,
            "uid": "r1",
            "ownerReferences": [
                {"apiVersion": API_VERSION, "kind": "EnvironmentTap", "name": NAME, "uid": "u1", "controller": True}
            ],
        },
        "spec": {"region": "us-east-1"},
    }
    key = resource("Key", "k", "us-east-1", "")
    key["apiVersion"] = "kms.aws.m.upbound.io/v1beta1"
    key["spec"]["managementPolicies"] = ["Observe", "Create", "Update", "LateInitialize"]
    key["metadata"]["annotations"]["crossplane.io/composition-resource-name"] = "key"
    key["metadata"]["ownerReferences"] = [
        {"apiVersion": API_VERSION, "kind": "RegionalTap", "name": f"{NAME}-us-east-1", "uid": "r1", "controller": True}
    ]
    removal = removing(claim(), None, State((live(ONE, protection=True), tap, key)))
    said = formatted(lines(removal), 5000)
    assert "us-east-1: 1 AWS resource kept" in said
    assert f"{NAME} is protected." in said
    assert formatted(done([removal]), 5000).splitlines()[-1] == "    us-east-1: Key k (x-k)"


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["destroy"], 2, "Missing argument"),
        (
            ["destroy", "claims/dev.yaml"],
            2,
            "there is nobody to ask; say --yes, and --confirm NAME of what is protected",
        ),
        (["destroy", "claims/dev.yaml", "--confirm", "prod"], 2, "no claim in these files is called prod"),
        (["destroy", "gone.yaml", "--yes"], 1, "error: gone.yaml: cannot be read: No such file or directory"),
        (["destroy", "compositions/activation-policy.yaml", "--yes"], 1, "is no claim; expected"),
        (["destroy", "README.md", "--yes"], 1, "error: README.md:"),
        (["destroy", "claims/dev.yaml", "--yes", "--timeout", "0"], 2, "--timeout"),
        (["destroy", "claims/dev.yaml", "--yes", "--kubeconfig", "/nonexistent"], 1, "no kubeconfig that can be used"),
    ],
)
def test_bad_input_gets_one_clear_message(args: list[str], code: int, message: str) -> None:
    command = [sys.executable, "-m", "tap_cli", *args]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
