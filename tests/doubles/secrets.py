"""Secrets, as provider-aws writes them: the password that it generates, and the connection details that it publishes.

A double, and named as one. Names, keys, types and owners are those of the provider (v2.5.0): PasswordGenerator and
AdditionalConnectionDetailsFn of rds in config/namespaced, `attribute.` in front of what is sensitive in upjet's
pkg/resource/sensitive.go, and the type and the owner of a connection Secret in crossplane-runtime's pkg/resource.
"""

from base64 import b64decode, b64encode
from typing import Any
from uuid import uuid4

from doubles.account import key_of
from tap_api.base import Json

#: Type of a Secret with connection details.
CONNECTION = "connection.crossplane.io/v1alpha1"


def generated(resource: Json, there: Json | None) -> Json | None:
    """Returns the Secret with the password that a resource wants generated; None where there is nothing to do.

    Args:
        resource: The resource.
        there: The Secret of that name, None where there is none. A password in it is kept.
    """
    spec = resource["spec"]["forProvider"]
    reference = spec.get("masterPasswordSecretRef")
    if not reference or not spec.get("autoGeneratePassword") or read(there).get(reference["key"]):
        return None
    # Not its controller: the provider only lets the Secret go with the resource.
    return _secret(resource, reference["name"], {reference["key"]: uuid4().hex}, "Opaque", {})


def published(resource: Json, password: str) -> Json | None:
    """Returns the Secret with the connection details of a resource that is made; None where it asks for none.

    Args:
        resource: The resource as AWS has it.
        password: Its password, empty where it has none.

    Raises:
        AssertionError: nobody looked up what the provider publishes of its kind.
    """
    reference = resource["spec"].get("writeConnectionSecretToRef")
    if not reference:
        return None
    assert key_of(resource)[0] == "rds.Cluster", f"what does the provider publish of {key_of(resource)[0]}?"
    made = resource["status"]["atProvider"]
    details = {
        "endpoint": made["endpoint"],
        "reader_endpoint": made["readerEndpoint"],
        "master_username": made["masterUsername"],
        "port": str(made["port"]),
        **({"attribute.master_password": password} if password else {}),
    }
    return _secret(resource, reference["name"], details, CONNECTION, {"controller": True, "blockOwnerDeletion": True})


def read(secret: Json | None) -> dict[str, str]:
    """Returns what is in a Secret."""
    return {key: b64decode(value).decode() for key, value in ((secret or {}).get("data") or {}).items()}


def _secret(resource: Json, name: str, data: dict[str, str], type_: str, ownership: dict[str, Any]) -> Json:
    meta = resource["metadata"]
    owner = {"apiVersion": resource["apiVersion"], "kind": resource["kind"], "name": meta["name"], "uid": meta["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": type_,
        "metadata": {"name": name, "namespace": meta["namespace"], "ownerReferences": [{**owner, **ownership}]},
        "data": {key: b64encode(value.encode()).decode() for key, value in sorted(data.items())},
    }
