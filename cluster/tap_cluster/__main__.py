"""`python -m tap_cluster`: bring the cluster up and down."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from tap_cluster import api, demo, machine, publish, runtime, status
from tap_cluster.aws import Aws
from tap_cluster.errors import ClusterError
from tap_cluster.kubeconfig import exported
from tap_cluster.places import Places

cluster_option = click.option(
    "--cluster",
    type=click.Choice([str(kind) for kind in api.Kind]),
    envvar="CLUSTER",
    default="auto",
    show_default=True,
    help="Where it runs: auto is kind where a Docker engine answers, else embedded.",
)
aws_option = click.option(
    "--aws",
    type=click.Choice([str(behind) for behind in Aws]),
    envvar="AWS",
    default="none",
    show_default=True,
    help="What stands behind the embedded cluster in place of AWS. moto: the real provider, which takes an hour to"
    " build once, with moto, which simulates AWS.",
)


@contextmanager
def interruptible() -> Iterator[None]:
    """Answer Ctrl-C with what becomes of that which was started."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("\nInterrupted. What was started goes on; `make down` stops it.", err=True)
        sys.exit(130)  # 128 + SIGINT, as a shell says it


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """The cluster TAP runs on, made and unmade."""


@cli.command()
@cluster_option
@aws_option
@click.option("--control-plane-only", is_flag=True, help="Kubernetes and Crossplane, without TAP itself.")
def up(cluster: str, aws: str, *, control_plane_only: bool) -> None:
    """Have the cluster up; does nothing if it is."""
    with interruptible():
        have = api.ensure(cluster, control_plane_only=control_plane_only, aws=aws)
    click.echo(f"The {have.kind} cluster is up. Talk to it with\n  {exported(have.kubeconfig)}")


@cli.command()
@cluster_option
def down(cluster: str) -> None:
    """Stop what `up` started, and nothing else; the embedded cluster keeps its data."""
    ended = api.down(cluster)
    click.echo(f"Stopped {', '.join(ended)}." if ended else "Nothing of ours was running.")


@cli.command("demo")
@cluster_option
@aws_option
def show_demo(cluster: str, aws: str) -> None:
    """Run the main job: a bad claim is refused, a good one becomes three regions, live."""
    with interruptible():
        demo.run(api.ensure(cluster, aws=aws), Aws(aws))


@cli.command("status")
def show_status() -> None:
    """Show each process of the embedded cluster, its ports and its log."""
    click.echo("\n".join(status.rows(Places.find())))
    if not api.running(api.Kind.EMBEDDED):
        sys.exit(1)


@cli.command("tool")
@click.argument("name")
def build_tool(name: str) -> None:
    """Print the path of one Go tool, or of kubectl; it is built where it is not there."""
    click.echo(api.tool(name))


@cli.command()
@cluster_option
def env(cluster: str) -> None:
    """Print what a shell needs: eval "$(python -m tap_cluster env)"."""
    click.echo(exported(api.kubeconfig(cluster)))


@cli.command("runtime", hidden=True)
@click.argument("endpoint")
def serve_runtime(endpoint: str) -> None:
    """Play the package runtime (started by `up`)."""
    runtime.serve(endpoint, Path(os.environ["KUBECONFIG"]))


@cli.command("machine", hidden=True)
@click.argument("folders", nargs=-1)
def serve_machine(folders: tuple[str, ...]) -> None:
    """Be the first process of a node's machine (started by `up` with CLUSTER=node)."""
    machine.serve(folders)


@cli.command("moto", hidden=True)
@click.argument("port", type=int)
def serve_moto(port: int) -> None:
    """Simulate AWS (started by `up` with AWS=moto)."""
    from tap_cluster import moto_server

    moto_server.serve(port)


for verb in (publish.package, publish.publish):
    cli.add_command(verb)


def main() -> None:
    """Run the command; whatever goes wrong is one line, and where to read on."""
    try:
        cli()
    except ClusterError as error:
        click.echo(f"Error: {error}", err=True)
    except OSError as error:
        click.echo(f"Error: {error.filename or 'this machine'}: {error.strerror}", err=True)
    except Exception as error:  # noqa: BLE001 - nobody should read a traceback who did not write this
        log = Places.find().logs / "bug.log"
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        log.write_text(traceback.format_exc(), encoding="utf-8")
        click.echo(
            f"Error: a bug in tap_cluster ({type(error).__name__}: {error}). Please report it with {log}", err=True
        )
    sys.exit(1)


if __name__ == "__main__":
    main()
