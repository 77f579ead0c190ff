"""`python -m tap_cli` is `tap`."""

from tap_cli.main import main

main()
