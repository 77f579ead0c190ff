"""A claim that every installation refuses: whoever tries it, as a dry run, learns whether admission judges."""

from tap_api.base import Json
from tap_api.kinds import ENVIRONMENT_TAP


def refused(name: str, namespace: str = "") -> Json:
    """Returns a claim that the schema takes and policy refuses, whatever an organisation's rules: two ranges overlap.

    Args:
        name: Its name, which tells who tried it.
        namespace: Where it would be; empty: as the request says.
    """
    return {
        **ENVIRONMENT_TAP.reference(name, namespace),
        "spec": {
            "environment": "dev",
            "primaryRegion": "us-east-1",
            "tags": {"CostCenter": "none"},
            "regions": [{"name": "us-east-1", "cidr": "10.0.0.0/16"}, {"name": "us-east-2", "cidr": "10.0.0.0/16"}],
        },
    }
