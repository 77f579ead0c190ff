import base64
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from golden.world import Environment, claims
from tap_api import emit as api
from tap_api import manifest
from tap_api.kinds import XRS
from tap_api.schema import xrd
from tap_stack import aws, emit, packages
from tap_stack.catalogue import catalogue
from tap_stack.processor import code

ROOT = Path(__file__).resolve().parents[3]


def test_the_files_of_this_checkout_are_fresh() -> None:
    api.check(emit.files(), ROOT)


def test_each_xrd_has_the_composition_that_it_names() -> None:
    named = [xrd(kind)["spec"]["defaultCompositionRef"]["name"] for kind in XRS]
    assert [emit.composition(kind)["metadata"]["name"] for kind in XRS] == named


def test_a_composition_has_one_step_and_decides_nothing() -> None:
    assert {json.dumps(emit.composition(kind)["spec"]["pipeline"]) for kind in XRS} == {
        '[{"step": "compose", "functionRef": {"name": "function-tap"}}]'
    }


def test_the_package_carries_the_name_that_compositions_ask_for() -> None:
    (package,) = manifest.read(ROOT / "functions" / "package" / "crossplane.yaml")
    assert package["metadata"]["name"] == packages.FUNCTION
    assert package["spec"]["crossplane"]["version"] == packages.CROSSPLANE


def test_the_configuration_asks_for_the_function_of_its_registry_and_for_every_provider() -> None:
    wanted = packages.configuration("registry.example.org/acme", "v0.3.1")
    assert wanted["spec"]["crossplane"] == {"version": ">=v2.4.0"}
    function, *providers = wanted["spec"]["dependsOn"]
    assert function == {
        "apiVersion": "pkg.crossplane.io/v1",
        "kind": "Function",
        "package": "registry.example.org/acme/function-tap",
        "version": ">=v0.3.1, <v0.4.0",
    }
    assert providers == packages.provider_dependencies()
    assert {kind.service for kind in aws.KINDS} == {
        entry["package"].rpartition("/provider-aws-")[2] for entry in providers[1:]
    }


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("v0.1.0", ">=v0.1.0, <v0.2.0"),
        ("v0.9.12", ">=v0.9.12, <v0.10.0"),
        ("v1.0.0", ">=v1.0.0, <v2.0.0"),
        ("v12.3.4", ">=v12.3.4, <v13.0.0"),
    ],
)
def test_what_goes_with_a_version_is_what_semver_says(version: str, wanted: str) -> None:
    assert packages.compatible(version) == wanted


@pytest.mark.parametrize("version", ["0.1.0", "v0.1", "latest", "v1.0.0-rc.1", ""])
def test_no_range_is_made_of_what_is_no_version(version: str) -> None:
    with pytest.raises(ValueError, match="no version such as"):
        packages.compatible(version)


def test_the_chart_of_the_platform_has_the_activation_policy_and_the_providers_that_are_generated() -> None:
    made = {path.name: text for path, text in emit.files().items() if path.is_relative_to(emit.PLATFORM)}
    assert sorted(made) == ["activation-policy.yaml", "providers.yaml"]
    assert list(manifest.load(made["activation-policy.yaml"], ROOT)) == [emit.activation_policy()]
    assert made["providers.yaml"] == manifest.dump([packages.for_chart()], header=manifest.GENERATED)


def test_the_kinds_that_are_known_are_the_kinds_that_are_composed_and_activated() -> None:
    chosen = {
        "monitoring": {
            "subscriptions": [{"protocol": "email", "endpoint": "sre@example.com"}],
            "trail": "Create",
        },
        "api": {"authorization": "JWT", "jwt": {"issuer": "https://id.example.com", "audience": ["tap"]}},
    }
    composed = {
        (item.manifest["apiVersion"], item.manifest["kind"])
        for claim in claims()
        for turned in Environment(claim, **chosen).settle().values()
        for _, result in turned
        for item in result.resources
        if "forProvider" in item.manifest["spec"]
    }
    assert {(kind.entry.api_version, kind.kind) for kind in aws.KINDS} == composed
    assert {entry.crd for entry in catalogue().values()} == set(emit.activation_policy()["spec"]["activate"])
    assert emit.is_current()


def test_a_catalogue_without_a_kind_that_is_composed_is_refused() -> None:
    with pytest.raises(emit.CatalogueError, match=r"^no CRD of .*cloudwatchlogs\.Group, .*; give the folder"):
        emit.catalogue_file([])


def test_the_zip_of_the_processor_is_fresh_small_and_runs_what_is_composed() -> None:
    package = ROOT / "functions" / "processor"
    sources = {path.relative_to(package.parent).as_posix(): path.read_bytes() for path in package.rglob("*.py")}
    api.check(emit.code_file(sources), ROOT)
    archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(code.shipped().content)))
    module, _, function = code.HANDLER.rpartition(".")
    assert f"def {function}(" in archive.read(f"{module.replace('.', '/')}.py").decode()
    assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert archive.namelist() == sorted(sources)


def test_the_zip_is_whole_for_an_interpreter_that_knows_nothing_else_of_this_project(tmp_path: Path) -> None:
    archive = tmp_path / "code.zip"
    archive.write_bytes(base64.b64decode(code.shipped().content))
    module, _, function = code.HANDLER.rpartition(".")
    program = (
        "import importlib, sys; sys.path[:] = [entry for entry in sys.path if not entry.startswith(sys.argv[2])];"
        f"sys.path.insert(0, sys.argv[1]); handler = importlib.import_module('{module}').{function};"
        "print(handler.__code__.co_filename)"
    )
    command = [sys.executable, "-I", "-c", program, str(archive), str(ROOT / "functions")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == f"{archive}/{module.replace('.', '/')}.py\n"
