"""`tap validate`: claims judged, every finding at once: files offline, or what a cluster has stored."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from tap_api import manifest
from tap_api.base import API_VERSION, GROUP, Json
from tap_api.errors import ManifestError
from tap_api.kinds import ENVIRONMENT_TAP, REGIONAL_TAP
from tap_api.policy import RULES, Organisation, Severity, Violation, evaluate, load
from tap_cli.claims import twice
from tap_cli.terminal import cluster_options, counted, echo_result, output_option

_STDIN = Path("-")
#: Of a claim that names none: names of AWS resources hold a digest of it, and their shape is the same.
_SOME_NAMESPACE = "default"
_PAGES = {rule.code: rule.page for rule in RULES}


@dataclass(frozen=True)
class _Finding:
    """What is wrong with a claim, or with a file that holds none: then `name` is empty, and `path` of `what` too.

    `file` is empty for what a cluster has stored; `name` then has its kind and namespace in front.
    """

    file: Path | None
    name: str
    what: Violation
    line: int = 0

    def __str__(self) -> str:
        if not self.name:
            return f"{self.file}:{self.line}: {self.what.message}" if self.line else f"{self.file}: {self.what.message}"
        path = f"{self.what.path}: " if self.what.path else ""
        warning = "warning: " if self.what.severity is Severity.WARNING else ""
        where = f"{self.file}:{self.line}:{path}" if self.file else f"{self.name}: {path}"
        return f"{where}{warning}{self.what.message} ({self.what.code})"

    def row(self) -> dict[str, object]:
        return {
            "severity": self.what.severity.value,
            "file": str(self.file) if self.file else None,
            "line": self.line or None,
            "name": self.name,
            "path": self.what.path,
            "code": self.what.code,
            "message": self.what.message,
            "page": _PAGES.get(self.what.code),
        }


EXAMPLES = (
    ("tap validate claims/*.yaml", "offline"),
    ("tap validate --policy policy.yaml -o json claims/prod.yaml", "in a job"),
    ("tap validate --cluster", "what is stored, by the rules of today"),
)
EXIT_CODES = {
    0: "nothing is wrong; warnings are nothing wrong",
    1: "something is wrong with a claim or a file, or an error",
    2: "the command line is not understood",
}


@click.command("validate")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--policy", type=click.Path(path_type=Path), help="File of your organisation's rules.")
@click.option("--cluster", "stored", is_flag=True, help="Judge what the cluster has stored, in place of files.")
@click.option("-n", "--namespace", help="With --cluster: this namespace alone.")
@cluster_options
@output_option("table", "json", "yaml", default="table")
def command(  # noqa: PLR0913  (options of a command line)
    *,
    files: tuple[Path, ...],
    policy: Path | None,
    stored: bool,
    namespace: str | None,
    kubeconfig: Path | None,
    context: str | None,
    output: str,
) -> int:
    """Judge the EnvironmentTaps and RegionalTaps in FILES by the schema and the policy, as admission does.

    What is found is told as file:line:field, all of it at once. Of a claim that nothing is wrong with, every resource
    that it composes is held against the schema of the provider too, as far as its values are known before AWS has made
    anything. No cluster and no network is needed. A file that is `-` is standard input. With --cluster, what is stored
    is judged again by the rules of today, and nothing is changed.
    """
    if stored == bool(files):
        message = "name files, or --cluster" if not files else "name files or --cluster, not both"
        raise click.UsageError(message)
    if not stored and (namespace or kubeconfig or context):
        message = "--namespace, --kubeconfig and --context go with --cluster"
        raise click.UsageError(message)
    organisation = load(policy) if policy else Organisation()
    if stored:
        documents = _stored(kubeconfig, context, namespace)
        found = [finding for document in documents for finding in _of_stored(document, organisation)]
        judged = counted(len(documents), "object")
    else:
        unique = dict.fromkeys(files)
        found = [finding for path in unique for finding in _judged(path, organisation)]
        judged = counted(len(unique), "file")
    return _print(found, judged, output)


def _print(found: list[_Finding], judged: str, output: str) -> int:
    problems = [finding for finding in found if finding.what.severity is Severity.ERROR]
    warnings = [finding for finding in found if finding.what.severity is Severity.WARNING]
    if output != "table":
        rows = [finding.row() for finding in (*problems, *warnings)]
        echo_result(output, findings=rows)
    else:
        for finding in (*problems, *warnings):
            click.echo(str(finding))
        counts = [judged, counted(len(problems), "problem")]
        click.echo(", ".join([*counts, *([counted(len(warnings), "warning")] if warnings else [])]))
    return 1 if problems else 0


def _stored(kubeconfig: Path | None, context: str | None, namespace: str | None) -> list[Json]:
    """Returns what people wrote: RegionalTaps of an EnvironmentTap are the operator's, and judged as that one is."""
    from tap_cli.cluster import Cluster

    cluster = Cluster(kubeconfig, context)
    alone = [tap for tap in cluster.regions(namespace) if not tap["metadata"].get("ownerReferences")]
    return [*cluster.environments(namespace), *alone]


