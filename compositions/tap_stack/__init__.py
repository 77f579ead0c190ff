"""The stack: what a region is made of, as a pure function of what is wanted and of what is observed.

Nothing here knows gRPC, files or a cluster. A part of a region is one module (or a small package) that yields
resources in order; everything that all parts share (names, tags, credentials, what is withheld, what counts as ready)
is decided once, beside them.
"""
