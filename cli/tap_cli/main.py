"""The entry point: the verbs, loaded when they are called, and the one place where errors become exit codes."""

import gc
import io
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn

import click

from tap_api.errors import TapError

#: Verb -> the module that holds its command, and a line of help: `tap --help` imports none of them. In the order in
#: which an environment meets them.
VERBS = {
    "init": ("tap_cli.init", "Write a claim for an environment: commented, valid as it is."),
    "validate": ("tap_cli.validate", "Judge claims, in files or as stored, by schema and policy."),
    "plan": ("tap_cli.plan", "Show what applying claims does, and change nothing."),
    "deploy": ("tap_cli.deploy", "Apply claims, after their plan was seen, and show how they become."),
    "destroy": ("tap_cli.destroy", "Destroy claims or a region, and wait until AWS has nothing of it any more."),
    "render": ("tap_cli.render", "Print the manifests that claims become."),
    "drift": ("tap_cli.drift", "Show what AWS has otherwise than is wanted, field by field."),
    "status": ("tap_cli.status", "Show environments, regions and parts, and what each waits for."),
    "outputs": ("tap_cli.outputs", "Print the outputs of an environment, for people and programs."),
    "lock": ("tap_cli.lock", "Keep an environment to yourself: nobody else changes its spec."),
    "lock status": ("tap_cli.lock_status", "Show who locks which environment, why and until when."),
    "unlock": ("tap_cli.unlock", "Give a lock up, or break one that was left behind, on record."),
    "state export": ("tap_cli.state.export", "Save what there is of an environment, to plan with or to adopt from."),
    "doctor": ("tap_cli.doctor", "Find what is wrong with an installation, and what mends it."),
    "synth": ("tap_cli.synth", "Write every generated manifest, or check that none is stale."),
    "completion": ("tap_cli.completion", "Print the script that makes a shell complete verbs and options."),
}

EPILOG = (
    "`tap VERB --help` explains a verb, with examples. Exit codes: 0 all is well, 1 something is wrong and said so,"
    " 2 the command line is not understood; `plan` and `drift` have codes of their own."
)
_EXIT_CODES = {0: "all is well", 1: "something is wrong and said so", 2: "the command line is not understood"}


def verb(name: str) -> click.Command:
    """Returns the command of a verb; its help ends in its examples and its exit codes."""
    command: click.Command = import_module(VERBS[name][0]).command
    codes = "; ".join(f"{code} {words}" for code, words in exit_codes(name).items())
    shown = [f"  {line}  # {words}" if words else f"  {line}" for line, words in examples(name)]
    # Behind \b click leaves lines as they are.
    command.epilog = ("\b\n" + "\n".join(["Examples:", *shown]) + "\n\n" if shown else "") + f"Exit codes: {codes}."
    return command


def exit_codes(name: str) -> Mapping[int, str]:
    """Returns the exit codes of a verb."""
    codes: Mapping[int, str] = getattr(import_module(VERBS[name][0]), "EXIT_CODES", _EXIT_CODES)
    return codes


def examples(name: str) -> Sequence[tuple[str, str]]:
    """Returns command lines that show a verb, and what there is to say of each."""
    shown: Sequence[tuple[str, str]] = getattr(import_module(VERBS[name][0]), "EXAMPLES", ())
    return shown


class _Verbs(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(dict.fromkeys(name.partition(" ")[0] for name in VERBS))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in VERBS:
            return verb(cmd_name)
        inner = {name.partition(" ")[2]: verb(name) for name in VERBS if name.startswith(f"{cmd_name} ")}
        return click.Group(cmd_name, inner, no_args_is_help=True) if inner else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        two = " ".join(args[:2])
        if two in VERBS:  # Before a verb of one word: `tap lock -- status` locks an environment of that name.
            return two, verb(two), args[2:]
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            close = get_close_matches(args[0], VERBS, n=1)
            if not close:
                raise
            message = f"{error.message} Did you mean {close[0]!r}?"
            raise click.UsageError(message, ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Verbs"):
            formatter.write_dl([(name, words) for name, (_, words) in VERBS.items()])


@click.group(cls=_Verbs, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tap-crossplane", prog_name="tap")
def cli() -> None:
    """One object per environment: the same AWS stack in every region, built by Crossplane."""


def main() -> None:
    """Runs `tap` and exits: 0, 1 with one line on standard error, or 2 for a command line it does not understand."""
    # A verb is over before there is anything worth collecting, and looking takes a seventh of a plan. What goes
    # on until Ctrl-C turns it on again (tap_cli.follow).
    gc.disable()
    # Nor is there a plugin of pydantic's that a verb would want; to look for one is to read what every distribution
    # of the environment says of itself.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if sys.stdout is None:
        click.echo("error: standard output is closed; nothing could be printed", err=True)
        sys.exit(1)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # "●" on a terminal that has none is "?", not a traceback.
    for stop in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(stop) is not signal.SIG_IGN:  # As nohup leaves SIGHUP.
            signal.signal(stop, _exit)
    code = run(cli)
    # An interpreter that ends looks for cycles all the same, through everything that was imported; what is frozen it
    # leaves to the kernel, as it should (another seventh of a plan).
    gc.freeze()
    sys.exit(code)


def _exit(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    """Ends by SystemExit: the Kubernetes client removes the key that it wrote to a temporary file in an atexit hook."""
    raise SystemExit(128 + number)


def run(command: Callable[..., Any]) -> int:  # noqa: PLR0911  (a way out for each way to fail)
    """Returns the exit code of a click command; a TapError becomes one line on standard error."""
    try:
        result = command(standalone_mode=False)
    except click.exceptions.Abort:
        return 130
    except click.UsageError as error:
        error.show()
        return int(getattr(error.ctx.command if error.ctx else None, "usage_exit_code", error.exit_code))
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except TapError as error:
        click.echo(f"error: {error}", err=True)
        return 1
    except ModuleNotFoundError as error:
        needs = {"kubernetes": ("the Kubernetes client", "cli"), "boto3": ("boto3", "s3")}.get(error.name or "")
        if needs is None:
            raise
        from tap_cli.terminal import INSTALL

        click.echo(f"error: this needs {needs[0]}; run {INSTALL.format(needs[1])}", err=True)
        return 1
    except OSError as error:
        return _unwritten(error)
    return result if isinstance(result, int) else 0


def _unwritten(error: OSError) -> int:
    """Returns the exit code where output could not be written, and says so, unless its reader just went away."""
    _abandon_stdout()
    if not isinstance(error, BrokenPipeError):
        # What opens files names them: an OSError without a name is of writing to standard output.
        what = str(error.filename) if error.filename else "cannot write the output"
        click.echo(f"error: {what}: {error.strerror}", err=True)
    return 1


def _abandon_stdout() -> None:
    """Points standard output at nothing: Python would fail on what is left in its buffer again, at exit."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
