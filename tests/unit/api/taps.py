"""What the tests of the roll-up look at: an environment of two regions, and RegionalTaps that say something."""

from typing import Any

from tap_api.base import API_VERSION, Json
from tap_api.rollup import roll_up

NOW, BEFORE = "2026-11-24T09:00:00Z", "2026-01-01T00:00:00Z"
REGIONS = ("us-east-1", "us-east-2")
PROD: Json = {
    "metadata": {"name": "prod", "namespace": "tap-prod", "uid": "u1", "generation": 3},
    "spec": {"primaryRegion": "us-east-1", "regions": [{"name": name} for name in REGIONS]},
}
OWNER = {"apiVersion": API_VERSION, "kind": "EnvironmentTap", "name": "prod", "uid": "u1", "controller": True}
PENDING = "Crossplane has not looked at its RegionalTap yet"
UNREPORTED = "no report of its resources yet"


def tap(*conditions: tuple[str, ...], generation: int = 1, owner: Json | None = OWNER, **status: Any) -> Json:
    """Returns a RegionalTap whose conditions are (type, status, message, observedGeneration)."""
    return {
        "metadata": {
            "name": "prod-us-east-2",
            "generation": generation,
            **({"ownerReferences": [owner]} if owner else {}),
        },
        "status": {
            "conditions": [
                {
                    "type": kind,
                    "status": truth,
                    "reason": f"{kind}Reason",
                    **({"message": rest[0]} if rest else {}),
                    **({"observedGeneration": int(rest[1])} if len(rest) > 1 else {}),
                }
                for kind, truth, *rest in conditions
            ],
            **status,
        },
    }


def good(**status: Any) -> Json:
    found = [(kind, "True") for kind in ("Synced", "Ready", "ResourcesHealthy", "Compliant", "ChangesReported")]
    return tap(*found, ("Drifted", "False"), **status)


def rolled(observed: dict[str, Json], status: Json | None = None, **more: Any) -> Json:
    return roll_up({**PROD, **({"status": status} if status else {})}, observed, now=NOW, **more)


def conditions(status: Json) -> dict[str, tuple[str, str, str]]:
    return {c["type"]: (c["status"], c["reason"], c["message"]) for c in status["conditions"]}
