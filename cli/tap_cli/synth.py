"""`tap synth`: every generated manifest."""

from pathlib import Path

import click

from tap_api import emit as api
from tap_api.errors import TapError

EXAMPLES = (("tap synth --check", "as CI does, in a checkout"),)
EXIT_CODES = {
    0: "every file is written, or fresh",
    1: "a file cannot be written, or is stale",
    2: "the command line is not understood",
}


@click.command("synth")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write below (default: the checkout that `tap` runs from, wherever you are).",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where a file is missing or stale.")
def command(*, out: Path | None, check: bool) -> None:
    """Write every generated file: XRDs, the CRD, Compositions, the activation policy, the reference."""
    from tap_cli import reference
    from tap_stack import emit as stack

    files = {**api.files(), **stack.files(), **reference.files()}
    out = out or _checkout()
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


def _checkout() -> Path:
    root = Path(__file__).resolve().parents[2]
    if not (root / "pyproject.toml").is_file():
        message = "this `tap` runs from no checkout; say where the files are with --out"
        raise TapError(message)
    return root
