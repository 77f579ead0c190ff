from pathlib import Path, PurePosixPath

import pytest

from tap_api import emit
from tap_api.errors import StaleError

FILES = {PurePosixPath("a/b.yaml"): "x: 1\n", PurePosixPath("c.yaml"): "y: 2\n"}


def test_writing_twice_changes_nothing_the_second_time(tmp_path: Path) -> None:
    assert emit.write(FILES, tmp_path) == [tmp_path / "a/b.yaml", tmp_path / "c.yaml"]
    assert emit.write(FILES, tmp_path) == []
    emit.check(FILES, tmp_path)


def test_a_missing_and_an_edited_file_are_stale(tmp_path: Path) -> None:
    emit.write(FILES, tmp_path)
    (tmp_path / "c.yaml").write_text("y: 3\n")
    (tmp_path / "a/b.yaml").unlink()
    with pytest.raises(StaleError) as caught:
        emit.check(FILES, tmp_path)
    assert str(caught.value) == "stale: a/b.yaml, c.yaml; run `make generate` and commit what it writes"


def test_the_files_that_are_checked_in_are_what_python_makes() -> None:
    emit.check(emit.files(), Path(__file__).parents[3])
