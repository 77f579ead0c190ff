"""The AWS regions there are, and their availability zones.

A table, not a rule: `ap-northeast-1` has no zone b for new accounts and `ca-central-1` has a, b and d, so guessing
`<region>a..c` would fail in AWS, hours later. Every region of the `aws` partition that is enabled by default is here,
with three zones that new accounts have. Left out: `us-west-1`, whose two zones differ from account to account.
Source: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
"""

from collections.abc import Mapping

ZONES: Mapping[str, tuple[str, str, str]] = {
    region: (f"{region}{letters[0]}", f"{region}{letters[1]}", f"{region}{letters[2]}")
    for region, letters in {
        "ap-northeast-1": "acd",
        "ap-northeast-2": "abc",
        "ap-northeast-3": "abc",
        "ap-south-1": "abc",
        "ap-southeast-1": "abc",
        "ap-southeast-2": "abc",
        "ca-central-1": "abd",
        "eu-central-1": "abc",
        "eu-north-1": "abc",
        "eu-west-1": "abc",
        "eu-west-2": "abc",
        "eu-west-3": "abc",
        "sa-east-1": "abc",
        "us-east-1": "abc",
        "us-east-2": "abc",
        "us-west-2": "abc",
    }.items()
}


def zones(region: str, count: int) -> tuple[str, ...]:
    """Returns the first `count` (2 or 3) availability zones of `region`.

    Raises:
        KeyError: `region` is not in the table; tap_api.policy refuses it before anything asks.
    """
    return ZONES[region][:count]
