"""The entry point: the verbs, loaded when they are called, and the one place where errors become exit codes."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import click

from tap_api.errors import TapError

#: Verb -> the module that holds its command, and a line of help: `tap --help` imports none of them.
VERBS = {
    "status": ("tap_cli.status", "Show environments, regions and parts, and what each waits for."),
    "synth": ("tap_cli.synth", "Write every generated manifest, or check that none is stale."),
    "validate": ("tap_cli.validate", "Judge claims by the schema and the policy, offline."),
}

EPILOG = "Exit codes: 0 all is well, 1 something is wrong and said so, 2 the command line is not understood."


class _Verbs(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(VERBS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, VERBS[verb][1]) for verb in self.list_commands(ctx)])


@click.group(cls=_Verbs, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tap-crossplane", prog_name="tap")
def cli() -> None:
    """One object per environment: the same AWS stack in every region, built by Crossplane."""


def main() -> None:
    """Runs `tap` and exits: 0, 1 with one line on standard error, or 2 for a command line it does not understand."""
    sys.exit(run(cli))


def run(command: Callable[..., Any]) -> int:
    """Returns the exit code of a click command; a TapError becomes one line on standard error."""
    try:
        result = command(standalone_mode=False)
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except TapError as error:
        click.echo(f"error: {error}", err=True)
        return 1
    return result if isinstance(result, int) else 0
