"""The verbs that need no cluster: what they take, what they refuse, and how they end."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import jsonschema_rs
import pytest
import yaml
from click.testing import CliRunner

from tap_api import manifest
from tap_api.base import Json
from tap_api.kinds import ENVIRONMENT_TAP, EnvironmentTapSpec
from tap_api.policy import advise, judge
from tap_api.presets import resolve
from tap_cli import reference
from tap_cli.main import VERBS, cli, exit_codes, run, verb

ROOT = Path(__file__).parents[3]
PRESETS = ("dev", "staging", "prod")
CLAIM = ROOT / "claims" / "dev.yaml"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Tap = Callable[..., Done]


@pytest.fixture
def tap(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tap:
    """Runs `tap` as its entry point does, in this process: a Python of its own for each would take its second."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("TAP_PLAN_AGAINST", raising=False)
    monkeypatch.delenv("KUBECONFIG", raising=False)

    def ran(*args: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = run(partial(cli, list(args), prog_name="tap"))
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return ran


def written(*args: str) -> str:
    done = CliRunner().invoke(cli, ["init", *args])
    assert done.exit_code == 0, done.output
    return done.stdout


def claim_of(text: str) -> Json:
    (claim,) = manifest.load(text, Path("claim"))
    return claim


@pytest.mark.parametrize("preset", PRESETS)
def test_a_claim_of_every_preset_is_valid_at_once(preset: str) -> None:
    claim = claim_of(written("-e", preset))
    assert judge(ENVIRONMENT_TAP.kind, claim) == []
    assert advise(ENVIRONMENT_TAP.kind, claim) == []
    assert (claim["metadata"], claim["spec"]["environment"]) == ({"name": preset, "namespace": f"tap-{preset}"}, preset)


@pytest.mark.parametrize("preset", PRESETS)
def test_what_a_claim_offers_in_comments_is_what_the_preset_says(preset: str) -> None:
    text = written("-e", preset)
    head, offer, rest = text.partition("take away the # of what you want to choose yourself.\n")
    assert offer
    claim = claim_of(head + "\n" + re.sub(r"^  # ", "  ", rest, flags=re.MULTILINE))
    assert judge(ENVIRONMENT_TAP.kind, claim) == []
    plain = claim_of(text)
    assert set(claim["spec"]) > set(plain["spec"])
    assert resolve(EnvironmentTapSpec.parse(claim["spec"])) == resolve(EnvironmentTapSpec.parse(plain["spec"]))


def test_a_claim_says_what_the_options_say() -> None:
    options = "-e staging --name lab -n team -r eu-west-1=10.8.0.0/16 -r us-east-1=10.9.0.0/16 --primary us-east-1"
    claim = claim_of(written(*options.split(), "-t", "CostCenter=a:b=c", "-t", "Team=on"))
    assert claim["metadata"] == {"name": "lab", "namespace": "team"}
    assert claim["spec"] == {
        "environment": "staging",
        "primaryRegion": "us-east-1",
        "tags": {"CostCenter": "a:b=c", "Team": "on"},
        "regions": [{"name": "eu-west-1", "cidr": "10.8.0.0/16"}, {"name": "us-east-1", "cidr": "10.9.0.0/16"}],
    }


def test_a_file_is_overwritten_on_purpose_only(tap: Tap, tmp_path: Path) -> None:
    file = tmp_path / "claim.yaml"
    assert tap("init", "-o", str(file)).stderr == f"{file} is written; next: tap plan {file}\n"
    file.write_text("mine")
    again = tap("init", "-o", str(file))
    said = f"error: {file}: is there already; take another name, or --force to overwrite it\n"
    assert (again.returncode, again.stderr, file.read_text()) == (1, said, "mine")
    assert tap("init", "-o", str(file), "--force").returncode == 0
    assert claim_of(file.read_text())["kind"] == "EnvironmentTap"


TROUBLE: dict[str, tuple[list[str], int, str]] = {
    "no file": (["plan", "gone.yaml"], 1, "error: gone.yaml: cannot be read: No such file or directory"),
    "a folder": (["plan", "claims"], 1, "error: claims: is a directory; name the files in it"),
    "bad YAML": (["render", "{bad}"], 1, "bad.yaml:2: not YAML: "),
    "no claim": (["plan", "{empty}"], 1, "empty.yaml: holds no claim; `tap init` writes one"),
    "another kind": (["plan", "charts/operator/values.yaml"], 1, "not a manifest: apiVersion is missing"),
    "another known kind": (
        ["render", "compositions/activation-policy.yaml"],
        1,
        "ManagedResourceActivationPolicy is no claim",
    ),
    "no spec": (["plan", "{bare}"], 1, "bare.yaml: EnvironmentTap dev: spec is missing; see `tap init`"),
    "refused": (
        ["render", "claims/refused/host-bits.yaml"],
        1,
        "spec.regions[0].cidr: '10.0.0.1/16' is an address inside",
    ),
    "refused plan": (["plan", "claims/refused/host-bits.yaml"], 1, "Refused; nothing would be changed"),
    "no folder": (
        ["plan", "claims/dev.yaml", "--against", "gone"],
        1,
        "error: gone: no such folder; save what there is",
    ),
    "an empty folder": (["render", "claims/dev.yaml", "--observed", "{void}"], 1, "void: holds no file that ends in"),
    "no region": (
        ["plan", "claims/dev.yaml", "-r", "mars"],
        1,
        "'mars' is no region of dev; its regions are us-east-1,",
    ),
    "no region to render": (["render", "claims/dev.yaml", "-r", "mars"], 2, "'mars' is no region of what is rendered"),
    "no part": (["render", "claims/dev.yaml", "-p", "mars"], 2, "'mars' is not one of 'key', 'network'"),
    "no cluster": (
        ["plan", "claims/dev.yaml", "--against", "cluster", "--kubeconfig", "/nonexistent"],
        1,
        "error: no kubeconfig that can be used",
    ),
    "no cluster for outputs": (
        ["outputs", "prod", "--kubeconfig", "/nonexistent"],
        1,
        "error: no kubeconfig that can be used",
    ),
    "no name": (["outputs"], 2, "Missing argument 'NAME'"),
    "no files": (["plan"], 1, "Missing argument 'FILES...'"),
    "no such option": (["plan", "--regoin", "x"], 1, "Did you mean '--region'?"),
    "a misspelt verb": (["plam"], 2, "No such command 'plam'. Did you mean 'plan'?"),
    "no such shell": (["completion", "csh"], 2, "'csh' is not one of 'bash', 'zsh', 'fish'"),
    "no such preset": (["init", "-e", "qa"], 2, "'qa' is not one of 'dev', 'staging', 'prod'"),
    "no pair": (
        ["init", "-r", "us-east-1"],
        2,
        "'us-east-1' is not of the form REGION=CIDR, such as us-east-1=10.0.0.0/16",
    ),
    "no value": (["init", "-t", "CostCenter="], 2, "'CostCenter=' is not of the form KEY=VALUE"),
    "twice": (["init", "-t", "a=1", "-t", "a=2"], 2, "'a' is given twice; give it once"),
    "no cost center": (["init", "-t", "a=1"], 1, "- spec.tags.CostCenter: is required on every AWS resource"),
    "host bits": (
        ["init", "-r", "us-east-1=10.0.0.1/16"],
        1,
        "- spec.regions[0].cidr: '10.0.0.1/16' is an address inside 10.0.0.0/16",
    ),
    "no such primary": (
        ["init", "--primary", "us-west-2"],
        1,
        "- spec.primaryRegion: 'us-west-2' is not one of spec.regions",
    ),
    "a long name": (["init", "--name", "x" * 30], 1, "- metadata.name: 30 characters; use at most 24"),
    "no place": (["init", "-o", "/proc/claim.yaml"], 1, "error: /proc/claim.yaml: cannot be written:"),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_bad_input_gets_one_clear_message_and_its_exit_code(tap: Tap, name: str, tmp_path: Path) -> None:
    args, code, message = TROUBLE[name]
    (tmp_path / "bad.yaml").write_text("a: [")
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    (tmp_path / "bare.yaml").write_text(
        "apiVersion: tap.platform/v1alpha1\nkind: EnvironmentTap\nmetadata: {name: dev}\n"
    )
    (tmp_path / "void").mkdir()
    places = {name: str(tmp_path / f"{name}.yaml") for name in ("bad", "empty", "bare")} | {
        "void": str(tmp_path / "void")
    }
    result = tap(*(arg.format(**places) if arg.startswith("{") else arg for arg in args))
    assert result.returncode == code, result.stdout + result.stderr
    assert message in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_a_plan_ends_in_two_where_something_changes_and_in_zero_where_nothing_does(tap: Tap, tmp_path: Path) -> None:
    assert tap("plan", str(CLAIM)).returncode == 2
    (tmp_path / "claim.yaml").write_text(CLAIM.read_text())
    # Of the claim alone: its regions are still to be made.
    assert tap("plan", str(CLAIM), "--against", str(tmp_path)).returncode == 2


def test_the_json_of_a_plan_is_as_documented(tap: Tap) -> None:
    schema = json.loads((ROOT / "docs/reference/plan.schema.json").read_text())
    validator = jsonschema_rs.Draft202012Validator(schema)
    golden = (ROOT / "tests/golden/verbs/plan-small-json.txt").read_text().partition("\nexit code")[0]
    created = tap("plan", str(CLAIM), "claims/refused/host-bits.yaml", "-o", "json")
    assert created.returncode == 1
    for text in (created.stdout, golden):
        assert [str(error) for error in validator.iter_errors(json.loads(text))] == []
    assert not validator.is_valid({**json.loads(golden), "more": 1})


def test_yaml_and_json_say_the_same(tap: Tap) -> None:
    made = tap("plan", str(CLAIM), "-o", "json"), tap("plan", str(CLAIM), "-o", "yaml")
    assert json.loads(made[0].stdout) == yaml.safe_load(made[1].stdout)
    listed = json.loads(tap("render", str(CLAIM), "-o", "json").stdout)
    assert listed["items"] == list(manifest.load(tap("render", str(CLAIM)).stdout, Path("out")))


def test_what_is_rendered_says_what_it_left_out(tap: Tap) -> None:
    done = tap("render", str(CLAIM), "-r", "us-east-1", "-p", "sessions")
    assert [item["kind"] for item in manifest.load(done.stdout, Path("out"))] == ["RegionalSessions"]
    assert done.stderr == "1 resource waits for what AWS has not made yet; see `tap plan`\n"


def test_a_claim_from_a_pipe_is_planned_too(tap: Tap) -> None:
    done = tap("plan", "-", "-n", "tap-lab", stdin=CLAIM.read_text().replace("  namespace: tap-dev\n", ""))
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        2,
        "EnvironmentTap tap-lab/dev, as if nothing of it were there",
    )


def test_markdown_that_is_too_long_for_a_comment_is_cut_where_it_says_so(tap: Tap) -> None:
    text = tap("plan", "claims/prod.yaml", "-o", "markdown").stdout
    assert len(text) < 65_536
    assert text.count("```") % 2 == 0
    assert text.count("<details>") == text.count("</details>")


@pytest.mark.parametrize("name", VERBS)
def test_the_help_of_a_verb_ends_in_its_exit_codes(name: str) -> None:
    text = " ".join(CliRunner().invoke(cli, [name, "--help"]).output.split())
    for code, words in exit_codes(name).items():
        assert f"{code} {words}" in text


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("kubernetes", "the Kubernetes client; run `pip install '.[cli]'` in the checkout"),
        ("boto3", "boto3; run `pip install '.[s3]'` in the checkout"),
    ],
)
def test_what_is_not_installed_is_asked_for_from_the_checkout_and_from_no_registry(
    capsys: pytest.CaptureFixture[str], module: str, said: str
) -> None:
    def lacking(**_: object) -> None:
        raise ModuleNotFoundError(name=module)

    assert run(lacking) == 1
    assert capsys.readouterr().err == f"error: this needs {said}\n"


