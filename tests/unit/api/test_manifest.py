from pathlib import Path

import pytest

from tap_api import manifest
from tap_api.errors import ManifestError, TapError

HERE = Path("claims/x.yaml")
HEAD = "apiVersion: v1\nkind: A\nmetadata: {name: a}\n"


def test_what_is_written_is_read_back() -> None:
    documents = [{"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "on": True, "text": "a\nb\n", "no": "no"}]
    assert list(manifest.load(manifest.dump(documents), HERE)) == documents


def test_shared_values_are_written_out() -> None:
    shared = {"a": 1}
    assert manifest.dump([{"x": shared, "y": shared}]) == "x:\n  a: 1\ny:\n  a: 1\n"


def test_keys_stay_in_their_order_and_the_header_comes_first() -> None:
    assert manifest.dump([{"b": 1, "a": 2}], header="# h\n") == "# h\nb: 1\na: 2\n"


def test_empty_documents_are_left_out() -> None:
    assert len(list(manifest.load(f"---\n---\n{HEAD}---\n", HERE))) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "claims/x.yaml:2: not YAML: did not find expected"),
        ("a: b: c", "claims/x.yaml:1: not YAML: mapping values are not allowed"),
        ("- 1", "claims/x.yaml: not a manifest: expected an object"),
        ("kind: A", "claims/x.yaml: not a manifest: apiVersion is missing"),
        ("apiVersion: v1", "claims/x.yaml: not a manifest: kind is missing"),
        ("apiVersion: v1\nkind: A", "claims/x.yaml: not a manifest: metadata.name is missing"),
        ("!!python/object/apply:os.getcwd []", "claims/x.yaml:1: not YAML: could not determine a constructor"),
        ("\0", "claims/x.yaml: not YAML: "),
    ],
)
def test_what_is_not_a_manifest_is_told_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        list(manifest.load(text, HERE))
    assert str(caught.value).startswith(message)


def test_a_file_that_cannot_be_read_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(TapError, match=r"gone.yaml: cannot be read: No such file"):
        manifest.read(tmp_path / "gone.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TapError, match=r"binary.yaml: cannot be read: not UTF-8 text"):
        manifest.read(tmp_path / "binary.yaml")
