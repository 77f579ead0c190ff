"""What `pip install .` brings: every file that the code reads, so that offline verbs work from any folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("xrds/tap_api", "compositions/tap_stack", "functions/tap_function", "operator/tap_operator", "cli/tap_cli")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the backend that pip calls, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


def test_every_file_of_every_package_is_in_the_wheel(wheel: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True)
    wanted = {path.partition("/")[2] for path in tracked.stdout.split()}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == wanted
    assert {"tap_stack/schemas.json", "tap_stack/catalogue.json", "tap_stack/processor/code.json"} <= packed


@pytest.mark.parametrize("verb", ["plan", "render", "validate"])
def test_an_offline_verb_works_from_the_wheel_alone_in_any_folder(wheel: Path, verb: str, tmp_path: Path) -> None:
    claim = tmp_path / "prod.yaml"
    claim.write_bytes((ROOT / "claims" / "prod.yaml").read_bytes())
    done = installed(wheel, tmp_path, verb, str(claim))
    assert done.stderr.splitlines()[0] == str(tmp_path / "installed" / "tap_stack" / "__init__.py")
    assert done.returncode == (2 if verb == "plan" else 0)
    assert done.stdout


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_what_is_generated_is_written_to_no_folder_that_nobody_named(
    wheel: Path, options: tuple[str, ...], tmp_path: Path
) -> None:
    done = installed(wheel, tmp_path, "synth", *options)
    said = "error: this `tap` runs from no checkout; say where the files are with --out"
    assert (done.returncode, done.stdout, done.stderr.splitlines()[1:]) == (1, "", [said])
    assert [path.name for path in tmp_path.iterdir()] == ["installed"]


def installed(wheel: Path, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Runs `tap` of the wheel in a folder; it tells on standard error where it stands, before all else."""
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "installed")
    # In front of the checkout, which an editable install puts on the path too.
    environment = {**os.environ, "PYTHONPATH": str(folder / "installed")}
    script = "import sys, tap_stack, tap_cli.main; print(tap_stack.__file__, file=sys.stderr); tap_cli.main.main()"
    return subprocess.run(
        [sys.executable, "-c", script, *args],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
