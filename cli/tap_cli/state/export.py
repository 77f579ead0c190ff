"""`tap state export`: external names, specs and outputs of an environment, in a folder or in the user's bucket."""

import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from tap_cli.choose import the_one
from tap_cli.terminal import INSTALL, cluster_options, counted

_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/?")
EXAMPLES = (
    ("tap state export prod --out saved", "a folder, beside other environments"),
    ("tap plan claims/prod.yaml --against saved", "offline, from what was exported"),
    ("tap state export prod --out s3://my-state", "s3://my-state/infrastructure/us-east-1/…"),
)
EXIT_CODES = {
    0: "the state is saved, all of it",
    1: "an error; nothing was saved",
    2: "the command line is not understood",
}


@click.command("export")
@click.argument("name")
@click.option(
    "--out",
    required=True,
    metavar="DIR|s3://BUCKET",
    help=f"Where to: a folder, or a bucket of yours. A bucket needs boto3: {INSTALL.format('s3')}.",
)
@click.option("--kms-key", default="", help="KMS key to encrypt with in the bucket, in place of the bucket's default.")
@click.option("-n", "--namespace", help="Namespace of the environment.  [default: all]")
@cluster_options
def command(  # noqa: PLR0913  (one for each option)
    *, name: str, out: str, kms_key: str, namespace: str | None, kubeconfig: Path | None, context: str | None
) -> None:
    """Save the environment NAME: the manifests of all that there is of it, each resource with its external name.

    They are complete enough to adopt the same AWS resources from in another cluster, and `tap plan --against` reads
    them. No Secret is among them. A bucket has to block public access and to encrypt; boto3 finds its credentials.
    """
    bucket = _BUCKET.fullmatch(out)
    if "://" in out and not bucket:
        message = "write a folder, or s3://BUCKET; the path in it is infrastructure/REGION/…"
        raise click.BadParameter(message, param_hint="--out")
    if kms_key and not bucket:
        message = "--kms-key goes with --out s3://BUCKET"
        raise click.UsageError(message)
    if bucket:
        from tap_cli.state import s3  # Before the cluster is asked: it may not be installed.
    from tap_cli.raw import RawCluster
    from tap_cli.state.layout import files, is_unmade

    cluster = RawCluster(kubeconfig, context)
    snapshot = cluster.snapshot(the_one(cluster.environments(namespace), name, namespace), resources=True)
    now = datetime.now(UTC)
    versions = {
        "tap": version("tap-crossplane"),
        "kubernetes": str((cluster.get("/version") or {}).get("gitVersion", "")),
    }
    apart = now.strftime("%Y%m%dT%H%M%SZ") if bucket else ""
    made = files(snapshot, versions, now.strftime("%Y-%m-%dT%H:%M:%SZ"), apart=apart)
    where = out
    if bucket:
        where = f"s3://{bucket[1]}/infrastructure, encrypted with {s3.write(made, bucket[1], kms_key)}"
    else:
        from tap_cli.state.folder import write

        write(made, Path(out))
    counts = f"{counted(len(snapshot.resources), 'resource')} of {counted(len(snapshot.regions), 'region')}"
    click.echo(f"{snapshot.namespace}/{snapshot.name}: {counts} saved to {where}")
    unmade = len(list(filter(is_unmade, snapshot.resources)))
    if unmade:
        click.echo(f"{unmade} of them have no external name yet: AWS has not made them", err=True)
