"""What every verb that reads claims refuses of their files, beside what a claim says."""

from functools import partial
from pathlib import Path

import pytest

from policy_cases import GOOD
from tap_api import manifest
from tap_api.errors import ManifestError
from tap_cli.claims import claims
from tap_cli.main import cli, run


def write(path: Path, *documents: object) -> Path:
    path.write_text(manifest.dump(documents), encoding="utf-8")  # type: ignore[arg-type]
    return path


def test_a_claim_that_stands_twice_is_refused_in_one_file_and_in_two(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.yaml", GOOD), write(tmp_path / "two.yaml", GOOD)
    with pytest.raises(ManifestError, match=r"two\.yaml: EnvironmentTap tap-prod/prod stands in .*one\.yaml already"):
        claims([one, two], of_one_cluster=True)
    assert len(claims([one, two])) == 2  # Of two clusters, as a plan of each may be asked for at once.
    with pytest.raises(ManifestError, match="the last of the two would win; remove one"):
        claims([write(tmp_path / "both.yaml", GOOD, GOOD)])
    elsewhere = {**GOOD, "metadata": {**GOOD["metadata"], "namespace": "tap-dev"}}
    assert len(claims([one, one, write(tmp_path / "three.yaml", elsewhere)], of_one_cluster=True)) == 2


def test_validate_tells_it_with_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "both.yaml", GOOD, GOOD)
    assert run(partial(cli, ["validate", str(file)])) == 1
    first, counts = capsys.readouterr().out.splitlines()
    line = file.read_text(encoding="utf-8").splitlines().index("---") + 1
    assert first.startswith(f"{file}:{line + 4}:metadata.name: EnvironmentTap prod stands in {file} already")
    assert counts == "1 file, 1 problem"