@pytest.mark.parametrize("name", VERBS)
def test_the_reference_of_a_verb_lists_every_flag_and_no_empty_table(name: str) -> None:
    text = "\n".join(reference._verb(name))
    options = [option for option in verb(name).params if isinstance(option, click.Option)]
    told = re.findall(r"^\| `(-[^`]*)` \|", text, flags=re.MULTILINE)
    flags = [[flag for flag in re.split(r", | / | ", line) if flag.startswith("-")] for line in told]
    assert flags == [[*option.opts, *option.secondary_opts] for option in options]
    assert "|---|---|\n\n" not in text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_verbs_and_options(tap: Tap, shell: str) -> None:
    script = tap("completion", shell)
    assert (script.returncode, "_TAP_COMPLETE" in script.stdout) == (0, True)


def test_a_shell_is_told_the_verbs_and_the_values_of_options() -> None:
    for words, number, found in (("tap pl", "1", "plan"), ("tap init --environment ", "3", "staging")):
        env = {**os.environ, "_TAP_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": number}
        command = [str(Path(sys.executable).with_name("tap"))]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert found in done.stdout


def test_no_offline_verb_imports_what_only_a_cluster_or_a_tree_needs() -> None:
    script = (
        "import sys\nfrom tap_cli.main import cli\n"
        "cli(['plan', 'claims/prod.yaml'], standalone_mode=False)\n"
        "print(*sorted({'kubernetes', 'rich', 'grpc', 'kopf', 'asyncio'} & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_every_verb_that_reads_takes_an_output_format() -> None:
    formats = {
        name: option.type.choices  # type: ignore[attr-defined]
        for name in ("plan", "render", "status", "outputs", "validate")
        for option in verb(name).params
        if option.name == "output"
    }
    assert formats["plan"] == ("table", "json", "yaml", "markdown")
    assert formats["outputs"] == ("table", "json", "yaml", "env", "github")
    assert all("json" in choices for choices in formats.values())
    assert len(formats) == 5


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"metadata": {"name": "dev", "ownerReferences": "x"}}, "metadata.ownerReferences"),
        ({"metadata": {"name": "dev", "ownerReferences": [None]}}, "metadata.ownerReferences"),
        ({"metadata": {"name": "dev", "managedFields": [1]}}, "metadata.managedFields"),
        ({"metadata": {"name": "dev", "labels": []}}, None),
        ({"metadata": {"name": "dev", "annotations": "x"}}, "metadata.annotations"),
        ({"status": "x"}, "status"),
        ({"status": {"outputs": {"tableName": 1}}}, "status.outputs"),
    ],
)
@pytest.mark.parametrize("verb", [("plan", "--against"), ("render", "--observed")])
def test_a_saved_object_that_no_apiserver_gave_is_named(
    tap: Tap, verb: tuple[str, str], broken: Json, field: str | None, tmp_path: Path
) -> None:
    head = {"apiVersion": "tap.platform/v1alpha1", "kind": "RegionalTap", "metadata": {"name": "dev"}, "spec": {}}
    (tmp_path / "a.json").write_text(json.dumps({**head, **broken}))
    done = tap(verb[0], str(CLAIM), verb[1], str(tmp_path))
    said = f"error: {tmp_path}/a.json: RegionalTap dev: {field} is not as kubectl writes it; save it again\n"
    assert (done.returncode, done.stderr) == (1, said) if field else done.returncode in (0, 2)
