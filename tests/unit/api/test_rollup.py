import json
from copy import deepcopy
from typing import Any

import pytest

from tap_api.base import API_VERSION, Json
from tap_api.rollup import Trouble, roll_up
from tap_api.status import EnvironmentTapStatus

NOW, BEFORE = "2026-11-24T09:00:00Z", "2026-01-01T00:00:00Z"
REGIONS = ("us-east-1", "us-east-2")
PROD: Json = {
    "metadata": {"name": "prod", "namespace": "tap-prod", "uid": "u1", "generation": 3},
    "spec": {"primaryRegion": "us-east-1", "regions": [{"name": name} for name in REGIONS]},
}
OWNER = {"apiVersion": API_VERSION, "kind": "EnvironmentTap", "name": "prod", "uid": "u1", "controller": True}
PENDING = "Crossplane has not looked at its RegionalTap yet"
UNREPORTED = "no report of its resources yet"


def tap(*conditions: tuple[str, ...], generation: int = 1, owner: Json | None = OWNER, **status: Any) -> Json:
    """Returns a RegionalTap whose conditions are (type, status, message, observedGeneration)."""
    return {
        "metadata": {
            "name": "prod-us-east-2",
            "generation": generation,
            **({"ownerReferences": [owner]} if owner else {}),
        },
        "status": {
            "conditions": [
                {
                    "type": kind,
                    "status": truth,
                    "reason": f"{kind}Reason",
                    **({"message": rest[0]} if rest else {}),
                    **({"observedGeneration": int(rest[1])} if len(rest) > 1 else {}),
                }
                for kind, truth, *rest in conditions
            ],
            **status,
        },
    }


def good(**status: Any) -> Json:
    found = [(kind, "True") for kind in ("Synced", "Ready", "ResourcesHealthy", "Compliant", "ChangesReported")]
    return tap(*found, **status)


def rolled(observed: dict[str, Json], status: Json | None = None, **more: Any) -> Json:
    return roll_up({**PROD, **({"status": status} if status else {})}, observed, now=NOW, **more)


def conditions(status: Json) -> dict[str, tuple[str, str, str]]:
    return {c["type"]: (c["status"], c["reason"], c["message"]) for c in status["conditions"]}


def test_an_environment_whose_regions_are_all_ready_is_ready() -> None:
    outputs = {"vpcId": "vpc-1", "keyArn": "arn:aws:kms:us-east-1:123456789012:key/1"}
    counts = {"desired": 5, "created": 5, "ready": 5, "withheld": 0}
    observed = {"us-east-1": good(outputs=outputs, resources=counts), "us-east-2": good(resources=counts)}
    assert rolled(observed) == {
        "observedGeneration": 3,
        "readyRegions": "2/2",
        "resources": {"desired": 10, "created": 10, "ready": 10, "withheld": 0},
        "conditions": [
            {
                "type": kind,
                "status": "True",
                "reason": reason,
                "message": message,
                "lastTransitionTime": NOW,
                "observedGeneration": 3,
            }
            for kind, reason, message in (
                ("Ready", "Available", "all 2 regions are ready"),
                ("Synced", "Applied", "every region is applied"),
                ("PolicyCompliant", "RulesKept", "the claim breaks no rule"),
                ("ResourcesHealthy", "Healthy", "no resource reports a failure"),
                ("Compliant", "ControlsHold", "every resource keeps the controls of encryption and exposure"),
                ("ChangesReported", "Reported", "every region reports changes made outside"),
            )
        ],
        "regions": [
            {
                "name": "us-east-1",
                "role": "Primary",
                "state": "Present",
                "ready": True,
                "resources": counts,
                "outputs": outputs,
            },
            {"name": "us-east-2", "role": "Secondary", "state": "Present", "ready": True, "resources": counts},
        ],
    }


def test_the_same_objects_give_the_same_bytes() -> None:
    observed = {"us-east-1": good(), "us-east-2": tap(("ResourcesHealthy", "False", "database/cluster: no"))}
    turned = dict(reversed(observed.items()))
    first = rolled(observed)
    again = roll_up({**PROD, "status": first}, turned, now="2027-01-01T00:00:00Z")
    assert json.dumps(again) == json.dumps(first)


