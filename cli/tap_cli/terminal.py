"""How verbs print: options that they share, text that fits a terminal and is plain in a pipe, JSON and YAML."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

#: A pipe has no width: a line is a line there.
PIPE_COLUMNS = 5000
_NARROWEST = 60
#: Version of what verbs print for programs, docs/reference/plan.schema.json for one.
_VERSION = 1

#: How to install what a verb needs beside. From the checkout: `tap-crossplane` is on no registry, and whoever took that
#: name there would be run.
INSTALL = "`pip install '.[{}]'` in the checkout"

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


@dataclass(frozen=True)
class Line:
    """A line of text.

    Attributes:
        text: What it says.
        indent: How far it is set in.
        hang: How much further its rest is, where it does not fit.
        style: How it looks where there is colour, in click's words.
    """

    text: str
    indent: int = 0
    hang: int = 2
    style: tuple[tuple[str, Any], ...] = ()


class Answering(click.Command):
    """A command whose exit code 2 is an answer, and not that the command line is not understood."""

    usage_exit_code = 1


def counted(number: int, what: str) -> str:
    """Returns how many there are of something: `1 field`, `2 fields`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def styled(text: str, indent: int = 0, hang: int = 2, **style: Any) -> Line:  # noqa: ANN401
    """Returns a line with a style, such as `fg="red"`."""
    return Line(text, indent, hang, tuple(style.items()))


def formatted(lines: Iterable[Line], width: int) -> str:
    """Returns lines as text that is at most `width` wide where words allow it."""
    return "\n".join(piece for line in lines for piece in _wrapped(line, width))


def columns() -> int:
    """Returns how wide the output is."""
    if not sys.stdout.isatty():
        return PIPE_COLUMNS
    return max(shutil.get_terminal_size().columns, _NARROWEST)


def is_plain(*, no_color: bool) -> bool:
    """Returns whether somebody refuses colours (https://no-color.org)."""
    return no_color or bool(os.environ.get("NO_COLOR"))


def echo(text: str, *, no_color: bool) -> None:
    """Prints text, its colours only where a terminal shows them and nobody refuses them."""
    click.echo(text, color=False if is_plain(no_color=no_color) else None)


def echo_data(output: str, value: Any, documents: Iterable[Any] | None = None) -> None:  # noqa: ANN401
    """Prints a value for programs, as `output` says: `json`, or `yaml`.

    Args:
        output: The format.
        value: The value.
        documents: The documents of YAML; None: the value itself.
    """
    if output == "json":
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))
        return
    from tap_api import manifest

    click.echo(manifest.dump([value] if documents is None else documents), nl=False)


def echo_result(output: str, **fields: Any) -> None:  # noqa: ANN401
    """Prints what a verb found, for programs: an object of its fields, and the version of their form."""
    echo_data(output, {"version": _VERSION, **fields})


def output_option(*formats: str, default: str) -> Callable[[CommandT], CommandT]:
    """Returns the option `-o`, as every verb that reads has it."""
    return click.option(
        "-o", "--output", type=click.Choice(formats), default=default, show_default=True, help="Format."
    )


def color_option() -> Callable[[CommandT], CommandT]:
    """Returns the option `--no-color`."""
    return click.option("--no-color", is_flag=True, help="Plain text; so is NO_COLOR=1, and so are pipes.")


def cluster_options(command: CommandT) -> CommandT:
    """Adds the options that say which cluster is meant."""
    from pathlib import Path

    path = click.Path(path_type=Path, dir_okay=False)
    command = click.option("--context", help="Context of the kubeconfig.")(command)
    return click.option("--kubeconfig", type=path, help="In place of KUBECONFIG.")(command)


def _wrapped(line: Line, width: int) -> list[str]:
    first, rest = " " * line.indent, " " * (line.indent + line.hang)
    if len(first) + len(line.text) <= width:
        pieces = [first + line.text if line.text else ""]
    else:
        pieces = textwrap.wrap(
            line.text,
            width,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return [click.style(piece, **dict(line.style)) if line.style else piece for piece in pieces]
