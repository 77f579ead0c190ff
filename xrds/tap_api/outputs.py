"""What applications read: the outputs of every region of an environment, as one ConfigMap.

A pure function of the EnvironmentTap and of its status. No value is a secret: where there are credentials, the outputs
say which Secret holds them.
"""

from collections.abc import Mapping
from typing import Any

from tap_api.base import Json, ObjectMeta
from tap_api.kinds import ENVIRONMENT_TAP
from tap_api.naming import LABEL_ENVIRONMENT_TAP, outputs_name


def config_map(environment_tap: Mapping[str, Any], status: Mapping[str, Any]) -> Json:
    """Returns the ConfigMap of an environment: `<region>.<output>` -> value.

    Args:
        environment_tap: The object, as the apiserver has it.
        status: Its status, as tap_api.rollup makes it.
    """
    meta = ObjectMeta.model_validate(environment_tap["metadata"])
    data = {
        f"{region['name']}.{output}": str(value)
        for region in status.get("regions") or []
        for output, value in (region.get("outputs") or {}).items()
    }
    head = ENVIRONMENT_TAP.reference(meta.name)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": outputs_name(meta.name),
            "namespace": meta.namespace,
            "labels": {LABEL_ENVIRONMENT_TAP: meta.name},
            "ownerReferences": [
                {
                    "apiVersion": head["apiVersion"],
                    "kind": head["kind"],
                    "name": meta.name,
                    "uid": meta.uid,
                    "controller": True,
                    # It holds nothing up: an environment does not wait for its ConfigMap to go.
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "data": dict(sorted(data.items())),
    }
