"""What AWS keeps for itself and what it takes, of names and tags: for tap_api.policy and for the schema alike."""

#: On every resource that can carry tags, beside Environment and Region, which are set.
REQUIRED_TAGS = ("CostCenter",)
#: Tags that are set for every resource from the spec. IAM takes `environment` and `Environment` for one key.
OWN_TAGS = ("Environment", "Region", "Name")
RESERVED_TAG_PREFIXES = ("aws:", "crossplane-")
LONGEST_TAG_KEY = 128
#: What the name of a bucket must not begin with (docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
S3_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
