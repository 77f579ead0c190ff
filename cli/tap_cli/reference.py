"""The reference of the command line, made from the commands themselves: docs/reference/cli.md."""

import inspect
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import click

from tap_api.emit import Files
from tap_api.reference import GENERATED
from tap_cli.main import VERBS, examples, exit_codes, verb
from tap_cli.terminal import INSTALL

PATH = PurePosixPath("docs/reference/cli.md")
_HEAD = f"""{GENERATED}# The command line

`tap` is installed by `pip install .`; the verbs that ask a cluster need {INSTALL.format("cli")}. Offline
verbs need no cluster, no AWS account and no network. Output is plain in a pipe, with `--no-color` and with
`NO_COLOR=1`. An error is one line on standard error that says what is wrong, where, and what to do.
"""


def files() -> Files:
    """Returns the file of the reference."""
    sections = ["\n".join(_verb(name)) for name in VERBS]
    return {PATH: "\n".join([_HEAD, *sections])}


def _verb(name: str) -> Iterator[str]:
    command = verb(name)
    arguments = [item for item in command.params if isinstance(item, click.Argument)]
    usage = " ".join(
        ["tap", name, "[OPTIONS]", *(argument.make_metavar(click.Context(command)) for argument in arguments)]
    )
    yield f"## `tap {name}`"
    yield ""
    yield f"`{usage}`"
    yield ""
    yield _paragraphs(command.callback.__doc__ if command.callback else "")
    yield ""
    shown = examples(name)
    if shown:
        wide = max(len(line) for line, _ in shown)
        lines = [f"{line.ljust(wide)}  # {words}" if words else line for line, words in shown]
        yield from ("```console", *(f"$ {line}" for line in lines), "```", "")
    options = [item for item in command.params if isinstance(item, click.Option)]
    if options:
        yield from ("| option | meaning |", "|---|---|")
        yield from (f"| {_flags(option)} | {_meaning(option)} |" for option in options)
        yield ""
    yield from ("| exit code | meaning |", "|---|---|")
    yield from (f"| {code} | {words} |" for code, words in exit_codes(name).items())
    yield ""


def _paragraphs(text: str | None) -> str:
    return inspect.cleandoc(text or "")


def _flags(option: click.Option) -> str:
    value = "" if option.is_flag else f" {_escaped(option.make_metavar(click.Context(click.Command('tap'))))}"
    return f"`{' / '.join(', '.join(flags) for flags in (option.opts, option.secondary_opts) if flags)}{value}`"


def _meaning(option: click.Option) -> str:
    words = re.sub(r"\s+", " ", option.help or "")
    default = option.default
    if option.show_default and default not in (None, ()):
        shown = ", ".join(default) if isinstance(default, tuple) else str(default)
        if option.secondary_opts:
            shown = (option.opts if default else option.secondary_opts)[0]
        words += f" Default: `{shown}`."
    if option.envvar:
        words += f" From the environment: `{option.envvar}`."
    return _escaped(words)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
