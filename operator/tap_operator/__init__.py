"""The operator of TAP on Crossplane: one EnvironmentTap becomes one RegionalTap a region, and reads back as one status.

Everything that decides is in tap_api; this package is its edge to the cluster. kopf is used for what it is good at,
watching and serving admission, and for nothing that has to be remembered: every decision is made from live reads.
"""
