"""The page on policy: every rule, with an anchor of its own, made from the table."""

from tap_api.policy import RULES, Rule, Severity

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
    return f"{_HEAD}## The rules\n\n{table}\n{''.join(map(_section, RULES))}".rstrip() + "\n"


def _section(rule: Rule) -> str:
    example = f"\nRefused, as a part of `spec`:\n\n```text\n{rule.example}\n```\n" if rule.example else ""
    if rule.severity is Severity.WARNING:
        example = example.replace("Refused", "Warned of")
    return f"""### {rule.code}

{rule.purpose} {rule.remedy}

Doors: {", ".join(rule.doors)}{_schema(rule)}.
{example}
"""


def _schema(rule: Rule) -> str:
    """Returns which kinds' schemas hold the rule, where not all that it judges do."""
    return f" (schema: {', '.join(rule.schema)} alone)" if rule.schema and rule.schema != rule.kinds else ""


def _kinds(rule: Rule) -> str:
    return ", ".join(rule.kinds)
