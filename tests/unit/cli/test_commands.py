import base64
import json
import os
import re
import shlex
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import trustme

from doubles.restapi import kubeconfig_of
from tap_api import manifest

ROOT = Path(__file__).parents[3]
BAD = "claims/refused/host-bits.yaml"


def tap(*args: str, stdin: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tap_cli", *args]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, input=stdin, env={**os.environ, **env}
    )


def test_help_lists_every_verb() -> None:
    result = tap("--help")
    assert result.returncode == 0
    assert [line.split()[0] for line in result.stdout.partition("Verbs:")[2].splitlines() if line.startswith("  ")][
        :3
    ] == ["init", "validate", "plan"]


def test_a_good_claim_is_valid() -> None:
    result = tap("validate", "claims/prod.yaml")
    assert (result.returncode, result.stdout, result.stderr) == (0, "1 file, 0 problems\n", "")


def test_every_problem_of_a_bad_claim_is_told_and_the_exit_code_is_one() -> None:
    result = tap("validate", "claims/refused/host-bits.yaml")
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        "claims/refused/host-bits.yaml:13:spec.regions[0].cidr: '10.0.0.1/16' is an address inside 10.0.0.0/16; write 10.0.0.0/16 (Cidr)",
        "claims/refused/host-bits.yaml:14:spec.regions[1].cidr: '8.8.0.0/16' is not private; take a range out of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 (Cidr)",
        "1 file, 2 problems",
    ]


def test_what_is_allowed_and_had_better_be_otherwise_is_a_warning(tmp_path: Path) -> None:
    claim = tmp_path / "open.yaml"
    claim.write_text((ROOT / "claims/dev.yaml").read_text() + "  api: {authorization: None}\n")
    number = len(claim.read_text().splitlines())
    result = tap("validate", str(claim))
    line = "None lets anybody on the internet call the API; use AWS_IAM or JWT (OpenApi)"
    assert (result.returncode, result.stdout.splitlines()) == (
        0,
        [f"{claim}:{number}:spec.api.authorization: warning: {line}", "1 file, 0 problems, 1 warning"],
    )
    (row,) = json.loads(tap("validate", "-o", "json", str(claim)).stdout)["findings"]
    assert (row["severity"], row["code"]) == ("warning", "OpenApi")


def test_programs_get_json() -> None:
    result = tap("validate", "-o", "json", "claims/refused/host-bits.yaml")
    assert [(row["path"], row["code"]) for row in json.loads(result.stdout)["findings"]] == [
        ("spec.regions[0].cidr", "Cidr"),
        ("spec.regions[1].cidr", "Cidr"),
    ]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["validate", "gone.yaml"], 1, "gone.yaml: cannot be read: No such file or directory\n1 file, 1 problem\n"),
        (["validate", "claims"], 1, "claims: is a directory; name the files in it, such as claims/*.yaml\n"),
        (["validate", "xrds/regionaltaps.tap.platform.yaml"], 1, "CompositeResourceDefinition is not judged here"),
        (["validate"], 2, "name files, or --cluster"),
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


def test_a_file_that_is_no_manifest_is_a_finding_and_the_others_are_judged_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [")
    (tmp_path / "double.yaml").write_text((ROOT / "claims/dev.yaml").read_text() + "kind: EnvironmentTap\n")
    (tmp_path / "empty.yaml").write_text("---\n# nothing\n")
    files = [tmp_path / f"{name}.yaml" for name in ("broken", "double", "empty", "gone")]
    bad = ROOT / "claims/refused/host-bits.yaml"
    args = [*map(str, files), str(bad), str(ROOT / "claims/dev.yaml")]
    rows = json.loads(tap("validate", "-o", "json", *args).stdout)["findings"]
    assert [(Path(row["file"]).name, row["line"], row["code"]) for row in rows] == [
        ("broken.yaml", 2, "Manifest"),
        ("double.yaml", rows[1]["line"], "Manifest"),
        ("empty.yaml", None, "Empty"),
        ("gone.yaml", None, "Manifest"),
        (bad.name, 13, "Cidr"),
        (bad.name, 14, "Cidr"),
    ]
    result = tap("validate", *args)
    lines = result.stdout.splitlines()
    assert (result.returncode, result.stderr, lines[-1]) == (1, "", "6 files, 6 problems")
    assert lines[0].startswith(f"{files[0]}:2: not YAML: did not find expected")
    assert lines[1].startswith(f"{files[1]}:{rows[1]['line']}: not YAML: key 'kind' stands twice in one object")
    assert lines[2] == f"{files[2]}: holds no claim"


def test_a_dash_is_standard_input_and_a_list_is_its_claims() -> None:
    claims = [next(manifest.load((ROOT / name).read_text(), Path(name))) for name in ("claims/dev.yaml", BAD)]
    text = manifest.dump([{"apiVersion": "v1", "kind": "List", "items": claims}])
    result = tap("validate", "-", stdin=text)
    assert (result.returncode, result.stdout.splitlines()[-1]) == (1, "1 file, 2 problems")
    assert re.match(r"<stdin>:\d+:spec\.regions\[0\]\.cidr: ", result.stdout)
    assert tap("validate", "-", stdin="").stdout == "<stdin>: holds no claim\n1 file, 1 problem\n"


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "- 1",
        "text",
        "clusters: 1",
        "clusters: [1]\ncontexts: [{}]",
        "contexts: [{name: a}]\ncurrent-context: a",
        "current-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\nusers: [{name: a, user: 1}]\n"
        "clusters: [{name: a, cluster: {server: 42}}]",
        "current-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\nusers: [{name: a, user: {}}]\n"
        "clusters: [{name: a, cluster: {server: 'https://x', certificate-authority-data: a}}]",
        "\0",
        "",
    ],
)
def test_a_kubeconfig_that_is_none_gets_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    result = tap("status", "--kubeconfig", str(file))
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("error: no kubeconfig that can be used (")


