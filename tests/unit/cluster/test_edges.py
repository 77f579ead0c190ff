"""Where things lie, what a person is told, and what the certificates are worth."""

import datetime
import ssl
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509

from tap_cluster import __main__ as main
from tap_cluster import (
    api,
    current,
    demo,
    embedded,
    kind,
    moto,
    pki,
    processes,
    recipes,
    run,
    runtime,
    services,
    status,
)
from tap_cluster.aws import Aws
from tap_cluster.context import Context
from tap_cluster.errors import ClusterError
from tap_cluster.pki import Authority, Leaf
from tap_cluster.places import Places, write_private
from tap_cluster.processes import Identity
from tap_cluster.progress import Progress
from tap_cluster.state import Record, State
from tap_cluster.supervisor import Program, Supervisor, always, digest_files


def test_places_follow_their_variables_and_nothing_else() -> None:
    places = Places.find({"TAP_STATE": "/s", "TAP_CACHE": "/c", "KUBECONFIG": "/k"})
    assert (places.state, places.tools, places.kubeconfig) == (
        Path("/s"),
        Path("/c/tools"),
        Path("/s/embedded/kubeconfig"),
    )
    assert Places.find({"XDG_CACHE_HOME": "/x"}).cache == Path("/x/tap-crossplane")
    assert Places.find({}).state == Places.find({}).repository / ".tap"


def test_our_programs_see_nothing_of_the_users_home_proxy_or_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KUBECONFIG", "HTTPS_PROXY", "AWS_ACCESS_KEY_ID"):
        monkeypatch.setenv(name, "the user's own")
    env = run.child_env(Places(tmp_path, tmp_path / "state", tmp_path / "cache"))
    assert "the user's own" not in env.values()
    folders = [env[name] for name in ("HOME", "KUBECACHEDIR", "DOCKER_CONFIG", "XDG_CONFIG_HOME")]
    assert all(folder.startswith(str(tmp_path / "state")) for folder in folders)


def test_what_was_started_apart_ends_with_its_folder_where_bringing_it_up_fails() -> None:
    sleeper = Program("sleeper", (sys.executable, "-c", "import time; time.sleep(600)"), {}, always)
    with pytest.raises(ClusterError, match=r"^crossplane died"), embedded.apart() as places:
        state = State(embedded.state_file(places))
        Supervisor(state, places.logs, Progress(quiet=True)).ensure(sleeper)
        what = "crossplane died while starting"
        raise ClusterError(what)
    assert not processes.alive(state.processes["sleeper"].identity)
    assert not places.state.exists()


def programs(root: Path) -> dict[str, Program]:
    """Return all twelve, as `up` with AWS=moto would start them."""
    places = Places(Places.find().repository, root / "state", root / "cache")
    started = Record(Identity(1, 1, ""), "", "")
    state = State(root / "state.json", defaultdict(lambda: 20_000), {"function": started, "moto": started})
    tools: defaultdict[str, Path] = defaultdict(lambda: root / "tool")
    return embedded.programs(Context(places, tools, state, Progress(quiet=True), places.kubeconfig))


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("PATH", "/usr/bin:/bin", "/opt/other/bin:/usr/bin:/bin"),
        ("TZ", "Asia/Tokyo", "America/New_York"),
        ("LANG", "C", "de_DE.UTF-8"),
        ("LC_ALL", "C", "de_DE.UTF-8"),
        ("TMPDIR", "/tmp", "/var/tmp"),  # noqa: S108
        ("SSL_CERT_FILE", "/etc/ssl/one.pem", "/etc/ssl/two.pem"),
        ("SSL_CERT_DIR", "/etc/ssl/one", "/etc/ssl/two"),
    ],
)
def test_no_program_is_started_again_for_the_shell_it_was_started_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, first: str, second: str
) -> None:
    found = []
    for value in (first, second):
        monkeypatch.setenv(name, value)
        found.append({program.name: program.fingerprint for program in programs(tmp_path).values()})
    monkeypatch.delenv(name)
    found.append({program.name: program.fingerprint for program in programs(tmp_path).values()})
    assert len(found[0]) == 13
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("program", "module"),
    [
        (moto.program, "moto_server"),
        (moto.program, "moto_mends"),
        (runtime.program, "runtime"),
        (runtime.program, "run"),
    ],
)
def test_what_runs_our_python_is_started_again_where_that_changed(
    tmp_path: Path, program: Callable[[Context], Program], module: str
) -> None:
    file = tmp_path / "cluster" / "tap_cluster" / f"{module}.py"
    file.parent.mkdir(parents=True)
    places = Places(tmp_path, tmp_path / "state", tmp_path / "cache")
    state = State(tmp_path / "state.json", defaultdict(lambda: 20_000))
    context = Context(places, {}, state, Progress(quiet=True), places.kubeconfig)
    found = set()
    for text in ("one = 1\n", "one = 2\n"):
        file.write_text(text)
        found.add(program(context).fingerprint)
    assert len(found) == 2


