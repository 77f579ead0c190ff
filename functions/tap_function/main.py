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
    try:
        cli.run(FunctionRunner(), **options)
    except OSError as error:
        message = f"{error.filename or 'the server'}: {error.strerror or error}; is --tls-server-certs-dir right?"
        raise click.ClickException(message) from error
    except ValueError as error:
        # The SDK's word for neither certificates nor --insecure.
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
