"""Writes the generated files of the API; with --check, fails where they are stale."""

import argparse
import sys
from pathlib import Path

from tap_api import emit
from tap_api.errors import TapError

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Returns the exit code: 0, or 1 where a file is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is stale")
    try:
        if parser.parse_args().check:
            emit.check(emit.files(), ROOT)
        else:
            emit.write(emit.files(), ROOT)
    except TapError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
