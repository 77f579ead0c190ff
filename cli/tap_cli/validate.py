"""`tap validate`: claims judged offline, every finding at once."""

import json
from pathlib import Path

import click

from tap_api import manifest
from tap_api.base import API_VERSION
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP
from tap_api.policy import Violation, advise, judge


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="How to print findings.")
def command(*, files: tuple[Path, ...], output: str) -> int:
    """Judge the EnvironmentTaps and RegionalTaps in FILES by the schema and the policy, as admission does."""
    findings = [(path, *finding) for path in files for finding in _findings(path)]
    advice = [(path, *finding) for path in files for finding in _advice(path)]
    if output == "json":
        rows = [_row(*finding, severity="error") for finding in findings]
        click.echo(json.dumps([*rows, *(_row(*finding, severity="warning") for finding in advice)], indent=2))
    else:
        for path, name, violation in findings:
            click.echo(f"{path}: {name}: {violation}")
        for path, name, violation in advice:
            click.echo(f"{path}: {name}: warning: {violation}")
        warnings = f", {len(advice)} warnings" if advice else ""
        click.echo(f"{len(files)} files, {len(findings)} problems{warnings}")
    return 1 if findings else 0


def _findings(path: Path) -> list[tuple[str, Violation]]:
    found: list[tuple[str, Violation]] = []
    for document in manifest.read(path):
        kind, name = document["kind"], document["metadata"]["name"]
        if document["apiVersion"] == API_VERSION and kind in (ENVIRONMENT_TAP.kind, REGIONAL_TAP.kind):
            found += [(name, violation) for violation in judge(kind, document)]
        else:
            expected = f"{API_VERSION} {ENVIRONMENT_TAP.kind} or {REGIONAL_TAP.kind}"
            message = f"{document['apiVersion']} {kind} is not judged here; expected {expected}"
            found.append((name, Violation("kind", "Kind", message)))
    return found


def _advice(path: Path) -> list[tuple[str, Violation]]:
    documents = (document for document in manifest.read(path) if document["apiVersion"] == API_VERSION)
    return [
        (document["metadata"]["name"], violation)
        for document in documents
        if document["kind"] in (ENVIRONMENT_TAP.kind, REGIONAL_TAP.kind)
        for violation in advise(document["kind"], document)
    ]


def _row(path: Path, name: str, violation: Violation, *, severity: str) -> dict[str, str]:
    return {
        "severity": severity,
        "file": str(path),
        "name": name,
        "path": violation.path,
        "code": violation.code,
        "message": violation.message,
    }