def test_a_program_is_started_again_for_what_we_chose(tmp_path: Path) -> None:
    etcd = programs(tmp_path)["etcd"]
    for env in ({**etcd.env, "TZ": "Asia/Tokyo"}, {**etcd.env, "KUBECONFIG": "/other"}):
        assert Program("etcd", etcd.argv, env, etcd.ready, etcd.inputs).fingerprint != etcd.fingerprint


def test_what_goes_on_running_has_a_small_fixed_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PATH", "TZ", "LANG", "LC_ALL", "TMPDIR", "KUBECONFIG", "HTTPS_PROXY", "GOFLAGS"):
        monkeypatch.setenv(name, "the user's own")
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ssl/company.pem")
    for program in programs(tmp_path).values():
        assert "the user's own" not in program.env.values()
        assert program.env["PATH"] == f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        assert (program.env["TZ"], program.env["LANG"]) == ("UTC", "C.UTF-8")
        assert program.env["SSL_CERT_FILE"] == "/etc/ssl/company.pem"


def test_temporary_files_are_private_and_below_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/somewhere/else")
    places = Places(tmp_path, tmp_path / "state", tmp_path / "cache")
    for env in (run.child_env(places), run.program_env(places)):
        folder = Path(env["TMPDIR"])
        assert folder.is_relative_to(tmp_path / "state")
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_command_keeps_what_it_needs_of_the_users_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PATH", "LANG", "SSL_CERT_FILE"):  # a kubeconfig may name a plugin on the path
        monkeypatch.setenv(name, f"my {name}")
    env = run.child_env(Places(tmp_path, tmp_path / "state", tmp_path / "cache"))
    assert [env[name] for name in ("PATH", "LANG", "SSL_CERT_FILE")] == ["my PATH", "my LANG", "my SSL_CERT_FILE"]


@pytest.mark.parametrize("command", ["up", "demo"])
def test_ctrl_c_says_what_goes_on_and_how_to_stop_it(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "ensure", (lambda *_, **__: None) if command == "demo" else interrupt)
    monkeypatch.setattr(demo, "run", interrupt)
    done = CliRunner().invoke(main.cli, [command, "--cluster", "embedded"])
    assert done.exit_code == 130
    assert done.output.strip() == "Interrupted. What was started goes on; `make down` stops it."


def test_a_shell_takes_whatever_folder_there_is_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "it's $HOME; & more"
    monkeypatch.setenv("TAP_STATE", str(folder))
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    said = CliRunner().invoke(main.cli, ["env", "--cluster", "embedded"]).output
    look = ["/bin/bash", "-c", f"""{said}printf '%s\\n' "$KUBECONFIG" "$PATH" """]
    assert run.run(look, env={"PATH": "/bin"}).splitlines() == [
        str(folder / "embedded" / "kubeconfig"),
        f"{folder}:/bin",
    ]


def test_advice_names_what_a_person_types(tmp_path: Path) -> None:
    places = Places(tmp_path, tmp_path / "state", tmp_path / "cache")
    assert status.rows(places) == [f"Nothing was started from {tmp_path / 'state' / 'embedded'}. `make up` starts it."]