@pytest.mark.parametrize(
    ("region", "message"),
    [
        pytest.param({}, "its RegionalTap is not made yet", id="there is none"),
        pytest.param({"us-east-2": tap()}, PENDING, id="new"),
        pytest.param(
            {"us-east-2": tap(("Synced", "False", "cannot compose: timeout"), ("Ready", "True"))},
            "cannot compose: timeout",
            id="not synced",
        ),
        pytest.param(
            {"us-east-2": tap(("Synced", "True", "", "1"), ("Ready", "True", "", "1"), generation=2)},
            "Crossplane has not looked at its latest spec yet",
            id="of an older spec",
        ),
        pytest.param(
            {
                "us-east-2": tap(
                    ("Synced", "True"),
                    ("Ready", "False", "Unready resources: network"),
                    ("ResourcesHealthy", "False", "database/cluster: AccessDenied"),
                )
            },
            "database/cluster: AccessDenied",
            id="AWS refuses",
        ),
        pytest.param(
            {
                "us-east-2": tap(
                    ("Synced", "True"),
                    ("Ready", "False", "Unready resources: network"),
                    ("PolicyCompliant", "False", "spec.cidr: is no range (Cidr)"),
                    ("ResourcesHealthy", "False", "database/cluster: AccessDenied"),
                )
            },
            "spec.cidr: is no range (Cidr)",
            id="policy refuses",
        ),
        pytest.param(
            {
                "us-east-2": tap(
                    ("Synced", "True"),
                    ("Ready", "False", "Unready resources: network, sessions"),
                    parts=[
                        {"name": "network", "ready": False, "message": "vpc: waits for the provider"},
                        {"name": "sessions", "ready": False, "message": "is not built in this version"},
                        {"name": "storage", "ready": True, "message": "said too much"},
                        {"name": "database", "ready": False},
                    ],
                )
            },
            "network: vpc: waits for the provider; sessions: is not built in this version",
            id="parts wait",
        ),
        pytest.param(
            {"us-east-2": tap(("Synced", "True"), ("Ready", "False", "Unready resources: network"))},
            "Unready resources: network",
            id="Crossplane waits",
        ),
        pytest.param({"us-east-2": tap(("Synced", "True"), ("Ready", "False"))}, "is not ready", id="nobody says why"),
    ],
)
def test_a_region_that_is_not_ready_says_why(region: dict[str, Json], message: str) -> None:
    status = rolled({"us-east-1": good(), **region})
    entry = status["regions"][1]
    glue = "/" if message.startswith("database/") else ": "
    assert (status["readyRegions"], entry["ready"], entry["message"]) == ("1/2", False, message)
    assert conditions(status)["Ready"] == (
        "False",
        "RegionsNotReady",
        f"1 of 2 regions are ready; us-east-2{glue}{message}",
    )


def test_failing_resources_are_passed_up_with_their_region_and_sorted() -> None:
    observed = {
        "us-east-1": tap(("ResourcesHealthy", "False", "network/vpc: VpcLimitExceeded")),
        "us-east-2": tap(("ResourcesHealthy", "False", "database/cluster: AccessDenied")),
    }
    assert conditions(rolled(observed))["ResourcesHealthy"] == (
        "False",
        "ResourcesHealthyReason",
        "us-east-1/network/vpc: VpcLimitExceeded; us-east-2/database/cluster: AccessDenied",
    )


def test_a_failure_outweighs_what_is_not_known() -> None:
    observed = {"us-east-1": tap(), "us-east-2": tap(("ResourcesHealthy", "False", "database/cluster: AccessDenied"))}
    truth, _, message = conditions(rolled(observed))["ResourcesHealthy"]
    assert (truth, message) == ("False", "us-east-2/database/cluster: AccessDenied")


def test_what_regions_share_is_said_once() -> None:
    assert conditions(rolled({}))["ResourcesHealthy"] == (
        "Unknown",
        "NotReported",
        f"us-east-1, us-east-2: {UNREPORTED}",
    )


