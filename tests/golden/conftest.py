import os
from collections.abc import Callable
from pathlib import Path

import pytest

UPDATE = "UPDATE_GOLDEN"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Holds a text against a file beside the tests; with UPDATE_GOLDEN=1 the file is written instead."""

    def check(name: str, text: str) -> None:
        path = Path(__file__).parent / name
        if os.environ.get(UPDATE) == "1":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"{path} is missing; run with {UPDATE}=1 and review what it writes"
        assert text == path.read_text(encoding="utf-8"), f"{path} differs; run with {UPDATE}=1 and review the change"

    return check