def test_a_private_file_is_private_from_its_first_byte(tmp_path: Path) -> None:
    write_private(tmp_path / "deep" / "key", "secret")
    assert (tmp_path / "deep" / "key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["key"]


@pytest.mark.parametrize(
    ("chosen", "environ", "docker", "wanted"),
    [
        ("embedded", {"CLUSTER": "kind"}, True, "embedded"),
        (None, {"CLUSTER": "current"}, True, "current"),
        (None, {"CLUSTER": ""}, True, "kind"),
        (None, {}, False, "embedded"),
        ("auto", {"CLUSTER": "current"}, True, "kind"),
    ],
)
def test_which_cluster(
    monkeypatch: pytest.MonkeyPatch,
    chosen: str | None,
    environ: dict[str, str],
    docker: bool,  # noqa: FBT001
    wanted: str,
) -> None:
    monkeypatch.setattr(kind, "docker_answers", lambda: docker)
    assert api.resolve(chosen, environ) == wanted


def test_an_unknown_cluster_is_one_line() -> None:
    with pytest.raises(ClusterError, match=r"^CLUSTER=minikube is none of auto, embedded, kind, node, current$"):
        api.resolve(None, {"CLUSTER": "minikube"})


@pytest.mark.parametrize(
    ("said", "environ", "wanted"),
    [
        ("moto", {"AWS": "none"}, "moto"),
        (None, {"AWS": "moto"}, "moto"),
        (None, {"AWS": ""}, "none"),
        (None, {}, "none"),
    ],
)
def test_which_aws(said: str | None, environ: dict[str, str], wanted: str) -> None:
    assert Aws.chosen(said, environ) == wanted


def test_an_aws_that_make_leaves_empty_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(api, "ensure", lambda _cluster, *, aws: asked.append(aws))
    monkeypatch.setattr(demo, "run", lambda _cluster, aws: asked.append(aws))
    for env in ({"AWS": ""}, {"AWS": "moto"}):
        CliRunner(env=env).invoke(main.cli, ["demo", "--cluster", "embedded"], catch_exceptions=False)
    assert asked == ["none", Aws.NONE, "moto", Aws.MOTO]


def test_what_ends_while_the_demo_waits_is_started_again(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "_GLANCE", 0.05)
    ended = [["operator"]]
    typing = demo._Demo(api.Cluster(api.Kind.CURRENT, Path("none")))
    assert typing.type("sleep", "0.4", beside=lambda: ended.pop() if ended else []) == 0
    assert capfd.readouterr().err.count("operator had ended, and is started again") == 1


def test_an_aws_that_is_not_to_be_had_is_one_line() -> None:
    with pytest.raises(ClusterError, match=r"^AWS=localstack is none of none, moto$"):
        Aws.chosen(None, {"AWS": "localstack"})
    with pytest.raises(ClusterError, match=r"^AWS=moto needs the whole embedded cluster. Use CLUSTER=embedded, or"):
        api.ensure("current", aws="moto")
    with pytest.raises(ClusterError, match=r"^AWS=moto needs the whole embedded cluster"):
        api.ensure("embedded", aws="moto", control_plane_only=True)


def test_the_provider_is_built_for_moto_alone() -> None:
    assert (Aws.MOTO.recipes, Aws.NONE.recipes) == (("provider-monolith",), ())
    assert set(Aws.MOTO.recipes).isdisjoint((*recipes.EMBEDDED, *recipes.KIND))


def test_the_provider_reaches_moto_by_proxy_and_listens_on_loopback_alone(tmp_path: Path) -> None:
    provider = programs(tmp_path)["provider-aws"]
    assert provider.env["HTTP_PROXY"] == "http://127.0.0.1:20000"
    assert "HTTPS_PROXY" not in provider.env, "the apiserver is reached without one"
    assert [word for word in provider.argv if "address" in word or "addr" in word or "webhook" in word] == [
        "--webhook-port=0",
        "--metrics-bind-address=127.0.0.1:20000",
        "--health-probe-bind-addr=127.0.0.1:20000",
    ]


def test_an_unknown_tool_is_one_line() -> None:
    with pytest.raises(ClusterError, match=r"no recipe in cluster/tools makes terraform. Known are: kubectl, crane"):
        api.tool("terraform")


def test_a_current_cluster_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"CLUSTER=current, but .*gone is not there. Set KUBECONFIG"):
        current.kubeconfig({"KUBECONFIG": str(tmp_path / "gone")})
    (tmp_path / "config").touch()
    assert current.kubeconfig({"KUBECONFIG": f"{tmp_path / 'config'}:/other"}) == tmp_path / "config"


