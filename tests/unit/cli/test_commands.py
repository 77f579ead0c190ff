import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def tap(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tap_cli", *args], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_help_lists_every_verb() -> None:
    result = tap("--help")
    assert result.returncode == 0
    assert [line.split()[0] for line in result.stdout.partition("Verbs:")[2].splitlines() if line.startswith("  ")][
        :3
    ] == ["status", "synth", "validate"]


def test_a_good_claim_is_valid() -> None:
    result = tap("validate", "claims/prod.yaml")
    assert (result.returncode, result.stdout, result.stderr) == (0, "1 files, 0 problems\n", "")


def test_every_problem_of_a_bad_claim_is_told_and_the_exit_code_is_one() -> None:
    result = tap("validate", "claims/refused/host-bits.yaml")
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        "claims/refused/host-bits.yaml: refused: spec.regions[0].cidr: '10.0.0.1/16' is an address inside 10.0.0.0/16; write 10.0.0.0/16 (Cidr)",
        "claims/refused/host-bits.yaml: refused: spec.regions[1].cidr: '8.8.0.0/16' is not private; take a range out of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 (Cidr)",
        "1 files, 2 problems",
    ]


def test_what_is_allowed_and_had_better_be_otherwise_is_a_warning(tmp_path: Path) -> None:
    claim = tmp_path / "open.yaml"
    claim.write_text((ROOT / "claims/dev.yaml").read_text() + "  api: {authorization: None}\n")
    result = tap("validate", str(claim))
    line = "None lets anybody on the internet call the API; use AWS_IAM or JWT (OpenApi)"
    assert (result.returncode, result.stdout.splitlines()) == (
        0,
        [f"{claim}: dev: warning: spec.api.authorization: {line}", "1 files, 0 problems, 1 warnings"],
    )
    (row,) = json.loads(tap("validate", "-o", "json", str(claim)).stdout)
    assert (row["severity"], row["code"]) == ("warning", "OpenApi")


def test_programs_get_json() -> None:
    result = tap("validate", "-o", "json", "claims/refused/host-bits.yaml")
    assert [(row["path"], row["code"]) for row in json.loads(result.stdout)] == [
        ("spec.regions[0].cidr", "Cidr"),
        ("spec.regions[1].cidr", "Cidr"),
    ]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["validate", "gone.yaml"], 1, "error: gone.yaml: cannot be read: No such file or directory"),
        (["validate", "xrds/regionaltaps.tap.platform.yaml"], 1, "CompositeResourceDefinition is not judged here"),
        (["validate"], 2, "Missing argument 'FILES...'"),
        (["status", "--kubeconfig", "/nonexistent"], 1, "error: no kubeconfig that can be used"),
        (["frobnicate"], 2, "No such command 'frobnicate'"),
        (["synth", "--out", "/proc/tap", "--check"], 1, "error: stale: charts/operator"),
        (["synth", "--out", "/proc/tap"], 1, "error: /proc/tap: cannot write:"),
    ],
)
def test_bad_input_gets_one_clear_message_and_no_traceback(args: list[str], code: int, message: str) -> None:
    result = tap(*args)
    assert result.returncode == code
    assert message in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_synth_writes_every_generated_file_and_then_finds_them_fresh(tmp_path: Path) -> None:
    assert tap("synth", "--out", str(tmp_path)).returncode == 0
    again = tap("synth", "--out", str(tmp_path), "--check")
    assert (again.returncode, again.stderr) == (0, "")
    for path in tmp_path.rglob("*.yaml"):
        assert path.read_text() == (ROOT / path.relative_to(tmp_path)).read_text()


def test_an_edited_generated_file_is_stale(tmp_path: Path) -> None:
    tap("synth", "--out", str(tmp_path))
    edited = tmp_path / "xrds/regionaltaps.tap.platform.yaml"
    edited.write_text(edited.read_text() + "# mine\n")
    result = tap("synth", "--out", str(tmp_path), "--check")
    assert (result.returncode, result.stderr) == (
        1,
        "error: stale: xrds/regionaltaps.tap.platform.yaml; run `make generate` and commit what it writes\n",
    )
