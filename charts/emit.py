"""Writes docs/reference/charts.md from the values of the charts and their schemas; --check fails where it is stale.

What a value is for is the comment above it in `values.yaml`, what it may be is in `values.schema.json`.
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml

from tap_api import emit
from tap_api.base import Json
from tap_api.errors import TapError
from tap_api.reference import GENERATED

ROOT = Path(__file__).resolve().parents[1]
#: In the order in which they are installed.
CHARTS = ("operator", "platform", "environment")
PAGE = PurePosixPath("docs/reference/charts.md")
HEAD = f"""{GENERATED}# Values of the charts

[Packages](../packages.md) says how the charts are installed, [credentials](../credentials.md) what `charts/environment`
is for. A key that a chart does not know is refused, and so is a value of another type.
"""


@dataclass(frozen=True)
class Chart:
    """The values of a chart: its lines, as they are written, and the schema that holds their types."""

    lines: Sequence[str]
    schema: Json

    def rows(self, path: str, node: yaml.MappingNode, schema: Json) -> Iterator[str]:
        """Yields a row for each value below `path`, and for what only groups others where it says something."""
        for key, value in node.value:
            below = f"{path}.{key.value}".lstrip(".")
            what, said = self.resolved(schema.get("properties", {}).get(key.value, {})), self.comment(key)
            if isinstance(value, yaml.MappingNode) and value.value and not value.flow_style:
                if said:
                    yield f"| `{below}` | | | {said} |\n"
                yield from self.rows(below, value, what)
            else:
                default = json.dumps(yaml.safe_load(yaml.serialize(value)))
                yield f"| `{below}` | {self.type_of(what)} | `{default}` | {said} |\n"

    def resolved(self, schema: Json) -> Json:
        """Returns a schema, or what it refers to in the same file."""
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        return self.schema["definitions"][name] if name else schema

    def type_of(self, schema: Json) -> str:
        """Returns what a value may be, in a word."""
        if "enum" in schema:
            return ", ".join(f"`{value}`" for value in schema["enum"] if value != "")
        items = self.resolved(schema.get("items", {})).get("type", "")
        return f"list of {items}" if items else str(schema.get("type", ""))

    def comment(self, key: yaml.Node) -> str:
        """Returns the comment above a key, on one line; what is indented in it is code, or a word and what it means."""
        first = last = key.start_mark.line
        while first and re.match(r" *#", self.lines[first - 1]):
            first -= 1
        words = [line.strip().removeprefix("#").removeprefix(" ") for line in self.lines[first:last]]
        return " ".join(map(_line, words)).replace("|", "\\|").replace("<", "&lt;").strip()


def _line(line: str) -> str:
    meaning = re.fullmatch(r" +(\S+) {2,}(.*)", line)
    if meaning:
        return f"`{meaning[1]}`: {meaning[2]}."
    return f"`{line.strip()}`" if line.startswith(" ") else line


def files() -> emit.Files:
    """Returns the page."""
    return {PAGE: HEAD + "".join(map(_section, CHARTS))}


def _section(name: str) -> str:
    folder = ROOT / "charts" / name
    text = (folder / "values.yaml").read_text(encoding="utf-8")
    schema = json.loads((folder / "values.schema.json").read_text(encoding="utf-8"))
    chart, root = Chart(text.splitlines(), schema), yaml.compose(text)
    about = yaml.safe_load((folder / "Chart.yaml").read_text(encoding="utf-8"))["description"]
    if not isinstance(root, yaml.MappingNode):
        message = f"charts/{name}/values.yaml holds no values"
        raise TapError(message)
    rows = "".join(chart.rows("", root, schema))
    return f"\n## charts/{name}\n\n{about}\n\n| value | type | default | |\n|---|---|---|---|\n{rows}"


if __name__ == "__main__":
    sys.exit(emit.script(__doc__, files, ROOT))