def test_a_failed_command_is_one_line_and_its_whole_output_is_kept() -> None:
    with pytest.raises(ClusterError, match=r"^sh .* failed: the end$") as caught:
        run.run(["sh", "-c", "echo first >&2; echo the end >&2; exit 3"])
    assert caught.value.output == "first\nthe end\n"


def test_a_command_that_hangs_is_one_line() -> None:
    with pytest.raises(ClusterError, match=r"sleep gave no answer within 0 s"):
        run.run(["sleep", "5"], timeout=0.1)


def test_an_error_shows_the_end_of_its_log_and_where_it_is(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("".join(f"row {n}\n" for n in range(100)))
    shown = str(ClusterError("etcd died", "Look", log=log)).splitlines()
    assert shown[0] == "etcd died. Look"
    assert str(log) in shown[1]
    assert shown[-1].strip() == "row 99"
    assert len(shown) == 14


def test_no_project_command_is_one_line_with_the_mend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(ClusterError, match=r"tap-operator is not beside .*Install this project"):
        services.script("tap-operator")


def test_no_traceback_reaches_a_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAP_STATE", str(tmp_path))
    monkeypatch.setattr(main, "cli", lambda: 1 / 0)
    with pytest.raises(SystemExit) as caught:
        main.main()
    said = capsys.readouterr().err
    assert caught.value.code == 1
    assert said.count("\n") == 1
    assert "a bug in tap_cluster (ZeroDivisionError: division by zero)" in said
    assert "Traceback" in (tmp_path / "embedded" / "logs" / "bug.log").read_text()


def test_every_command_has_a_line_of_help() -> None:
    said = CliRunner().invoke(main.cli, ["--help"]).output
    for command in ("up", "down", "status", "demo", "tool", "env", "package", "publish"):
        assert f"  {command} " in said
    assert "runtime" not in said


def test_a_certificate_serves_its_names_and_is_kept_while_it_fits(tmp_path: Path) -> None:
    authority = Authority.ensure(tmp_path / "ca", "test")
    leaf = Leaf("me", "group", ("localhost", "127.0.0.1"))
    folder = authority.issue(tmp_path / "leaf", leaf)
    first = (folder / "tls.crt").read_bytes()
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    assert Authority.ensure(tmp_path / "ca", "test").issue(folder, leaf)
    assert (folder / "tls.crt").read_bytes() == first
    subject = x509.load_pem_x509_certificate(first).subject.rfc4514_string()
    assert set(subject.split(",")) == {"CN=me", "O=group"}


@pytest.mark.parametrize("change", ["names", "user", "authority", "expiry"])
def test_a_certificate_that_no_longer_fits_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    authority = Authority.ensure(tmp_path / "ca", "test")
    leaf = Leaf("me", names=("localhost",))
    if change == "expiry":
        monkeypatch.setattr(pki, "LEAF_DAYS", pki.RENEW_BELOW_DAYS - 1)
    folder = authority.issue(tmp_path / "leaf", leaf)
    before = (folder / "tls.crt").read_bytes()
    monkeypatch.undo()
    if change == "names":
        leaf = Leaf("me", names=("localhost", "127.0.0.1"))
    elif change == "user":
        leaf = Leaf("you", names=("localhost",))
    elif change == "authority":
        authority = Authority.ensure(tmp_path / "other", "test")
    authority.issue(folder, leaf)
    assert (folder / "tls.crt").read_bytes() != before
    assert (folder / "ca.crt").read_bytes() == authority.pem


def test_an_absent_certificate_and_one_with_29_days_left_end_soon(tmp_path: Path) -> None:
    folder = Authority.ensure(tmp_path / "ca", "test").issue(tmp_path / "leaf", Leaf("me"))
    assert pki.expires_soon(tmp_path / "absent")
    end = x509.load_pem_x509_certificate((folder / "tls.crt").read_bytes()).not_valid_after_utc
    assert pki.expires_soon(folder / "tls.crt", end - datetime.timedelta(days=29))
    assert not pki.expires_soon(folder / "tls.crt", end - datetime.timedelta(days=31))


def test_a_digest_of_sources_sees_names_and_contents_but_no_bytecode(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    before = digest_files([tmp_path], "*.py")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.py").write_text("x")
    (tmp_path / "notes.txt").write_text("x")
    assert digest_files([tmp_path], "*.py") == before
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert digest_files([tmp_path], "*.py") != before
