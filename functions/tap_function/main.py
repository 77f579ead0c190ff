"""`tap-function`: serves the function."""

from typing import Any

import click
from crossplane.function import cli

from tap_function.fn import FunctionRunner
from tap_function.metrics import Metrics

#: In MB. gRPC's own default, 4, is passed by a few hundred observed resources (crossplane#6392).
MAX_MESSAGE_SIZE = 16


@click.command(context_settings={"default_map": {"max_recv_message_size": MAX_MESSAGE_SIZE}})
@cli.standard_options
@click.option("--metrics-address", default="127.0.0.1", show_default=True, help="Where Prometheus comes to.")
@click.option("--metrics-port", type=int, default=None, help="Port of /metrics; without one there are none.")
def main(metrics_address: str, metrics_port: int | None, **options: Any) -> None:  # noqa: ANN401
    """Compose RegionalTaps and their parts for Crossplane."""
    metrics = Metrics()
    try:
        if metrics_port is not None:
            metrics.serve(metrics_address, metrics_port)
        cli.run(FunctionRunner(metrics), **options)
    except OSError as error:
        message = f"{error.filename or 'the server'}: {error.strerror or error}; is --tls-server-certs-dir right?"
        raise click.ClickException(message) from error
    except ValueError as error:
        # The SDK's word for neither certificates nor --insecure.
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
