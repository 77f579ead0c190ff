"""The states of regions in the status of an environment."""

from tap_api.base import Json
from tap_api.rollup import roll_up
from unit.api.taps import NOW, PROD, conditions, good, tap


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
