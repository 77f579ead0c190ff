"""The gRPC edge that Crossplane calls. It decides nothing: tap_stack composes, this translates."""