def reporting(truth: str, message: str = "") -> Json:
    return tap(("Synced", "True"), ("Ready", "True"), ("ResourcesHealthy", "True"), ("ChangesReported", truth, message))


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        pytest.param(
            reporting("True"),
            reporting("True"),
            ("True", "Reported", "every region reports changes made outside"),
            id="reported",
        ),
        pytest.param(
            reporting("True", "trust the provider"),
            reporting("True", "trust the provider"),
            ("True", "ChangesReportedReason", "us-east-1, us-east-2: trust the provider"),
            id="reported, and there is something to be done",
        ),
        pytest.param(
            reporting("False", "no trail"),
            reporting("False", "no trail"),
            ("False", "ChangesReportedReason", "us-east-1, us-east-2: no trail"),
            id="no trail",
        ),
        pytest.param(
            reporting("True", "trust the provider"),
            reporting("False", "it does not record"),
            ("False", "ChangesReportedReason", "us-east-2: it does not record"),
            id="one trail is not there yet",
        ),
        pytest.param(
            reporting("True"),
            tap(),
            ("Unknown", "NotReported", "us-east-2: no word of changes made outside yet"),
            id="one region is new",
        ),
    ],
)
def test_whether_changes_are_reported_is_passed_up_and_holds_nothing_up(
    one: Json, other: Json, told: tuple[str, str, str]
) -> None:
    found = conditions(rolled({"us-east-1": one, "us-east-2": other}))
    assert found["ChangesReported"] == told
    assert found["Ready"][0] == ("True" if other["status"]["conditions"] else "False")


def test_a_region_on_its_way_out_is_not_asked_whether_it_reports_changes() -> None:
    observed = {"us-east-1": good(), "us-east-2": good(), "eu-west-1": reporting("False", "its trail is gone")}
    assert conditions(rolled(observed))["ChangesReported"][0] == "True"


def test_the_time_of_a_transition_moves_only_when_the_status_flips() -> None:
    before = {
        "conditions": [
            {"type": "Ready", "status": "True", "reason": "Available", "lastTransitionTime": BEFORE},
            {"type": "Synced", "status": "True", "reason": "Old", "lastTransitionTime": BEFORE},
        ]
    }
    observed = {"us-east-1": good(), "us-east-2": tap(("Synced", "True"), ("Ready", "False"))}
    times = {c["type"]: c["lastTransitionTime"] for c in rolled(observed, before)["conditions"]}
    assert times == {"Synced": BEFORE} | dict.fromkeys(
        ("Ready", "PolicyCompliant", "ResourcesHealthy", "Compliant", "ChangesReported"), NOW
    )


def test_a_control_that_a_resource_breaks_is_told_with_its_region_and_part() -> None:
    broken = "processor/route-read-session: GET /x can be called without authorization (ApiAuthorization)"
    observed = {"us-east-1": good(), "us-east-2": tap(("Compliant", "False", broken))}
    assert conditions(rolled(observed))["Compliant"] == ("False", "CompliantReason", f"us-east-2/{broken}")


def test_a_claim_that_policy_refuses_is_not_compliant() -> None:
    problem = Trouble("SpecRefused", "nothing is applied; change the claim: spec.ttl: no (NotActedOn)")
    status = conditions(rolled({}, problem=problem))
    assert status["PolicyCompliant"] == ("False", "RulesBroken", problem.message)
    assert status["Synced"] == ("False", "SpecRefused", problem.message)


def test_an_output_that_was_told_stays_until_its_region_goes() -> None:
    before = {
        "regions": [
            {"name": "us-east-2", "outputs": {"vpcId": "vpc-1", "keyId": "k-1", "unknown": "x"}},
            {"name": "eu-west-1", "outputs": {"vpcId": "vpc-9"}},
        ]
    }
    status = rolled({"us-east-2": tap(outputs={"keyId": "k-2", "tableName": ""})}, before)
    assert [(r["name"], r.get("outputs")) for r in status["regions"]] == [
        ("us-east-1", None),
        ("us-east-2", {"vpcId": "vpc-1", "keyId": "k-2"}),
    ]


