"""Names of objects in the cluster and of resources in AWS: deterministic, inside the tightest limit that applies."""

import hashlib

from tap_api.base import GROUP
from tap_api.common import EnvironmentRef

#: Longest name of an object that Crossplane composes (04, item 2) and of most AWS resources (05, section 5).
MAX_NAME = 63
#: Longest name of an EnvironmentTap: it leaves room for the region, the part and the resource without a hash.
MAX_ENVIRONMENT_NAME = 24

LABEL_ENVIRONMENT = f"{GROUP}/environment"
LABEL_ENVIRONMENT_TAP = f"{GROUP}/environmenttap"
LABEL_REGION = f"{GROUP}/region"
LABEL_PART = f"{GROUP}/part"
LABEL_PEERING_GROUP = f"{GROUP}/peering-group"
#: On a namespace while it holds taps; such a namespace is not deleted (charts/operator, policy tap-namespaces).
LABEL_HOLDS_TAPS = f"{GROUP}/holds-taps"
#: On a protected tap that may be deleted; its value is the tap's name (charts/operator, policy tap-protection).
ANNOTATION_CONFIRM_REMOVAL = f"{GROUP}/confirm-removal"

#: Field manager of what `tap` applies.
MANAGER = "tap"

#: Key of the VPC among the resources of a network: its object tells whether a range is still in use.
VPC_KEY = "vpc"


def digest(text: str, length: int = 8) -> str:
    """Returns `length` hexadecimal digits that stand for `text`."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def join(*words: str, limit: int = MAX_NAME) -> str:
    """Returns `words` joined by hyphens; past `limit` characters the end is cut and a digest of the whole put there."""
    name = "-".join(words)
    if len(name) <= limit:
        return name
    return f"{name[: limit - 9].rstrip('-')}-{digest(name)}"


def regional_tap_name(environment_tap: str, region: str) -> str:
    """Returns the name of the RegionalTap of `region`: `<environmenttap>-<region>`."""
    return join(environment_tap, region)


def outputs_name(environment_tap: str) -> str:
    """Returns the name of the ConfigMap with the outputs of an environment: `<environmenttap>-outputs`."""
    return join(environment_tap, "outputs")


def part_name(regional_tap: str, part: str) -> str:
    """Returns the name of a part XR: `<regionaltap>-<part>`."""
    return join(regional_tap, part)


def resource_name(xr: str, key: str) -> str:
    """Returns the name of the composed resource `key` of `xr`: `<xr>-<key>`."""
    return join(xr, key)


def account_suffix(namespace: str, environment_ref: EnvironmentRef | None, name: str) -> str:
    """Returns what names that are unique in an AWS account end in.

    A digest of `<namespace>/<environmenttap>` and never of a UID: a second `prod` in another namespace must not adopt
    the first one's database, and a restored one must find its own. A RegionalTap that stands alone says its kind too,
    for an EnvironmentTap may be called the same.
    """
    return digest(f"{namespace}/{environment_ref.name if environment_ref else f'RegionalTap/{name}'}")


def account_name(*words: str, suffix: str, limit: int = MAX_NAME) -> str:
    """Returns an AWS name that is unique in its account: `words` and then `suffix`, at most `limit` characters."""
    return f"{join(*words, limit=limit - len(suffix) - 1)}-{suffix}"


def provider_config_name(environment: str) -> str:
    """Returns the name of the ProviderConfig of an environment.

    Not `default`: a ProviderConfig's uses are counted by name across namespaces (crossplane#7154).
    """
    return f"tap-{environment}"
