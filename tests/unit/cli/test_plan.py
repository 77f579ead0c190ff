"""What `tap plan` says of the claim itself, beside its regions, and which regions can be chosen."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy_cases import ALONE, GOOD, ONE, TWO
from tap_api import manifest
from tap_api.base import Json
from tap_cli.choose import regions_of
from tap_cli.main import cli
from tap_cli.plan_markdown import markdown
from tap_cli.plan_text import lines
from tap_stack.plan import State, plan

SAVED = "saved"


def stored(claim: Json, **spec: object) -> State:
    """Returns a state that holds a claim, with other fields, and nothing else."""
    there = {**claim, "metadata": {**claim["metadata"], "uid": "u"}, "spec": {**claim["spec"], **spec}}
    return State.of([there], claim["metadata"]["namespace"])


@pytest.mark.parametrize(
    ("claim", "before", "told"),
    [
        ({**GOOD, "spec": {**GOOD["spec"], "environment": "dev", "ttl": "2h"}}, {"ttl": "720h"}, ["ttl: 720h -> 2h"]),
        (ALONE, {"drift": "Report"}, ["drift: Report -> Repair"]),
    ],
    ids=["environment", "alone"],
)
def test_what_changes_of_a_claim_itself_is_told_in_text_and_in_markdown(
    claim: Json, before: Json, told: list[str]
) -> None:
    made = plan(claim, stored(claim, **before))
    assert [line.text for line in lines(made, SAVED)][1 : len(told) + 2] == [*told, ""]
    block = "\n".join(["```diff", *(f"! {text}" for text in told), "```", "", "<details>"])
    assert block in markdown(made, SAVED)


def test_a_claim_that_does_not_change_itself_has_no_lines_of_its_own() -> None:
    made = plan(GOOD, stored(GOOD))
    assert markdown(made, SAVED).index("```diff") > markdown(made, SAVED).index("<details>")


ABSENT = {**GOOD, "spec": {**GOOD["spec"], "regions": [ONE, {**TWO, "state": "Absent"}]}}


def chosen(folder: Path, verb: str, claim: Json, region: str, *args: str) -> Result:
    (folder / "claim.yaml").write_text(manifest.dump([claim]))
    return CliRunner().invoke(cli, [verb, str(folder / "claim.yaml"), "--region", region, "-o", "json", *args])


def test_a_region_that_is_absent_is_a_region_of_its_claim_and_nothing_of_it_is_planned_or_rendered(
    tmp_path: Path,
) -> None:
    made = json.loads(chosen(tmp_path, "plan", ABSENT, "us-east-2").output)["plans"][0]
    assert [change["kind"] for change in made["changes"]] == ["EnvironmentTap"]
    assert json.loads(chosen(tmp_path, "render", ABSENT, "us-east-2").output)["items"] == []


def test_a_region_that_leaves_the_list_can_be_chosen_while_it_is_there(tmp_path: Path) -> None:
    owner = {"apiVersion": GOOD["apiVersion"], "kind": GOOD["kind"], "name": "prod", "uid": "u", "controller": True}
    tap = {**ALONE, "metadata": {"name": "prod-eu-west-1", "namespace": "tap-prod", "ownerReferences": [owner]}}
    claim = {**GOOD, "metadata": {**GOOD["metadata"], "uid": "u"}}
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "prod.yaml").write_text(manifest.dump([claim, tap]))
    done = chosen(tmp_path, "plan", GOOD, "eu-west-1", "--against", str(tmp_path / "saved"))
    [change] = json.loads(done.output)["plans"][0]["changes"]
    assert (change["action"], change["region"], change["name"]) == ("delete", "eu-west-1", "prod-eu-west-1")


@pytest.mark.parametrize("regions", [5, [5], [{"cidr": "10.0.0.0/16"}], {"name": "us-east-1"}])
def test_regions_of_another_shape_are_none(regions: object) -> None:
    assert regions_of({**GOOD, "spec": {**GOOD["spec"], "regions": regions}}) == {}