@pytest.mark.parametrize(
    ("owner", "holder"),
    [
        (None, "nobody controls it"),
        ({**OWNER, "name": "other", "uid": "u2"}, "it belongs to EnvironmentTap other"),
        ({"kind": "Thing", "name": "t", "uid": "u3", "controller": True}, "it belongs to Thing t"),
    ],
)
def test_a_name_that_another_one_has_is_taken(owner: Json | None, holder: str) -> None:
    namesake = tap(("Synced", "True"), ("Ready", "True"), owner=owner, outputs={"vpcId": "vpc-theirs"})
    status = rolled({"us-east-1": good(), "us-east-2": namesake})
    message = (
        f"RegionalTap prod-us-east-2 is there and is not this environment's: {holder}; it is left alone. "
        "Delete it (its AWS resources go with it) or give this environment another name"
    )
    assert conditions(status) == {
        "Ready": ("False", "NameTaken", f"1 of 2 regions are ready; us-east-2: {message}"),
        "Synced": ("False", "NameTaken", f"us-east-2: {message}"),
        "PolicyCompliant": ("True", "RulesKept", "the claim breaks no rule"),
        "ResourcesHealthy": ("Unknown", "NotReported", f"us-east-2: {UNREPORTED}"),
        "Compliant": ("Unknown", "NotReported", "us-east-2: nothing of it is judged yet"),
        "ChangesReported": ("Unknown", "NotReported", "us-east-2: no word of changes made outside yet"),
        "NameTaken": ("True", "NotControlled", f"us-east-2: {message}"),
    }
    assert "outputs" not in status["regions"][1]


def test_a_namesake_on_its_way_out_takes_no_name() -> None:
    leaving = tap(owner=None)
    leaving["metadata"]["deletionTimestamp"] = NOW
    assert conditions(rolled({"us-east-1": good(), "us-east-2": leaving}))["Synced"] == (
        "False",
        "Removing",
        "us-east-2: an earlier RegionalTap prod-us-east-2 is being removed; this one is applied then",
    )


def test_a_trouble_of_one_region_is_its_message() -> None:
    troubles = {"us-east-2": Trouble("Forbidden", "exceeded quota")}
    status = rolled({"us-east-1": good(), "us-east-2": good()}, troubles=troubles)
    assert (status["readyRegions"], status["regions"][1]["message"]) == ("1/2", "exceeded quota")
    assert conditions(status)["Synced"] == ("False", "Forbidden", "us-east-2: exceeded quota")


def test_a_claim_that_is_refused_leaves_its_regions_as_they_are() -> None:
    status = rolled({"us-east-1": good(), "us-east-2": good()}, problem=Trouble("SpecRefused", "change the claim"))
    assert conditions(status)["Synced"] == ("False", "SpecRefused", "change the claim")
    assert conditions(status)["Ready"][0] == "True"


def test_a_region_that_left_the_spec_is_shown_until_it_is_gone() -> None:
    status = rolled({"us-east-1": good(), "us-east-2": good(), "eu-west-1": good()})
    assert status["readyRegions"] == "2/2"
    assert [(r["name"], r["ready"], r.get("message")) for r in status["regions"]][2] == (
        "eu-west-1",
        False,
        "is being removed",
    )
    assert conditions(status)["Ready"] == (
        "False",
        "RegionsNotReady",
        "2 of 2 regions are ready; eu-west-1: is being removed",
    )


def test_an_endless_cause_is_cut_and_leaves_room_for_the_others() -> None:
    endless = "database/cluster: " + "x" * 50_000
    observed = {name: tap(("ResourcesHealthy", "False", f"{endless}{name}")) for name in REGIONS}
    message = conditions(rolled(observed))["ResourcesHealthy"][2]
    assert len(message) < 4096
    assert [part[:27] for part in message.split("; ")] == ["us-east-1/database/cluster:", "us-east-2/database/cluster:"]


