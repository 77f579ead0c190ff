"""`tap completion`: what makes a shell complete verbs and options."""

import click
from click.shell_completion import get_completion_class

EXAMPLES = (
    ('eval "$(tap completion bash)"', "in ~/.bashrc"),
    ('eval "$(tap completion zsh)"', "in ~/.zshrc"),
    ("tap completion fish > ~/.config/fish/completions/tap.fish", ""),
)
EXIT_CODES = {0: "the script is printed", 2: "the command line is not understood"}
_PROGRAM = "tap"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete verbs, options and their values."""
    made = get_completion_class(shell)
    if made is not None:
        click.echo(made(context.find_root().command, {}, _PROGRAM, f"_{_PROGRAM.upper()}_COMPLETE").source())
