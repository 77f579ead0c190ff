import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.summary import Summary, summarise


def whole(*pieces: bytes) -> Summary:
    return summarise(pieces, sum(map(len, pieces)), lambda: True)


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([], 0),
        ([b""], 0),
        ([b"a"], 1),
        ([b"a\n"], 1),
        ([b"a\n", b"b"], 2),
        ([b"\n\n"], 2),
        (["ä".encode()[:1], "ä".encode()[1:]], 1),
        ([b"\xff"], None),
        (["ä".encode()[:1]], None),
        ([b"a\0b"], None),
        ([b"\xff", b"a\n"], None),
    ],
)
def test_lines_are_counted_where_it_is_text(pieces: list[bytes], lines: int | None) -> None:
    assert whole(*pieces).lines == lines


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_a_summary_does_not_depend_on_how_the_content_is_cut(pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    assert whole(*pieces) == whole(content)
    assert whole(*pieces).sha256 == hashlib.sha256(content).hexdigest()


def test_reading_ends_at_the_most_that_is_read() -> None:
    pieces = iter([b"ab", b"cd", b"ef"])
    assert summarise(pieces, 6, lambda: True, most=4) == Summary(read=4, complete=False, sha256=None, lines=None)
    assert list(pieces) == [b"ef"]


def test_what_was_read_whole_is_complete_though_the_time_is_over() -> None:
    assert summarise([b"ab"], 2, lambda: False).complete
    assert not summarise([b"ab", b"c"], 3, lambda: False).complete
