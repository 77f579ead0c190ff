"""`tap doctor`: what is wrong with an installation, and what mends it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from tap_api.base import Json
from tap_cli.doctor.finding import Finding, Verdict
from tap_cli.terminal import (
    Line,
    cluster_options,
    color_option,
    columns,
    echo,
    echo_result,
    formatted,
    output_option,
    styled,
)

EXAMPLES = (("tap doctor", "reading rights are enough"), ("tap doctor -o json", "in a job"))
EXIT_CODES = {
    0: "no problem was found; warnings are none",
    1: "a problem was found, or the cluster does not answer",
    2: "the command line is not understood",
}
_SIGNS = {
    Verdict.OK: ("ok", "green"),
    Verdict.WARNING: ("warn", "yellow"),
    Verdict.PROBLEM: ("FAIL", "red"),
    Verdict.SKIPPED: ("skip", "cyan"),
}


@click.command("doctor")
@click.option(
    "-n", "--namespace", default="default", show_default=True, help="Where a dry run tries whether the webhook answers."
)
@output_option("table", "json", "yaml", default="table")
@color_option()
@cluster_options
def command(*, namespace: str, output: str, no_color: bool, kubeconfig: Path | None, context: str | None) -> int:
    """Look at an installation from end to end, and say for each finding what mends it.

    The cluster's version, Crossplane's and its flags, the provider's kinds and their activation, XRDs, Compositions
    and function, admission with its certificates, the operator, the credentials of each environment, and versions.
    Nothing is written; a check that you have no right for names the right (ClusterRole `tap-doctor` has them all but
    Secrets).
    """
    from tap_cli.doctor.checks import examine
    from tap_cli.doctor.reader import read
    from tap_cli.raw import RawCluster

    findings = examine(read(RawCluster(kubeconfig, context), namespace))
    if output == "table":
        echo(formatted(lines(findings), columns()), no_color=no_color)
    else:
        echo_result(output, findings=[_row(finding) for finding in findings])
    return 1 if any(finding.verdict is Verdict.PROBLEM for finding in findings) else 0


def lines(findings: Sequence[Finding]) -> Iterator[Line]:
    """Yields findings as lines that people read, what mends each below it, and a line that sums them up."""
    wide = max((len(finding.check) for finding in findings), default=0)
    for finding in findings:
        sign, color = _SIGNS[finding.verdict]
        yield styled(f"{sign.ljust(4)}  {finding.check.ljust(wide)}  {finding.text}", hang=wide + 8, fg=color)
        if finding.mend and finding.verdict is not Verdict.OK:
            yield Line(f"-> {finding.mend}", wide + 8, 3)
    counts = {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
    words = {Verdict.OK: "ok", Verdict.WARNING: "to look at", Verdict.PROBLEM: "to mend", Verdict.SKIPPED: "not seen"}
    yield styled(", ".join(f"{counts[verdict]} {words[verdict]}" for verdict in words), bold=True)


def _row(finding: Finding) -> Json:
    return {
        "check": finding.check,
        "verdict": finding.verdict.value,
        "text": finding.text,
        **({"mend": finding.mend} if finding.mend else {}),
    }
