"""Writes the generated files of the stack, the zip of the processor among them; with --check, fails where one is stale.

The catalogue and the schemas are made from the provider's CRDs: with --crds, or from the Go module cache where they
are. Without them both are left as they are; so is what AWS cannot change in place, without the provider's source.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from forcenew import sources
from tap_api import emit as api
from tap_api import manifest
from tap_api.base import Json
from tap_api.errors import TapError
from tap_stack import emit
from tap_stack.catalogue import Entry, catalogue
from tap_stack.processor.code import shipped
from tap_stack.schemas import schemas

ROOT = Path(__file__).resolve().parents[1]
#: The recipe that pins the provider whose CRDs we compose for.
RECIPE = ROOT / "cluster" / "tools" / "provider-aws" / "go.mod"


def main() -> int:
    """Returns the exit code: 0, or 1 where a file is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is stale")
    parser.add_argument("--crds", type=Path, default=None, help="folder of the provider's CRDs")
    options = parser.parse_args()
    try:
        _run(options.crds or _module_cache(), check=options.check)
    except TapError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _run(crds: Path | None, *, check: bool) -> None:
    act = api.check if check else api.write
    if crds:
        documents = list(_documents(crds))
        act(emit.catalogue_file(documents), ROOT)
        catalogue.cache_clear()
        act(emit.schemas_file(documents, _replaces(crds)), ROOT)
    else:
        sys.stderr.write("note: the provider's CRDs are not here (--crds DIR), so the catalogue is left as it is\n")
    act(emit.code_file(_sources(ROOT / "functions" / "processor")), ROOT)
    shipped.cache_clear()
    act(emit.files(), ROOT)


def _sources(package: Path) -> dict[str, bytes]:
    """Returns the modules of the processor, by their path in the zip."""
    return {path.relative_to(package.parent).as_posix(): path.read_bytes() for path in sorted(package.rglob("*.py"))}


def _documents(crds: Path) -> Iterator[Json]:
    for path in sorted(crds.glob("*.aws.m.upbound.io_*.yaml")):
        text = path.read_text(encoding="utf-8")
        if emit.is_composed(text):
            yield from manifest.load(text, path)


def _replaces(crds: Path) -> Callable[[Entry], Sequence[str]]:
    """Returns what tells which fields of a kind AWS cannot change in place: the source, or the file as it stands."""
    found = sources(crds)
    if found:
        return found.fields
    sys.stderr.write("note: the Terraform provider is not here, so what AWS replaces is left as it is\n")
    return lambda entry: schemas()[entry.group, entry.kind].replaces


def _module_cache() -> Path | None:
    """Returns the CRDs in the Go module cache; None where there is no Go, or where they were never fetched."""
    go = shutil.which("go")
    if not go:
        return None
    cache = subprocess.run([go, "env", "GOMODCACHE"], capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    pinned = re.search(r"^require (\S+) (\S+)", RECIPE.read_text(encoding="utf-8"), re.MULTILINE)
    if not pinned:
        message = f"{RECIPE} requires no provider; restore it from git"
        raise TapError(message)
    path = Path(cache) / f"{pinned[1]}@{pinned[2]}" / "package" / "crds"
    return path if cache and path.is_dir() else None


if __name__ == "__main__":
    sys.exit(main())
