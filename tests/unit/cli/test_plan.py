"""What `tap plan` says of the claim itself, beside its regions."""

import pytest

from policy_cases import ALONE, GOOD
from tap_api.base import Json
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
