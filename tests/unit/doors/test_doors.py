"""Every door that judges a case of the table gives the same paths and codes. tests/cluster asks a real apiserver."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from policy_cases import ALONE, GOOD, HOUSE, Case, Found
from policy_changes import CASES
from tap_api import manifest
from tap_api.kinds import KINDS
from tap_api.policy import RULES, Door, Organisation, Rule, Severity, evaluate
from tap_cli.validate import command
from tap_operator.admission import decide
from tap_stack.compose import compose
from tap_stack.subject import RefusedError

RULE = {rule.code: rule for rule in RULES}
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def in_lines(message: str) -> Found:
    """Returns the paths and codes of the lines `path: message (Code)` in `message`."""
    return [(line[1], line[2]) for line in re.finditer(r"(?m)^(\S+|spec\.tags\['.*?'\]): .* \((\w+)\)$", message)]


def test_no_two_cases_have_one_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@every_case
def test_policy_gives_paths_and_codes(case: Case) -> None:
    found = evaluate(case.kind, case.manifest, case.old, case.organisation or Organisation())
    by = {s: [(v.path, v.code) for v in found if v.severity is s] for s in Severity}
    assert (by[Severity.ERROR], by[Severity.WARNING]) == (case.errors, case.warnings)


@every_case
def test_admission_says_all_of_it_in_one_message(case: Case) -> None:
    assert (
        in_lines(decide(KINDS[case.kind], case.manifest, case.old, case.organisation or Organisation())) == case.errors
    )


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.kind == "RegionalTap" and not c.old], ids=lambda case: case.name
)
def test_the_function_makes_nothing_and_says_why(case: Case) -> None:
    try:
        composed = compose(case.manifest, {})
    except RefusedError as error:
        assert [(v.path, v.code) for v in error.violations] == case.errors
        return
    (condition,) = [c for c in composed.conditions if c.type == "PolicyCompliant"]
    # It is not told of the organisation.
    errors = [(path, code) for path, code in case.errors if Door.FUNCTION in RULE[code].doors]
    assert condition.status == ("False" if errors else "True")
    assert bool(composed.resources) == (not errors)
    for path, code in errors:
        assert re.search(rf"{re.escape(path)}: .*\({code}\)", condition.message)


@pytest.mark.parametrize("organisation", [None, HOUSE], ids=["of nobody", "of a house"])
def test_the_command_line_prints_the_same(tmp_path: Path, organisation: Organisation | None) -> None:
    asked = [case for case in CASES if not case.old and case.organisation is organisation]
    files = {tmp_path / f"{i:03}.yaml": case for i, case in enumerate(asked)}
    for path, case in files.items():
        path.write_text(json.dumps(case.manifest))
    policy = tmp_path / "policy"
    policy.write_text(json.dumps(organisation.manifest()) if organisation else "")
    asking = ["-o", "json", "--policy", str(policy), *map(str, files)]
    answer = CliRunner().invoke(command, asking, standalone_mode=False)
    rows = json.loads(answer.output)["findings"]
    for path, case in files.items():
        mine = [(row["severity"], row["path"], row["code"]) for row in rows if row["file"] == str(path)]
        assert mine == [*(("error", *e) for e in case.errors), *(("warning", *w) for w in case.warnings)], case.name


@every_case
def test_a_rule_names_the_kinds_and_the_doors_that_the_case_meets(case: Case) -> None:
    for _, code in (*case.errors, *case.warnings):
        assert case.kind in RULE[code].kinds
    for _, code in case.schema:
        assert case.kind in RULE[code].schema


def test_every_rule_has_a_case_at_every_kind_and_at_every_door_that_it_names() -> None:
    for rule in RULES:
        cases = [c for c in CASES if rule.code in {code for _, code in (*c.errors, *c.warnings)}]
        assert {c.kind for c in cases} >= set(rule.kinds) - SPARED.get(rule.code, set()), rule.code
        met = {c.kind for c in CASES if rule.code in {code for _, code in c.schema}}
        assert met == set(rule.schema), rule.code


#: Rules that a kind shares with the other, field for field, and that one case shows well enough; and those that no
#: manifest breaks by itself (tests/cluster/test_cidrs.py, tests/cluster/test_locks.py).
SPARED = {
    "CidrTaken": {"EnvironmentTap", "RegionalTap"},
    "Locked": {"EnvironmentTap"},
    "LogExports": {"RegionalTap"},
    "EngineVersion": {"RegionalTap"},
    "GlobalCapacity": {"RegionalTap"},
}


def test_what_is_in_the_schema_carries_the_code_of_a_rule_that_says_so() -> None:
    from tap_api.schema import crd, xrd

    for kind in ("EnvironmentTap", "RegionalTap"):
        made = crd(KINDS[kind]) if kind == "EnvironmentTap" else xrd(KINDS[kind])
        messages = re.findall(r'"message": "(.*?)"', json.dumps(made))
        codes = {re.search(r"\((\w+)\)$", message)[1] for message in messages}  # type: ignore[index]
        assert codes == {rule.code for rule in RULES if kind in rule.schema}


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.example], ids=lambda rule: rule.code)
def test_the_example_of_a_rule_breaks_it(rule: Rule) -> None:
    example = manifest.value(rule.example, Path(rule.code))
    assert isinstance(example, dict)
    found = [
        violation.code
        for base in (GOOD, ALONE)
        for violation in evaluate(base["kind"], {**base, "spec": {**base["spec"], **example}}, None, Organisation())
    ]
    assert rule.code in found


def test_every_rule_says_what_it_is_for_and_what_to_do() -> None:
    assert len(RULE) == len(RULES)
    for rule in RULES:
        assert rule.purpose.endswith(".") and rule.remedy.endswith("."), rule.code
        assert Door.ADMISSION in rule.doors
