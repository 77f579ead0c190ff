"""`tap outputs`: what applications need to know of an environment."""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from tap_api.base import Json
from tap_api.errors import TapError
from tap_api.naming import digest
from tap_cli.choose import no_region, the_one
from tap_cli.terminal import cluster_options, color_option, echo, echo_data, output_option

#: Region -> output -> value.
Outputs = Mapping[str, Mapping[str, str]]
EXAMPLES = (
    ('eval "$(tap outputs prod --region us-east-1 -o env)"', ""),
    ("tap outputs prod -o github", "in a step of a job"),
)
EXIT_CODES = {
    0: "the outputs are printed",
    1: "an error, or an environment or region without outputs",
    2: "the command line is not understood",
}


@click.command("outputs")
@click.argument("name")
@click.option("-r", "--region", "regions", multiple=True, metavar="REGION", help="Only this region; may be repeated.")
@click.option("-n", "--namespace", help="Namespace of the environment.  [default: all]")
@output_option("table", "json", "yaml", "env", "github", default="table")
@color_option()
@cluster_options
def command(  # noqa: PLR0913  (one for each option)
    *,
    name: str,
    regions: tuple[str, ...],
    namespace: str | None,
    output: str,
    no_color: bool,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Print the outputs of the environment NAME: ids, names, ARNs and endpoints, by region. None is a secret.

    With `-o env` each is a line of shell, such as US_EAST_1_BUCKET_NAME=…; with `-o github` they are written for the
    later steps of a job (to the file GITHUB_OUTPUT where it is set), such as us-east-1-bucketName=….
    """
    from tap_cli.cluster import Cluster

    known = told(the_one(Cluster(kubeconfig, context).environments(namespace), name, namespace), regions)
    if output in ("json", "yaml"):
        echo_data(output, {region: dict(values) for region, values in known.items()})
    elif output == "env":
        click.echo("\n".join(shell(known)))
    elif output == "github":
        _to_github("\n".join(github(known)))
    else:
        echo("\n".join(table(known)), no_color=no_color)


def told(environment: Json, regions: Sequence[str] = ()) -> Outputs:
    """Returns the outputs in the status of an environment, by region.

    Raises:
        TapError: a region is none of the environment, or has no output yet.
    """
    name = environment["metadata"]["name"]
    names = [region["name"] for region in environment["spec"]["regions"]]
    for region in regions:
        if region not in names:
            raise TapError(no_region(region, name, names))
    status = {region["name"]: region for region in (environment.get("status") or {}).get("regions") or ()}
    wanted = list(regions) or names
    known = {region: dict(status.get(region, {}).get("outputs") or {}) for region in wanted}
    missing = [region for region in wanted if not known[region]]
    if missing and (regions or len(missing) == len(wanted)):
        message = (
            f"no outputs of {name} in {', '.join(missing)} yet: AWS has not made them; `tap status {name}` says why"
        )
        raise TapError(message)
    return {region: values for region, values in known.items() if values}


def table(known: Outputs) -> Iterator[str]:
    """Yields outputs as lines that people read."""
    wide = max(len(output) for values in known.values() for output in values)
    for region, values in known.items():
        yield click.style(region, bold=True)
        yield from (f"  {output.ljust(wide)}  {value}" for output, value in values.items())


def shell(known: Outputs) -> Iterator[str]:
    """Yields outputs as assignments of a POSIX shell, quoted."""
    for region, values in known.items():
        for output, value in values.items():
            yield f"{_variable(region)}_{_variable(output)}={shlex.quote(value)}"


def github(known: Outputs) -> Iterator[str]:
    """Yields outputs as GitHub reads them from the file GITHUB_OUTPUT."""
    for region, values in known.items():
        for output, value in values.items():
            if "\n" in value:
                end = f"end-{digest(value)}"
                yield f"{region}-{output}<<{end}\n{value}\n{end}"
            else:
                yield f"{region}-{output}={value}"


def _variable(text: str) -> str:
    words = "".join(f"_{char}" if char.isupper() else char for char in text)
    return "".join(char if char.isalnum() else "_" for char in words).upper()


def _to_github(text: str) -> None:
    file = os.environ.get("GITHUB_OUTPUT")
    if not file:
        click.echo(text)
        return
    with Path(file).open("a", encoding="utf-8") as stream:
        stream.write(text + "\n")
