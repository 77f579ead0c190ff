"""What AWS keeps for itself and what it takes, of names and tags: for tap_api.policy and for the schema alike."""

from collections.abc import Iterable

#: On every resource that can carry tags, beside Environment and Region, which are set.
REQUIRED_TAGS = ("CostCenter",)
#: Tags that are set for every resource from the spec. IAM takes `environment` and `Environment` for one key.
OWN_TAGS = ("Environment", "Region", "Name")
#: What every resource is found by, however few tags it takes.
FIRST_TAGS = (*REQUIRED_TAGS, "Environment", "Region")
#: Tags that an S3 object takes (ten), less the three that the provider sets.
MOST_OBJECT_TAGS = 7
RESERVED_TAG_PREFIXES = ("aws:", "crossplane-")
LONGEST_TAG_KEY = 128
#: What the name of a bucket must not begin with (docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
S3_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")


def by_rank(tags: Iterable[str]) -> list[str]:
    """Returns the keys of tags in the order in which they are taken where not all fit: by name after the first ones."""
    return sorted(tags, key=lambda tag: (tag not in FIRST_TAGS, tag))
