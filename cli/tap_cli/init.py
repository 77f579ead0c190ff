"""`tap init`: a claim to begin with, commented, and valid at once."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from tap_api import manifest
from tap_api.base import Json
from tap_api.common import Environment
from tap_api.errors import TapError
from tap_api.kinds import ENVIRONMENT_TAP
from tap_api.policy import judge
from tap_api.presets import PRESETS

EXAMPLES = (
    ("tap init -e prod -t CostCenter=platform-4200 -o claims/prod.yaml", ""),
    ("tap init -e dev -r eu-west-1=10.8.0.0/16 -t CostCenter=lab | tap plan -", ""),
)
EXIT_CODES = {
    0: "the claim is written",
    1: "the claim would be refused, or its file is there already",
    2: "the command line is not understood",
}
_REGIONS = ("us-east-1=10.0.0.0/16", "us-east-2=10.1.0.0/16", "eu-west-1=10.2.0.0/16")
_COST_CENTER = "CostCenter=platform-0000"
_ABOUT = {
    Environment.DEV: "Development: two zones, one NAT gateway a region, small, no global database, may be destroyed.",
    Environment.STAGING: "Staging: production's shape, with one NAT gateway a region and 7 days of backups.",
    Environment.PROD: "Production: three zones, a NAT gateway each, a global database, protected, 35 days of backups.",
}
#: What a claim may choose beside its preset, in the order in which most people ask for it.
_CHOICES = (
    ("network", "zones"),
    ("network", "nat"),
    ("database", "minCapacity"),
    ("database", "maxCapacity"),
    ("database", "backupRetentionDays"),
    ("storage", "noncurrentVersionDays"),
    ("processor", "memoryMb"),
    ("processor", "logLevel"),
    ("api", "throttlingRate"),
)


def _pairs(flag: str, example: str) -> Any:  # noqa: ANN401  (click's own type of a callback)
    def split(_context: click.Context, _parameter: click.Parameter, values: Sequence[str]) -> list[tuple[str, str]]:
        found: dict[str, str] = {}
        for text in values:
            key, equals, value = text.partition("=")
            if not (key and equals and value):
                message = f"{text!r} is not of the form {flag}, such as {example}"
                raise click.BadParameter(message)
            if key in found:
                message = f"{key!r} is given twice; give it once"
                raise click.BadParameter(message)
            found[key] = value
        return list(found.items())

    return split


@click.command("init")
@click.option(
    "-e",
    "--environment",
    type=click.Choice([environment.value for environment in Environment]),
    default=Environment.DEV.value,
    show_default=True,
    help="Preset that fills in what the claim leaves out.",
)
@click.option("--name", help="Name of the claim.  [default: the environment]")
@click.option("-n", "--namespace", help="Its namespace.  [default: tap-ENVIRONMENT]")
@click.option(
    "-r",
    "--region",
    "regions",
    multiple=True,
    metavar="REGION=CIDR",
    default=_REGIONS,
    show_default=True,
    callback=_pairs("REGION=CIDR", _REGIONS[0]),
    help="A region and the address range of its VPC; may be repeated.",
)
@click.option("--primary", metavar="REGION", help="The region that writes.  [default: the first]")
@click.option(
    "-t",
    "--tag",
    "tags",
    multiple=True,
    metavar="KEY=VALUE",
    default=(_COST_CENTER,),
    show_default=True,
    callback=_pairs("KEY=VALUE", "CostCenter=platform-4200"),
    help="A tag of every AWS resource; CostCenter is required; may be repeated.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="File to write.  [default: standard output]",
)
@click.option("--force", is_flag=True, help="Overwrite the file if it is there.")
def command(  # noqa: PLR0913  (one for each option)
    *,
    environment: str,
    name: str | None,
    namespace: str | None,
    regions: list[tuple[str, str]],
    primary: str | None,
    tags: list[tuple[str, str]],
    out: Path | None,
    force: bool,
) -> None:
    """Write a claim for an environment: commented, and valid as it is."""
    chosen = Environment(environment)
    claim = ENVIRONMENT_TAP.reference(name or environment, namespace or f"tap-{environment}")
    claim["spec"] = {
        "environment": environment,
        "primaryRegion": primary or regions[0][0],
        "tags": dict(tags),
        "regions": [{"name": region, "cidr": cidr} for region, cidr in regions],
    }
    violations = judge(ENVIRONMENT_TAP.kind, claim)
    if violations:
        lines = "".join(f"\n- {violation}" for violation in violations)
        message = f"this claim would be refused; mend the options:{lines}"
        raise TapError(message)
    text = "".join(f"{line}\n" for line in _lines(claim, chosen))
    if out is None:
        click.echo(text, nl=False)
        return
    _write(out, text, force=force)
    click.echo(f"{out} is written; next: tap plan {out}", err=True)


def _write(out: Path, text: str, *, force: bool) -> None:
    try:
        with out.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        message = f"{out}: is there already; take another name, or --force to overwrite it"
        raise TapError(message) from error
    except OSError as error:
        message = f"{out}: cannot be written: {error.strerror}; choose another file with --out"
        raise TapError(message) from error


def _lines(claim: Json, environment: Environment) -> Iterator[str]:
    """Yields the claim, its own parts as YAML writes them, with what a reader wants to know beside them."""
    spec = claim["spec"]
    yield f"# {_ABOUT[environment]}"
    yield "# `tap plan` shows what it becomes; `kubectl apply -f` applies it. The namespace has to be there."
    yield f"apiVersion: {claim['apiVersion']}"
    yield f"kind: {claim['kind']}"
    yield from _block("metadata", claim["metadata"], 0)
    yield "spec:"
    yield "  # The preset. It is fixed once applied, like primaryRegion and each region's cidr."
    yield f"  environment: {environment.value}"
    yield "  # It writes to the database and owns the sessions table; the others follow."
    yield f"  primaryRegion: {spec['primaryRegion']}"
    yield "  # On every AWS resource. Environment and Region are set beside them."
    yield from _block("tags", spec["tags"], 2)
    yield "  # Private IPv4 ranges, /16 to /23, none of which overlaps another of this environment."
    yield "  regions:"
    for region in spec["regions"]:
        yield f"    - {{name: {region['name']}, cidr: {region['cidr']}}}"
    yield "  # Everything below comes from the preset; take away the # of what you want to choose yourself."
    preset = PRESETS[environment]
    yield f"  # protection: {str(preset['protection']).lower()}"
    section = ""
    for above, field in _CHOICES:
        if field in preset.get(above, {}):
            if above != section:
                section = above
                yield f"  # {above}:"
            yield f"  #   {field}: {preset[above][field]}"


def _block(name: str, content: Json, indent: int) -> Iterator[str]:
    text = manifest.dump([{name: content}])
    yield from (" " * indent + line for line in text.splitlines())