def _of_stored(document: Json, organisation: Organisation) -> Iterator[_Finding]:
    meta = document["metadata"]
    name = f"{document['kind']} {meta['namespace']}/{meta['name']}"
    found = evaluate(document["kind"], document, organisation=organisation)
    yield from map(partial(_Finding, None, name), found)


def _judged(path: Path, organisation: Organisation) -> Iterator[_Finding]:
    """Yields what is wrong with a file; where its YAML breaks off, after what is wrong with the claims before that."""
    file, stdin = (Path("<stdin>"), sys.stdin.buffer) if path == _STDIN else (path, None)
    seen = set[tuple[str, str, str]]()
    try:
        for document, lines in manifest.located(manifest.text_of(file, stdin), file):
            for finding in (*_again(file, document, seen), *_of_claim(file, document, organisation)):
                yield replace(finding, line=lines.of(finding.what.path))
    except ManifestError as error:
        where = f"{file}:{error.line}: " if error.line else f"{file}: "
        yield _Finding(file, "", Violation("", "Manifest", str(error).removeprefix(where)), line=error.line)
        return
    if not seen:
        yield _Finding(file, "", Violation("", "Empty", "holds no claim"))


def _again(file: Path, document: Json, seen: set[tuple[str, str, str]]) -> Iterator[_Finding]:
    """Yields what is to be said of a claim that stands in its file already, and adds it to those that do."""
    kind, meta = document["kind"], document["metadata"]
    key = (kind, str(meta.get("namespace", "")), meta["name"])
    if key in seen:
        yield _Finding(file, meta["name"], Violation("metadata.name", "Manifest", twice(kind, meta["name"], file)))
    seen.add(key)


def _of_claim(file: Path, document: Json, organisation: Organisation) -> Iterator[_Finding]:
    version, kind, name = document["apiVersion"], document["kind"], document["metadata"]["name"]
    if version != API_VERSION or kind not in (ENVIRONMENT_TAP.kind, REGIONAL_TAP.kind):
        expected = f"{API_VERSION} {ENVIRONMENT_TAP.kind} or {REGIONAL_TAP.kind}"
        message = f"{version} {kind} is not judged here; expected {expected}"
        yield _Finding(file, name, Violation("kind", "Kind", message))
        return
    found = evaluate(kind, document, organisation=organisation)
    yield from map(partial(_Finding, file, name), found)
    if not any(violation.severity is Severity.ERROR for violation in found):
        yield from map(partial(_Finding, file, name), _composed(document))


def _composed(claim: Json) -> Iterator[Violation]:
    """Yields what the provider would refuse of what a claim composes, from nothing."""
    from tap_stack.conform import conforms
    from tap_stack.plan import State, rendered
    from tap_stack.subject import RefusedError

    placed = {**claim, "metadata": {"namespace": _SOME_NAMESPACE, **claim["metadata"]}}
    try:
        for item in rendered(placed, State()):
            if item.manifest["apiVersion"].partition("/")[0] != GROUP:
                resource = f"{item.manifest['kind']} {item.manifest['metadata']['name']}"
                for path, message in conforms(item.manifest):
                    yield Violation("spec", "Composed", f"{item.region}: {resource}: {path} {message}")
    except RefusedError as error:  # What only shows once the preset has filled the gaps.
        yield from error.violations
