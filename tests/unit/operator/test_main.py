import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("process", ["fanout", "admission"])
def test_a_process_without_a_cluster_says_so_in_one_line(process: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tap_operator.main", process, "--health-port", "0"]
    certs = ["--certs-dir", str(tmp_path), "--address", "127.0.0.1"] if process == "admission" else []
    env = {**os.environ, "KUBECONFIG": str(tmp_path / "gone"), "HOME": str(tmp_path)}
    done = subprocess.run([*command, *certs], env=env, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("tap-operator: no cluster to work on: not in a pod, and KUBECONFIG leads nowhere")


@pytest.mark.parametrize("process", ["fanout", "admission"])
def test_rules_of_an_organisation_that_cannot_be_used_are_told_by_their_field(process: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("allowedTagValues: {Owner: '(a'}\nrequiredTag: [Owner]\n")
    command = [sys.executable, "-m", "tap_operator.main", process, "--health-port", "0", "--policy", str(policy)]
    certs = ["--certs-dir", str(tmp_path)] if process == "admission" else []
    done = subprocess.run([*command, *certs], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (1, "")
    head, *faults = done.stderr.splitlines()
    assert head == f"Error: {policy}: these are no rules of an organisation:"
    assert [fault.partition(": ")[0] for fault in faults] == ["- allowedTagValues.Owner", "- requiredTag"]