def test_an_answer_that_is_not_kubernetes_gets_one_line(tmp_path: Path) -> None:
    with served(b"<html>", tmp_path) as kubeconfig:
        result = tap("status", "--kubeconfig", str(kubeconfig), NO_PROXY="127.0.0.1")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("error: what answers is not a Kubernetes API: no list of environmenttaps")


@pytest.mark.parametrize("args", [["--help"], ["validate", "claims/dev.yaml"]])
@pytest.mark.parametrize(
    ("redirect", "said"),
    [
        (">/dev/full", "error: cannot write the output: No space left on device\n"),
        (">&-", "error: standard output is closed; nothing could be printed\n"),
        ("| true", ""),
    ],
)
def test_output_that_cannot_be_written_is_told_in_one_line(args: list[str], redirect: str, said: str) -> None:
    # The reader is gone before anything is written: what is piped waits for it.
    command = f"set -o pipefail; (sleep 0.2; exec {shlex.join([sys.executable, '-m', 'tap_cli', *args])}) {redirect}"
    result = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", said)


def test_what_the_terminal_cannot_show_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "→.yaml"
    result = tap("validate", str(file), PYTHONIOENCODING="latin-1")
    assert (result.returncode, result.stdout) == (
        1,
        f"{tmp_path}/?.yaml: cannot be read: No such file or directory\n1 file, 1 problem\n",
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_no_key_behind(tmp_path: Path, stop: signal.Signals) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with served(b'{"kind": "EnvironmentTapList", "items": []}', tmp_path) as kubeconfig:
        process = subprocess.Popen(
            # Whoever runs the tests may ignore signals (nohup, a job in the background), and children inherit that.
            [
                *("env", "--default-signal=HUP,INT,TERM"),
                *(sys.executable, "-m", "tap_cli", "status", "--watch", "--kubeconfig", str(kubeconfig)),
            ],
            env={**os.environ, "TMPDIR": str(temporary), "NO_PROXY": "127.0.0.1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stderr is not None
            assert process.stderr.readline() == "no EnvironmentTap in any namespace; waiting for it, until Ctrl-C\n"
            assert any("PRIVATE KEY" in file.read_text() for file in temporary.iterdir())
            process.send_signal(stop)
            assert process.wait(10) == 128 + stop
        finally:
            process.kill()
            rest = process.communicate()[1]
    assert (list(temporary.iterdir()), rest.strip()) == ([], "")


@contextmanager
def served(body: bytes, folder: Path, status: int = 200) -> Iterator[Path]:
    """Yields the kubeconfig of a test double of the API server, which answers everything with `body`."""
    authority = trustme.CA()
    client = authority.issue_cert("tap@test")

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        cluster = {
            "server": f"https://127.0.0.1:{server.server_port}",
            **_data("certificate-authority", authority.cert_pem),
        }
        user = {
            **_data("client-certificate", client.cert_chain_pems[0]),
            **_data("client-key", client.private_key_pem),
        }
        kubeconfig = kubeconfig_of(folder, cluster, user)
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield kubeconfig
        finally:
            server.shutdown()


def _data(name: str, pem: trustme.Blob) -> dict[str, str]:
    return {f"{name}-data": base64.b64encode(pem.bytes()).decode()}


def test_synth_looks_at_the_checkout_that_it_runs_from_wherever_it_is_called(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tap_cli", "synth", "--check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


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
