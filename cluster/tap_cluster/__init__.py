"""Where TAP runs: a control plane built and started on this machine, a kind cluster, or one that is already there.

Tests and the demo use `tap_cluster.api`; people use `python -m tap_cluster` (or `make up`).
"""
