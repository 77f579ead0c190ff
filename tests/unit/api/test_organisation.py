"""A file of an organisation's rules: what it may say, and what is said of one that is wrong."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_api.errors import ManifestError
from tap_api.policy import Organisation, load
from tap_api.policy.organisation import PolicyFileError

ROOT = Path(__file__).parents[3]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    return path


def test_an_empty_file_says_what_holds_where_nothing_is_said(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")) == Organisation()
    assert [r.cidr for r in Organisation().reserved_ranges] == ["172.17.0.0/16"]


@pytest.mark.parametrize(
    ("rules", "field", "message"),
    [
        ({"requiredTag": ["Owner"]}, "requiredTag", "check its spelling"),
        ({"requiredTags": "Owner"}, "requiredTags", "list"),
        ({"requiredTags": ["environment"]}, "requiredTags[0]", "set from the spec"),
        ({"requiredTags": ["a*b"]}, "requiredTags[0]", "must match ^"),
        ({"requiredTags": list("abcde")}, "requiredTags", "at most 4"),
        ({"allowedTagValues": {"Owner": "(a"}}, "allowedTagValues.Owner", "unclosed group"),
        ({"allowedTagValues": {"Owner": "a)|(b"}}, "allowedTagValues.Owner", "unopened group"),
        ({"allowedTagValues": {"Owner": "(?=a)a"}}, "allowedTagValues.Owner", "look-around"),
        ({"allowedTagValues": {"Owner": r"(a)\1"}}, "allowedTagValues.Owner", "backreferences are not supported"),
        ({"allowedTagValues": {"Owner": "a{1000}{1000}"}}, "allowedTagValues.Owner", "size limit"),
        ({"allowedTagValues": {"Owner": "a" * 257}}, "allowedTagValues.Owner", "at most 256"),
        ({"reservedRanges": [{"cidr": "10.0.0.1/8", "reason": "x"}]}, "reservedRanges[0].cidr", "host bits"),
        ({"reservedRanges": [{"cidr": "10.0.0.0/08", "reason": "x"}]}, "reservedRanges[0].cidr", "10.0.0.0/08"),
        ({"reservedRanges": [{"cidr": "fd00::/8", "reason": "x"}]}, "reservedRanges[0].cidr", "IPv4"),
        ({"reservedRanges": [{"cidr": "10.0.0.0/8"}]}, "reservedRanges[0].reason", "is required"),
        ({"allowedRegions": ["mars-north-1"]}, "allowedRegions[0]", "not a region"),
    ],
)
def test_a_fault_is_named_with_its_field(tmp_path: Path, rules: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(PolicyFileError) as caught:
        load(written(tmp_path, json.dumps(rules)))
    head, line = str(caught.value).splitlines()
    assert head.endswith("policy.yaml: these are no rules of an organisation:")
    assert line.startswith(f"- {field}: ")
    assert message in line


@pytest.mark.parametrize("text", ["[1]", "7", "words", "- a"])
def test_what_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PolicyFileError, match="expected an object with some of requiredTags, allowedTagValues"):
        load(written(tmp_path, text))


@pytest.mark.parametrize("text", ["{", "a: b: c", "a: 1\na: 2", "--- 1\n--- 2", "[" * 5000])
def test_what_is_no_yaml_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ManifestError):
        load(written(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        load(tmp_path / "absent")


@pytest.mark.parametrize(
    ("pattern", "value", "allowed"),
    [
        ("[a-z]+-[0-9]{4}", "platform-4200", True),
        ("[a-z]+-[0-9]{4}", "platform-42000", False),
        ("[a-z]+-[0-9]{4}", "x platform-4200", False),
        ("a|b", "b", True),
        ("a|b", "ab", False),
        ("a", "a\n", False),
        (r"\d+", "١٢", True),  # As RE2 and Rust read \d in Unicode: a digit is a digit.
        ("", "", True),
    ],
)
def test_the_whole_of_a_value_has_to_match(pattern: str, value: str, allowed: bool) -> None:  # noqa: FBT001
    organisation = Organisation.parse({"allowedTagValues": {"Owner": pattern}}) if pattern else Organisation()
    assert organisation.allows("Owner", value) is allowed
    assert organisation.allows("Other", value)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a|aa)+b", "(.*)*b", "(a*)*b", "([a-z]+)*b", ".*.*.*.*.*b"])
def test_no_pattern_holds_admission_up(pattern: str) -> None:
    organisation = Organisation.parse({"allowedTagValues": {"Owner": pattern}})
    before = time.process_time()
    assert not organisation.allows("Owner", "a" * 256)
    assert time.process_time() - before < 0.1


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_pattern_is_refused_in_words_or_used(pattern: str, value: str) -> None:
    try:
        organisation = Organisation.parse({"allowedTagValues": {"Owner": pattern}})
    except ValueError:
        return
    assert organisation.allows("Owner", value) in (True, False)


def test_the_values_of_the_chart_are_what_holds_where_nothing_is_said(tmp_path: Path) -> None:
    from tap_api import manifest

    values = manifest.value((ROOT / "charts/operator/values.yaml").read_text(), Path("values.yaml"))
    assert isinstance(values, dict)
    assert load(written(tmp_path, json.dumps(values["policy"]))) == Organisation()
