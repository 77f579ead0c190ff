"""`tap render`: the manifests that Crossplane gets, without a cluster."""

from pathlib import Path

import click

from tap_api.kinds import PARTS
from tap_cli.choose import regions_of
from tap_cli.claims import claims, saved
from tap_cli.terminal import echo_data, output_option

EXAMPLES = (
    ("tap render claims/dev.yaml --region us-east-1 --part network", ""),
    ("kubectl get tap,managed -n tap-dev -o json > saved/dev.json", ""),
    ("tap render claims/dev.yaml --observed saved/", ""),
)
EXIT_CODES = {
    0: "the manifests are printed",
    1: "an error, or a claim that is refused",
    2: "the command line is not understood",
}
_KEY = "key"


@click.command("render")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("-r", "--region", "regions", multiple=True, metavar="REGION", help="Only this region; may be repeated.")
@click.option(
    "-p",
    "--part",
    "parts",
    multiple=True,
    type=click.Choice([_KEY, *(kind.part for kind in PARTS)]),
    help="Only this part; may be repeated.",
)
@click.option(
    "--observed", type=click.Path(path_type=Path), metavar="DIR", help="Folder of objects as kubectl saves them."
)
@click.option("-n", "--namespace", help="Namespace of claims that name none.")
@output_option("yaml", "json", default="yaml")
def command(  # noqa: PLR0913  (one for each option)
    *,
    files: tuple[Path, ...],
    regions: tuple[str, ...],
    parts: tuple[str, ...],
    observed: Path | None,
    namespace: str | None,
    output: str,
) -> None:
    """Print the manifests that the claims in FILES become: regions, parts, resources of AWS.

    From nothing, it is what is made in the first pass; what waits for AWS is counted on standard error, and `tap plan`
    names it. With --observed it is what is made now. A file that is `-` is standard input.
    """
    from tap_stack.plan import State, rendered

    found = claims(files, namespace)
    objects = saved(observed) if observed else []
    made = [item for claim in found for item in rendered(claim.document, State.of(objects, claim.namespace))]
    known = list(dict.fromkeys(region for claim in found for region in regions_of(claim.document)))
    for region in regions:
        if region not in known:
            message = f"{region!r} is no region of what is rendered; the regions are {', '.join(known)}"
            raise click.BadParameter(message, param_hint="--region")
    chosen = [item for item in made if (not regions or item.region in regions) and (not parts or item.part in parts)]
    manifests = [item.manifest for item in chosen if not item.waits_for]
    if manifests or output == "json":
        echo_data(output, {"apiVersion": "v1", "kind": "List", "items": manifests}, manifests)
    waiting = len(chosen) - len(manifests)
    if waiting:
        what = "resource waits" if waiting == 1 else "resources wait"
        click.echo(f"{waiting} {what} for what AWS has not made yet; see `tap plan`", err=True)
