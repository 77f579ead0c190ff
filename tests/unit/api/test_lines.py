"""Where a field stands in its file: by the marks of YAML, for every document, whichever way it is written."""

import json
from pathlib import Path

import pytest

from tap_api import manifest
from tap_api.errors import ManifestError
from tap_api.manifest import located

FILE = Path("claims.yaml")
HEAD = "apiVersion: a/v1\nkind: K\nmetadata: {name: n}\n"
TEXT = f"""# two of them
{HEAD}spec:
  tags:
    CostCenter: x
    "a*b": y
  regions:
    - {{name: one, cidr: c}}
    - name: two
      cidr: d
---
# nothing
---
{HEAD}spec: {{tags: {{}}}}
"""


@pytest.mark.parametrize(
    ("document", "field", "line"),
    [
        (0, "spec", 5),
        (0, "spec.tags.CostCenter", 7),
        (0, "spec.tags['a*b']", 8),
        (0, "spec.regions[0].cidr", 10),
        (0, "spec.regions[1]", 11),
        (0, "spec.regions[1].cidr", 12),
        (0, "metadata.name", 4),
        # What is missing: where it would stand.
        (0, "spec.regions[7].cidr", 9),
        (0, "spec.tags.Team", 6),
        (0, "", 2),
        (1, "spec.tags.CostCenter", 19),
    ],
)
def test_a_field_is_found_in_its_document(document: int, field: str, line: int) -> None:
    assert [lines.of(field) for _, lines in located(TEXT, FILE)][document] == line


def test_the_items_of_a_list_have_lines_of_their_own() -> None:
    items = "".join(f"- apiVersion: a/v1\n  kind: K\n  metadata: {{name: n{i}}}\n  spec: {i}\n" for i in range(2))
    text = f"apiVersion: v1\nkind: List\nitems:\n{items}"
    assert [(d["metadata"]["name"], lines.of("spec")) for d, lines in located(text, FILE)] == [("n0", 7), ("n1", 11)]


@pytest.mark.parametrize(("indent", "line"), [(2, 7), (None, 1), ("\t", 7)])
def test_json_has_lines_too(indent: int | str | None, line: int) -> None:
    document = {"apiVersion": "a/v1", "kind": "K", "metadata": {"name": "n"}, "spec": 1}
    [(_, lines)] = located(json.dumps(document, indent=indent), FILE)
    assert lines.of("spec") == line


def test_a_merged_field_is_found_where_it_is_written() -> None:
    text = f"{HEAD}spec:\n  a: &x {{cidr: c}}\n  b:\n    <<: *x\n    name: n\n"
    [(document, lines)] = located(text, FILE)
    assert document["spec"]["b"] == {"cidr": "c", "name": "n"}
    assert [lines.of("spec.b.name"), lines.of("spec.b.cidr")] == [8, 6]


def test_what_is_no_manifest_is_told_after_what_is_one() -> None:
    found = located(f"{HEAD}---\n- 1\n", FILE)
    assert next(found)[0]["kind"] == "K"
    with pytest.raises(ManifestError, match="expected an object"):
        next(found)


def test_it_yields_what_load_does() -> None:
    assert [document for document, _ in located(TEXT, FILE)] == list(manifest.load(TEXT, FILE))
