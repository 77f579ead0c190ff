"""What an environment is where the claim does not say: the presets, and how a claim's choices are laid over them."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from tap_api.base import Json
from tap_api.common import Environment
from tap_api.kinds import EnvironmentTapSpec
from tap_api.sections import SECTIONS

_DEV: Json = {
    "protection": False,
    "network": {"zones": 2, "nat": "Single", "flowLogs": {"retentionDays": 7}},
    "database": {
        "global": False,
        "minCapacity": 0.5,
        "maxCapacity": 2,
        "backupRetentionDays": 1,
        "logRetentionDays": 7,
    },
    "sessions": {"recoveryDays": 7},
    "storage": {"expirationDays": 90, "noncurrentVersionDays": 7, "accessLogDays": 30, "forceDestroy": True},
    "processor": {"logRetentionDays": 7, "logLevel": "DEBUG"},
    "api": {"logRetentionDays": 7, "throttlingBurst": 20, "throttlingRate": 10},
}
_STAGING: Json = {
    "protection": False,
    "network": {"zones": 3, "nat": "Single", "flowLogs": {"retentionDays": 30}},
    "database": {
        "global": True,
        "minCapacity": 1,
        "maxCapacity": 8,
        "backupRetentionDays": 7,
        "logRetentionDays": 30,
    },
    "sessions": {"recoveryDays": 35},
    "storage": {"expirationDays": 365, "noncurrentVersionDays": 30, "accessLogDays": 90, "forceDestroy": False},
    "processor": {"logRetentionDays": 30},
    "api": {"logRetentionDays": 30},
}
_PROD: Json = {
    "protection": True,
    "network": {"zones": 3, "nat": "PerZone", "flowLogs": {"retentionDays": 365}},
    # A member of a global database has a floor of 8 ACU in AWS's own guide (05, section 3, item 7).
    "database": {
        "global": True,
        "minCapacity": 8,
        "maxCapacity": 64,
        "backupRetentionDays": 35,
        "logRetentionDays": 365,
    },
    "sessions": {"recoveryDays": 35},
    "storage": {"noncurrentVersionDays": 90, "accessLogDays": 365, "forceDestroy": False},
    "processor": {"memoryMb": 512, "logRetentionDays": 365},
    "api": {"logRetentionDays": 365, "throttlingBurst": 500, "throttlingRate": 200},
}
#: Environment -> what it is, by JSON name. What neither a preset nor a claim says is the section's own default.
PRESETS: Mapping[Environment, Json] = {
    Environment.DEV: _DEV,
    Environment.STAGING: _STAGING,
    Environment.PROD: _PROD,
}


def overlay(base: Mapping[str, Any], choices: Mapping[str, Any]) -> Json:
    """Returns `base` with `choices` laid over it: mappings are merged, everything else is replaced."""
    merged = deepcopy(dict(base))
    for key, value in choices.items():
        below = merged.get(key)
        merged[key] = overlay(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def resolve(spec: EnvironmentTapSpec) -> Json:
    """Returns the sections of `spec` and its protection, whole: defaults, then the preset, then the claim's choices.

    Raises:
        pydantic.ValidationError: the choices do not fit together once the gaps are filled (minCapacity above
            maxCapacity is left to CEL and tap_api.policy, which say it with its path).
    """
    preset = PRESETS[spec.environment]
    resolved: Json = {"protection": preset["protection"] if spec.protection is None else spec.protection}
    for section, model in SECTIONS.items():
        choices = getattr(spec, section) or {}
        resolved[section] = model.parse(overlay(preset.get(section, {}), choices)).manifest()
    return resolved
