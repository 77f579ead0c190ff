"""`tap-function`: serves the function."""

from typing import Any

import click
from crossplane.function import cli

from tap_function.fn import FunctionRunner

#: In MB. gRPC's own default, 4, is passed by a few hundred observed resources (crossplane#6392).
MAX_MESSAGE_SIZE = 16


@click.command(context_settings={"default_map": {"max_recv_message_size": MAX_MESSAGE_SIZE}})
@cli.standard_options
def main(**options: Any) -> None:  # noqa: ANN401
    """Compose RegionalTaps and their parts for Crossplane."""
    cli.run(FunctionRunner(), **options)


if __name__ == "__main__":
    main()
