import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_operator_folder_is_no_package_and_holds_no_test() -> None:
    assert not ROOT.joinpath("operator", "__init__.py").exists()
    assert [path.name for path in ROOT.joinpath("operator").glob("*.py")] == []
    assert list(ROOT.joinpath("operator").rglob("test_*.py")) == []


@pytest.mark.parametrize("folder", [ROOT, ROOT / "operator"], ids=["root", "operator"])
def test_operator_is_the_one_of_the_standard_library(folder: Path) -> None:
    code = "import operator; print(operator.itemgetter(1)('ab'), hasattr(operator, 'attrgetter'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True, env={"PYTHONPATH": "."}
    )
    assert done.stdout.split() == ["b", "True"]
