import io
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


def test_text_that_is_a_number_to_kubernetes_is_quoted() -> None:
    for text in ("551297e4", "+1e2", ".5e-3", "1.e5", "86e37564"):
        assert manifest.dump([{"tag": text}]) == f"tag: '{text}'\n"
        # What no float64 holds is text to Go again.
        assert manifest.value(text, HERE) == ("86e37564" if text == "86e37564" else float(text))
    assert manifest.dump([{"tag": "0a95bf9c"}]) == "tag: 0a95bf9c\n"


def test_what_looks_like_a_date_is_text_as_it_is_to_kubernetes() -> None:
    assert manifest.value("CostCenter: 2026-11-24\nat: 2026-11-24T10:00:00Z\n", HERE) == {
        "CostCenter": "2026-11-24",
        "at": "2026-11-24T10:00:00Z",
    }
    assert manifest.dump([{"a": "2026-11-24"}]) == "a: '2026-11-24'\n"


def test_keys_stay_in_their_order_and_the_header_comes_first() -> None:
    assert manifest.dump([{"b": 1, "a": 2}], header="# h\n") == "# h\nb: 1\na: 2\n"


def test_empty_documents_are_left_out() -> None:
    assert len(list(manifest.load(f"---\n---\n{HEAD}---\n", HERE))) == 1


def test_a_list_is_its_items() -> None:
    items = [{"apiVersion": "v1", "kind": "A", "metadata": {"name": name}} for name in "abc"]
    inner = {"apiVersion": "v1", "kind": "List", "items": items[1:]}
    text = manifest.dump([{"apiVersion": "v1", "kind": "List", "metadata": {}, "items": [items[0], inner]}])
    assert list(manifest.load(text, HERE)) == items


def test_a_key_that_overrides_a_merged_one_is_no_double() -> None:
    text = f"{HEAD}x: {{y: &y {{a: 1}}, z: &z {{<<: *y, a: 2}}}}\nw: {{<<: *z, a: 3}}\nv: *z\n"
    [document] = manifest.load(text, HERE)
    assert (document["x"], document["w"], document["v"]) == ({"y": {"a": 1}, "z": {"a": 2}}, {"a": 3}, {"a": 2})


def test_what_comes_before_a_fault_is_read() -> None:
    documents = manifest.load(f"{HEAD}---\na: [", HERE)
    assert next(documents)["metadata"] == {"name": "a"}
    with pytest.raises(ManifestError, match="not YAML"):
        next(documents)


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
        (f"{HEAD}kind: B", "claims/x.yaml:4: not YAML: key 'kind' stands twice in one object, first in line 2"),
        (f"{HEAD}spec:\n- {{a: 1, 'a': 2}}", "claims/x.yaml:5: not YAML: key 'a' stands twice in one object"),
        ("apiVersion: v1\nkind: List", "claims/x.yaml: not a manifest: items of the List is missing"),
        ("apiVersion: v1\nkind: List\nitems: [1]", "claims/x.yaml: not a manifest: expected an object"),
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
    with pytest.raises(TapError, match=r"is a directory; name the files in it, such as .*/\*.yaml"):
        manifest.read(tmp_path)


def test_standard_input_is_told_by_the_name_that_it_is_given() -> None:
    assert manifest.text_of(HERE, io.BytesIO(b"a: 1")) == "a: 1"
    with pytest.raises(TapError, match=r"^claims/x.yaml: cannot be read: not UTF-8 text"):
        manifest.text_of(HERE, io.BytesIO(b"\xff"))
