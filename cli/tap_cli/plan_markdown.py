"""A plan as Markdown, for a pull request. Pure."""

from collections.abc import Iterator

from tap_cli.plan_text import SIGNS, heading, own_lines, region_lines, summary, title, warnings
from tap_stack.plan import Action, Plan

#: Characters that a comment on GitHub can have, less what others write around it.
_LONGEST = 60_000
#: What GitHub colours in a block of `diff`.
_MARKS = {SIGNS[Action.UPDATE]: "!", SIGNS[Action.BLOCKED]: "!"}


def markdown(plan: Plan, against: str) -> str:
    """Returns a plan as Markdown: the summary, what nobody should overlook, and each region folded."""
    head = [f"### `tap plan`: {title(plan, against)}", ""]
    if plan.violations:
        refused = [f"- `{found.path}`: {found.message} (`{found.code}`)" for found in plan.violations]
        return "\n".join([*head, "**Refused; nothing would be changed.** Mend the claim:", "", *refused, ""])
    told = [*head, f"**{summary(plan)}**", ""]
    told += [f"- **{text}**" for text in warnings(plan)]
    told += [f"- Advice: `{found.path}`: {found.message}" for found in plan.advice]
    # The colour hangs on the first character of a line.
    own = [f"{_MARKS[SIGNS[Action.UPDATE]]} {line.text}" for line in own_lines(plan)]
    told += ["", "```diff", *own, "```"] if own else []
    folded = "\n".join(line for region in plan.regions for line in _folded(plan, region))
    text = "\n".join([*told, "", folded, ""])
    if len(text) <= _LONGEST:
        return text
    cut = text[:_LONGEST].rpartition("\n")[0]
    return f"{cut}\n```\n</details>\n\nCut here; `tap plan` prints all of it.\n"


def _folded(plan: Plan, region: str) -> Iterator[str]:
    part = plan.only([region])
    counts = [f"{part.count(action)} {action.value}" for action in Action if part.count(action)]
    yield f"<details><summary>{heading(plan, region)}: {', '.join(counts) or 'nothing changes'}</summary>"
    yield from ("", "```diff")
    for line in region_lines(part, region):
        sign, gap = line.text[:1], line.text[1:2]
        if gap == " " and sign in SIGNS.values():
            yield f"{_MARKS.get(sign, sign)} {' ' * (line.indent - 2)}{line.text[2:]}"
        else:
            yield f"{' ' * max(line.indent, 2)}{line.text}"
    yield from ("```", "", "</details>")
