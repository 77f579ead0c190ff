import json
from copy import deepcopy

import pytest

from tap_api.base import Json
from tap_api.rollup import Trouble, roll_up
from tap_api.status import EnvironmentTapStatus
from unit.api.taps import BEFORE, NOW, OWNER, PENDING, PROD, REGIONS, UNREPORTED, conditions, good, rolled, tap


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
                "status": "False" if kind == "Drifted" else "True",
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
                ("Drifted", "AsWanted", "nothing that AWS had as it is wanted differs"),
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


@pytest.mark.parametrize("named", ["network/vpc, subnet-a", "network/vpc, subnet-a, subnet-b and 28 more"])
def test_several_resources_that_fail_alike_have_their_region_in_front_too(named: str) -> None:
    observed = {"us-east-1": tap(("ResourcesHealthy", "False", f"{named}: expired")), "us-east-2": tap()}
    assert conditions(rolled(observed))["ResourcesHealthy"][2] == f"us-east-1/{named}: expired"


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
        ("Ready", "PolicyCompliant", "ResourcesHealthy", "Compliant", "ChangesReported", "Drifted"), NOW
    )


def test_a_control_that_a_resource_breaks_is_told_with_its_region_and_part() -> None:
    broken = "processor/route-read-session: GET /x can be called without authorization (ApiAuthorization)"
    observed = {"us-east-1": good(), "us-east-2": tap(("Compliant", "False", broken))}
    assert conditions(rolled(observed))["Compliant"] == ("False", "CompliantReason", f"us-east-2/{broken}")


DRIFT = "network/vpc: spec.forProvider.enableDnsSupport wanted true, is false"


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        (("True", "FieldsDiffer", DRIFT), ("False", "AsWanted", ""), ("True", "FieldsDiffer", f"us-east-2/{DRIFT}")),
        # What differs is told before what nobody knows.
        (("True", "FieldsDiffer", DRIFT), None, ("True", "FieldsDiffer", f"us-east-2/{DRIFT}")),
        (
            ("False", "Repaired", f"Repaired: {DRIFT}"),
            ("False", "AsWanted", ""),
            ("False", "Repaired", f"us-east-2: Repaired: {DRIFT}"),
        ),
        (
            ("False", "AsWanted", ""),
            ("False", "AsWanted", ""),
            ("False", "AsWanted", "nothing that AWS had as it is wanted differs"),
        ),
        (
            ("False", "Repaired", DRIFT),
            None,
            ("Unknown", "NotCompared", "us-east-1: nothing of it is compared with AWS yet"),
        ),
    ],
)
def test_drift_of_one_region_is_drift_of_the_environment(
    one: tuple[str, str, str], other: tuple[str, str, str] | None, answer: tuple[str, str, str]
) -> None:
    def region(said: tuple[str, str, str] | None) -> Json:
        made = tap()
        if said:
            made["status"]["conditions"] = [
                dict(zip(("type", "status", "reason", "message"), ("Drifted", *said), strict=True))
            ]
        return made

    assert conditions(rolled({"us-east-1": region(other), "us-east-2": region(one)}))["Drifted"] == answer


def test_a_region_tells_how_many_fields_differ() -> None:
    fields = [{"resource": "key", "field": f"spec.forProvider.{i}", "wanted": "1", "real": "2"} for i in range(3)]
    status = rolled({"us-east-1": good(drift={"fields": fields}), "us-east-2": good()})
    assert [region.get("driftedFields") for region in status["regions"]] == [3, None]


def test_a_claim_that_policy_refuses_is_not_compliant() -> None:
    problem = Trouble("SpecRefused", "nothing is applied; change the claim: spec.ttl: no (TtlProtected)")
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
        "Drifted": ("Unknown", "NotCompared", "us-east-2: nothing of it is compared with AWS yet"),
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
