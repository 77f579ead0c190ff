"""`tap validate`: claims judged offline, every finding at once."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from tap_api import manifest
from tap_api.base import API_VERSION, Json
from tap_api.errors import ManifestError
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP
from tap_api.policy import Violation, advise, judge

_STDIN = Path("-")


@dataclass(frozen=True)
class _Finding:
    """What is wrong with a claim, or with a file that holds none: then `name` is empty, and `path` of `what` too."""

    file: Path
    name: str
    what: Violation
    severity: str = "error"
    line: int = 0

    def __str__(self) -> str:
        if not self.name:
            return f"{self.file}:{self.line}: {self.what.message}" if self.line else f"{self.file}: {self.what.message}"
        return f"{self.file}: {self.name}: {'warning: ' if self.severity == 'warning' else ''}{self.what}"

    def row(self) -> dict[str, object]:
        return {
            "severity": self.severity,
            "file": str(self.file),
            "line": self.line or None,
            "name": self.name,
            "path": self.what.path,
            "code": self.what.code,
            "message": self.what.message,
        }


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="How to print findings.")
def command(*, files: tuple[Path, ...], output: str) -> int:
    """Judge the EnvironmentTaps and RegionalTaps in FILES by the schema and the policy, as admission does.

    A file that is `-` is standard input.
    """
    found = [finding for path in dict.fromkeys(files) for finding in _judged(path)]
    problems = [finding for finding in found if finding.severity == "error"]
    warnings = [finding for finding in found if finding.severity == "warning"]
    if output == "json":
        click.echo(json.dumps([finding.row() for finding in (*problems, *warnings)], indent=2))
    else:
        for finding in (*problems, *warnings):
            click.echo(str(finding))
        counts = [_count(len(set(files)), "file"), _count(len(problems), "problem")]
        click.echo(", ".join([*counts, *([_count(len(warnings), "warning")] if warnings else [])]))
    return 1 if problems else 0


def _judged(path: Path) -> Iterator[_Finding]:
    """Yields what is wrong with a file; where its YAML breaks off, after what is wrong with the claims before that."""
    file, stdin = (Path("<stdin>"), sys.stdin.buffer) if path == _STDIN else (path, None)
    empty = True
    try:
        for document in manifest.load(manifest.text_of(file, stdin), file):
            empty = False
            yield from _of_claim(file, document)
    except ManifestError as error:
        where = f"{file}:{error.line}: " if error.line else f"{file}: "
        yield _Finding(file, "", Violation("", "Manifest", str(error).removeprefix(where)), line=error.line)
        return
    if empty:
        yield _Finding(file, "", Violation("", "Empty", "holds no claim"))


def _of_claim(file: Path, document: Json) -> Iterator[_Finding]:
    version, kind, name = document["apiVersion"], document["kind"], document["metadata"]["name"]
    if version != API_VERSION or kind not in (ENVIRONMENT_TAP.kind, REGIONAL_TAP.kind):
        expected = f"{API_VERSION} {ENVIRONMENT_TAP.kind} or {REGIONAL_TAP.kind}"
        message = f"{version} {kind} is not judged here; expected {expected}"
        yield _Finding(file, name, Violation("kind", "Kind", message))
        return
    yield from (_Finding(file, name, violation) for violation in judge(kind, document))
    yield from (_Finding(file, name, violation, "warning") for violation in advise(kind, document))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
