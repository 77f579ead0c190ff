"""`tap synth`: every generated manifest."""

from pathlib import Path

import click

from tap_api import emit as api
from tap_api.errors import TapError


@click.command("synth")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder to write below (default: this checkout).",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where a file is missing or stale.")
def command(*, out: Path, check: bool) -> None:
    """Write every generated manifest: XRDs, the CRD, Compositions, the activation policy."""
    from tap_stack import emit as stack

    files = {**api.files(), **stack.files()}
    if check:
        api.check(files, out)
        click.echo(f"{len(files)} generated files are fresh")
        return
    try:
        changed = api.write(files, out)
    except OSError as error:
        message = f"{out}: cannot write: {error.strerror}; choose another folder with --out"
        raise TapError(message) from error
    for path in changed:
        click.echo(path)
    click.echo(f"{len(files)} generated files, {len(changed)} changed")
