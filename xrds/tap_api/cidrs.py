"""Address ranges as people write them, read strictly: one spelling for each range."""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from tap_api.addressing import LONGEST_PREFIX, PRIVATE_RANGES, SHORTEST_PREFIX

#: ASCII digits only: `str.isdigit` and `\d` take other scripts' digits, which `ipaddress` would not.
_SPELLING = re.compile(r"(\d{1,3}\.){3}\d{1,3}/\d{1,2}", re.ASCII)


@lru_cache(maxsize=4096)
def fault(text: str) -> str:
    """Returns what is wrong with `text` as the range of a VPC and what to write instead; empty where nothing is."""
    if not _SPELLING.fullmatch(text):
        return f"{text[:40]!r} is not an IPv4 range; write it like 10.0.0.0/16"
    try:
        network = IPv4Network(text, strict=False)
    except (AddressValueError, NetmaskValueError) as error:
        return f"{text!r} is not an IPv4 range ({error}); write it like 10.0.0.0/16"
    if str(network) != text:
        return f"{text!r} is an address inside {network}; write {network}"
    if not SHORTEST_PREFIX <= network.prefixlen <= LONGEST_PREFIX:
        return (
            f"{text!r} must be /{SHORTEST_PREFIX} (AWS's largest VPC) to /{LONGEST_PREFIX} (room for nine subnets); "
            "choose another size"
        )
    if not any(network.subnet_of(private) for private in PRIVATE_RANGES):
        return f"{text!r} is not private; take a range out of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"
    return ""


def parse(text: str) -> IPv4Network:
    """Returns the range that `text` spells.

    Raises:
        ValueError: `fault(text)` is not empty; the message is that.
    """
    wrong = fault(text)
    if wrong:
        raise ValueError(wrong)
    return IPv4Network(text)
