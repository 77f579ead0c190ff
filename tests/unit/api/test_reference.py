"""The page of the API: it has every field, and says of each what the apiserver holds it to."""

import json

from tap_api import reference
from tap_api.base import Json
from tap_api.kinds import CIDR_BLOCK, ENVIRONMENT_TAP, REGIONAL_TAP
from tap_api.presets import PRESETS
from tap_api.schema import structural

ROWS = {line.split("`")[1]: line for line in reference.page().splitlines() if line.startswith(("| `spec", "| `status"))}


def paths(path: str, schema: Json) -> set[str]:
    found: set[str] = set()
    for name, field in schema.get("properties", {}).items():
        below, item = f"{path}.{name}", field
        found.add(below)
        while item.get("type") == "array":
            item, below = item["items"], f"{below}[]"
        found |= paths(below, item)
    return found


def test_every_field_that_people_write_or_read_has_a_row() -> None:
    wanted = {
        path for kind in (ENVIRONMENT_TAP, REGIONAL_TAP, CIDR_BLOCK) for path in paths("spec", structural(kind.spec))
    }
    for kind in (ENVIRONMENT_TAP, REGIONAL_TAP):
        assert kind.status
        wanted |= paths("status", structural(kind.status))
    assert wanted
    assert wanted <= ROWS.keys()
    assert all(row.count(" | ") >= 3 for row in ROWS.values())


def test_a_row_says_whether_a_field_is_required_its_values_its_bounds_and_what_cannot_change() -> None:
    assert "Required." in ROWS["spec.primaryRegion"]
    assert "`Present` `Paused` `Absent`" in ROWS["spec.regions[].state"]
    assert '`"Present"`' in ROWS["spec.regions[].state"]
    assert "1 to 10 items" in ROWS["spec.regions"]
    assert "cannot be changed: a VPC keeps its address range for life" in ROWS["spec.regions[].cidr"]


def test_every_preset_is_there_with_its_value_for_each_environment() -> None:
    page = reference.page()
    head = next(line for line in page.splitlines() if line.startswith("| field | `"))
    assert head == "| field | " + " | ".join(f"`{environment}`" for environment in PRESETS) + " |"
    for environment, preset in PRESETS.items():
        column = list(PRESETS).index(environment)
        row = next(line for line in page.splitlines() if line.startswith('| `spec.network.nat` | `"'))
        assert row.split(" | ")[1 + column].strip(" |") == f"`{json.dumps(preset['network']['nat'])}`"
