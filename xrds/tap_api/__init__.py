"""The API of TAP on Crossplane: its models, and every decision that is a pure function of them.

Nothing here knows gRPC, kopf, HTTP or a cluster. Everything above imports from here; nothing here imports from above.
"""
