from typing import Any

import pytest

from tap_operator.compare import covers


@pytest.mark.parametrize(
    ("live", "wanted", "same"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({}, {"a": None}, False),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, True),
        ({"a": 8}, {"a": 8.0}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": False}, {"a": False}, True),
        ({"a": ["x", "y"]}, {"a": ["x", "y"]}, True),
        ({"a": ["y", "x"]}, {"a": ["x", "y"]}, False),
        ({"a": [{"k": 2}, {"k": 1, "d": 0}]}, {"a": [{"k": 1}]}, True),
        ({"a": [{"k": 2}]}, {"a": [{"k": 1}]}, False),
        ({"a": "text"}, {"a": ["t"]}, False),
        ({"a": []}, {"a": []}, True),
        ({"a": "x"}, {"a": {"b": 1}}, False),
    ],
)
def test_an_object_covers_an_intent_when_applying_it_would_change_nothing(
    live: Any,
    wanted: Any,
    same: bool,  # noqa: FBT001
) -> None:
    assert covers(live, wanted) is same
