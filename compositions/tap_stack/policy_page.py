"""The page on policy: every rule and every control, each with an anchor of its own, made from the tables."""

from collections.abc import Iterable

from tap_api.policy import RULES, Organisation, Rule, Severity
from tap_stack.compliance import CONTROLS, Control

_HEAD = """# Policy

One table of rules (`tap_api.policy`) answers at every door; each answer is `path: what is wrong and what to do (Code)`.
The code is stable: scripts and dashboards may go by it.

| door | what it sees | what it says |
|---|---|---|
| schema | one object, by CEL, with every process of ours down | first, and alone; it holds what goes to Crossplane |
| admission | the object and the one that it replaces | every violation in one message, warnings as warnings |
| function | a stored RegionalTap, whoever wrote it | condition `PolicyCompliant`; what is there stays as it is |
| tap validate | files, offline | every violation; exit code 1 where there is an error |

The operator judges an EnvironmentTap once more before it applies anything (`Synced=False`, reason `SpecRefused`).
The schema cannot name a key of a map that it does not know: it answers with `spec.tags` where the others name the tag.

"""


def page() -> str:
    """Returns the page."""
    rows = "".join(
        f"| [{rule.code}](#{rule.page.partition('#')[2]}) | {rule.severity} | {_kinds(rule)} |\n" for rule in RULES
    )
    table = f"| rule | severity | kinds |\n|---|---|---|\n{rows}"
    text = f"{_HEAD}## The rules\n\n{table}\n{''.join(map(_section, RULES))}{_organisation()}{_controls(CONTROLS)}"
    return text.rstrip() + "\n"


def _section(rule: Rule) -> str:
    example = f"\nRefused, as a part of `spec`:\n\n```text\n{rule.example}\n```\n" if rule.example else ""
    if rule.severity is Severity.WARNING:
        example = example.replace("Refused", "Warned of")
    return f"""### {rule.code}

{rule.purpose} {rule.remedy}

Doors: {", ".join(rule.doors)}{_schema(rule)}.
{example}
"""


def _organisation() -> str:
    """Returns how an organisation adds rules of its own."""
    fields = "".join(f"| `{info.alias}` | {info.description} |\n" for info in Organisation.model_fields.values())
    return f"""## Rules of your organisation

They are the values `policy:` of charts/operator. The chart makes a ConfigMap of them, `tap-policy`, which admission and
the operator read at their start (a change rolls both); `tap validate --policy FILE` judges by the same YAML. Admission
refuses what breaks them, and the operator applies nothing of a claim that does. A file that cannot be used is refused
with the field of each fault.

| field | what it holds |
|---|---|
{fields}
Regular expressions are RE2's: no look-around, no back-references, time linear in the value. A tag of your own goes to
every resource that can carry it; an S3 object takes seven, the required ones first and the others in the order of the
alphabet.

## Judging what is stored

Rules change, and what is stored does not. `tap validate --cluster [-n NAMESPACE]` judges every EnvironmentTap, and
every RegionalTap that a person wrote, by the rules of today; it changes nothing. The operator does the same every five
minutes: condition `PolicyCompliant` of an EnvironmentTap, `OrganisationCompliant` of a RegionalTap of a person's, and
the metric `tap_policy_violations` (`/metrics` on the operator's health port).

"""


def _controls(controls: Iterable[Control]) -> str:
    """Returns the table of controls, and what they do not ask for."""
    listed = list(controls)
    rows = "".join(
        f"| `{control.code}` | {', '.join(f'`{kind}`' for kind in control.kinds)} | {control.purpose} |\n"
        for control in listed
    )
    exempt = "".join(
        f"- `{control.code}`: {exemption.what}. Why: {exemption.why}.\n"
        for control in listed
        for exemption in control.exemptions
    )
    return f"""## Controls of encryption and exposure

Every resource that is composed is judged, each time, by these controls. A broken one stands in `status.compliance` of
the part and of the RegionalTap (resource, code, message), and makes the condition `Compliant` False there and on the
EnvironmentTap. The verdict is on what is asked for; whether AWS has it so is what `ResourcesHealthy` tells.

| control | kinds | what holds |
|---|---|---|
{rows}
Exempt:

{exempt}"""


def _schema(rule: Rule) -> str:
    """Returns which kinds' schemas hold the rule, where not all that it judges do."""
    return f" (schema: {', '.join(rule.schema)} alone)" if rule.schema and rule.schema != rule.kinds else ""


def _kinds(rule: Rule) -> str:
    return ", ".join(rule.kinds)