@pytest.mark.parametrize("spec", [{}, None, {"regions": None}], ids=str)
def test_a_spec_without_regions_is_reported_all_the_same(spec: Json | None) -> None:
    status = roll_up({"metadata": PROD["metadata"], "spec": spec}, {}, now=NOW, problem=Trouble("SpecRefused", "m"))
    assert (status["readyRegions"], status["regions"], conditions(status)["Ready"][0]) == ("0/0", [], "False")


def test_the_status_fits_its_model() -> None:
    many = {f"region-{i}": good() for i in range(30)}
    status = rolled(deepcopy(many))
    assert EnvironmentTapStatus.parse(status).manifest() == status
    assert len(status["regions"]) == 16


def with_state(state: str) -> Json:
    regions = [{"name": "us-east-1"}, {"name": "us-east-2", "state": state}]
    return {**PROD, "spec": {**PROD["spec"], "regions": regions}}


PAUSED = {"desired": 5, "withheld": 0, "created": 5, "ready": 5, "paused": 5}


def test_a_paused_region_is_said_to_be_and_is_no_failure() -> None:
    paused = good(resources=PAUSED)
    paused["status"]["conditions"][2] = {
        **paused["status"]["conditions"][2],
        "status": "Unknown",
        "reason": "Paused",
        "message": "5 of 5 resources are paused",
    }
    status = roll_up(with_state("Paused"), {"us-east-1": good(), "us-east-2": paused}, now=NOW)
    found = conditions(status)
    assert found["Ready"] == ("True", "Available", "all 2 regions are ready; us-east-2 is paused")
    assert found["Synced"] == (
        "True",
        "RegionsPaused",
        "every region is applied; us-east-2 is paused, and nothing is changed in AWS there",
    )
    assert found["ResourcesHealthy"] == ("Unknown", "Paused", "us-east-2: 5 of 5 resources are paused")
    assert (status["readyRegions"], status["resources"]["paused"]) == ("2/2", 5)
    assert [(r["name"], r["state"], r["ready"], r.get("message")) for r in status["regions"]] == [
        ("us-east-1", "Present", True, None),
        (
            "us-east-2",
            "Paused",
            True,
            "is paused: nothing of it is changed in AWS; set its state to Present to go on",
        ),
    ]


def test_a_region_that_was_paused_before_it_was_ready_is_not_ready() -> None:
    paused = tap(("Synced", "True"), ("Ready", "False", "Unready resources: network"), resources=PAUSED)
    found = conditions(roll_up(with_state("Paused"), {"us-east-1": good(), "us-east-2": paused}, now=NOW))
    assert found["Ready"][2] == (
        "1 of 2 regions are ready; us-east-2: is paused: nothing of it is changed in AWS; set its state to Present to go"
        " on (not all of it was ready)"
    )


def test_an_absent_region_is_on_its_way_and_then_gone_with_its_outputs() -> None:
    told = {"regions": [{"name": "us-east-2", "outputs": {"vpcId": "vpc-2"}}]}
    claim = {**with_state("Absent"), "status": told}
    leaving = roll_up(claim, {"us-east-1": good(), "us-east-2": good()}, now=NOW)
    assert conditions(leaving)["Ready"][:2] == ("False", "RegionsNotReady")
    assert leaving["readyRegions"] == "1/1"
    assert leaving["regions"][1]["message"] == "is being removed"
    gone = roll_up(claim, {"us-east-1": good()}, now=NOW)
    assert conditions(gone)["Ready"] == ("True", "Available", "it is ready")
    assert gone["regions"][1] == {
        "name": "us-east-2",
        "role": "Secondary",
        "state": "Absent",
        "ready": False,
        "resources": {"desired": 0, "withheld": 0, "created": 0, "ready": 0},
        "message": "is absent, as its state asks for",
    }


def test_an_environment_without_a_region_says_so() -> None:
    claim = {**PROD, "spec": {**PROD["spec"], "regions": [{"name": "us-east-1", "state": "Absent"}]}}
    found = conditions(roll_up(claim, {}, now=NOW))
    assert found["Ready"] == ("False", "NoRegions", "every region is absent; set the state of one to Present")
