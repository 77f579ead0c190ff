"""Writes the generated files of the API; with --check, fails where they are stale."""

import sys
from pathlib import Path

from tap_api import emit

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    sys.exit(emit.script(__doc__, emit.files, ROOT))
