"""The files of a saved state, made from a snapshot and read back. Pure: texts by path.

    infrastructure/global/<namespace>/<name>/index.json        versions, and a checksum of every other file
                                             environment.yaml  the EnvironmentTap
                                             observed.json
    infrastructure/<region>/<namespace>/<name>/region.yaml     the RegionalTap and its parts
                                               resources.yaml  what is in AWS, each with its external name
                                               outputs.json
                                               observed.json   owner and status of each object in the two YAML files

The YAML files are manifests to apply: they carry nothing that belongs to the cluster they came from. What a plan needs
beside (whose a resource is, and what AWS said of it) is in observed.json, and `objects` joins the two.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from tap_api import manifest
from tap_api.base import API_VERSION, GROUP, Json, own_spec
from tap_api.errors import TapError
from tap_api.kinds import KINDS
from tap_api.naming import LABEL_REGION
from tap_cli.snapshot import Snapshot
from tap_stack.plan.state import controller

FORMAT = 1
INDEX, OBSERVED = "index.json", "observed.json"
ROOT = "infrastructure"
EXTERNAL_NAME = "crossplane.io/external-name"
#: Annotations that tell of the cluster and not of the resource.
_PASSING = ("kubectl.kubernetes.io/", "crossplane.io/external-create-", f"{GROUP}/intent")
#: What is kept of an owner; its kind and name are filled in.
_OWNER = {"apiVersion": API_VERSION, "kind": "", "name": ""}
_IDENTITY = ("name", "namespace", "labels", "annotations")


def files(snapshot: Snapshot, versions: Mapping[str, str], when: str, *, apart: str = "") -> dict[str, str]:
    """Returns the files of an environment, the index last.

    Args:
        snapshot: What there is, managed resources included.
        versions: What wrote it, and what it was read from.
        when: The time.
        apart: A folder below each region's, so that one export overwrites nothing of another.
    """
    where = f"{snapshot.namespace}/{snapshot.name}"
    stamped = f"{where}/{apart}" if apart else where
    head = f"{ROOT}/global/{stamped}"
    made = {f"{head}/environment.yaml": _yaml([snapshot.environment])}
    made[f"{head}/{OBSERVED}"] = _json([_seen(snapshot.environment)])
    for tap in snapshot.regions:
        region, name = str(tap["spec"]["region"]), str(tap["metadata"]["name"])
        parts = [part for part in snapshot.parts if controller(part)[1] == name]
        above = {name, *(str(part["metadata"]["name"]) for part in parts)}
        resources = [item for item in snapshot.resources if controller(item)[1] in above]
        place = f"{ROOT}/{region}/{stamped}"
        made[f"{place}/region.yaml"] = _yaml([tap, *parts])
        made[f"{place}/resources.yaml"] = _yaml(resources)
        made[f"{place}/outputs.json"] = _json((tap.get("status") or {}).get("outputs") or {})
        made[f"{place}/{OBSERVED}"] = _json([_seen(item) for item in (tap, *parts, *resources)])
    index = {
        "format": FORMAT,
        "environment": {"namespace": snapshot.namespace, "name": snapshot.name},
        "exportedAt": when,
        "versions": dict(versions),
        "resources": len(snapshot.resources),
        "withoutExternalName": sorted(map(_named, filter(is_unnamed, snapshot.resources))),
        "files": {path: _checksum(text) for path, text in made.items()},
    }
    return {**made, f"{ROOT}/global/{where}/{INDEX}": _json(index)}


def objects(texts: Mapping[str, str], folder: Path) -> list[Json]:
    """Returns the objects of a saved state, as an apiserver would hold them; `folder` is named in errors.

    Args:
        texts: The text of each file, by its path below the folder.
        folder: The folder.

    Raises:
        TapError: a file is missing, damaged or changed, or is of a format that this version does not know.
    """
    found: list[Json] = []
    for path, text in texts.items():
        if PurePosixPath(path).name == INDEX:
            index = _parsed(text)
            if isinstance(index, dict) and index.get("format") != FORMAT:
                message = f"{folder / path}: format {index.get('format')!r}; this `tap` reads format {FORMAT}"
                raise TapError(message)
            if not (isinstance(index, dict) and isinstance(index.get("files"), dict)):
                message = f"{folder / path}: is damaged, it names no files; export the state again"
                raise TapError(message)
            found += _of_index(index, texts, folder)
    return found


def environment_of(path: str) -> tuple[str, ...]:
    """Returns namespace and name of the environment that a file of this path is of."""
    return PurePosixPath(path).parts[2:4]


def is_state(texts: Iterable[str]) -> bool:
    """Returns whether files of these paths are a saved state."""
    return any(PurePosixPath(path).name == INDEX and ROOT in PurePosixPath(path).parts for path in texts)


def _of_index(index: Mapping[str, Any], texts: Mapping[str, str], folder: Path) -> list[Json]:
    found: list[Json] = []
    seen: dict[tuple[str, str, str], Json] = {}
    for path, checksum in index["files"].items():
        if path not in texts:
            message = f"{folder / path}: is missing, and the index names it; export the state again"
            raise TapError(message)
        if _checksum(texts[path]) != checksum:
            message = f"{folder / path}: was changed since it was exported; export the state again"
            raise TapError(message)
        if path.endswith(OBSERVED):
            items = _parsed(texts[path])
            if not (isinstance(items, list) and all(map(_is_seen, items))):
                message = f"{folder / path}: is damaged, it is no list of what was seen; export the state again"
                raise TapError(message)
            seen |= {(item["apiVersion"], item["kind"], item["name"]): item for item in items}
        elif path.endswith(".yaml"):
            found += manifest.load(texts[path], folder / path)
    return [_joined(item, seen.get((item["apiVersion"], item["kind"], item["metadata"]["name"]), {})) for item in found]


def _parsed(text: str) -> Any:  # noqa: ANN401
    """Returns what a text holds as JSON, None where it holds none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_seen(item: object) -> bool:
    """Returns whether a value has the shape that `_seen` gives."""
    if not (isinstance(item, dict) and all(isinstance(item.get(key), str) for key in ("apiVersion", "kind", "name"))):
        return False
    owner, status = item.get("owner", _OWNER), item.get("status", {})
    return isinstance(owner, dict) and owner.keys() == _OWNER.keys() and isinstance(status, dict)


def _joined(item: Json, seen: Mapping[str, Any]) -> Json:
    """Returns a saved object as an apiserver would hold it; uids, which belong to a cluster, are made of names."""
    metadata = dict(item["metadata"])
    if item["kind"] in KINDS:
        metadata["uid"] = _uid(item["kind"], metadata["name"])
    owner = seen.get("owner")
    if owner:
        metadata["ownerReferences"] = [{**owner, "uid": _uid(owner["kind"], owner["name"]), "controller": True}]
    return {**item, "metadata": metadata, **({"status": seen["status"]} if seen.get("status") else {})}


def _uid(kind: str, name: str) -> str:
    return f"saved-{kind}-{name}"


def _bare(item: Mapping[str, Any]) -> Json:
    """Returns a manifest to apply: without uid, versions, owners, status, and Crossplane's machinery."""
    meta = item["metadata"]
    metadata = {key: meta[key] for key in _IDENTITY if meta.get(key)}
    notes = {key: text for key, text in (meta.get("annotations") or {}).items() if not key.startswith(_PASSING)}
    metadata.pop("annotations", None)
    if notes:
        metadata["annotations"] = notes
    head = {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": metadata}
    return {**head, "spec": own_spec(item["spec"])}


def _seen(item: Mapping[str, Any]) -> Json:
    kind, name, _ = controller(item)
    owner = {"owner": {**_OWNER, "kind": kind, "name": name}} if kind in KINDS else {}
    status = {"status": item["status"]} if item.get("status") else {}
    return {"apiVersion": item["apiVersion"], "kind": item["kind"], "name": item["metadata"]["name"], **owner, **status}


def is_unnamed(item: Mapping[str, Any]) -> bool:
    """Returns whether a resource has no external name: it is not made, or the provider keeps none for its kind."""
    return not (item["metadata"].get("annotations") or {}).get(EXTERNAL_NAME)


def is_unmade(item: Mapping[str, Any]) -> bool:
    """Returns whether nothing is in AWS of a resource yet, as far as the provider has said."""
    return is_unnamed(item) and not ((item.get("status") or {}).get("atProvider") or {}).get("id")


def _named(item: Mapping[str, Any]) -> str:
    region = (item["metadata"].get("labels") or {}).get(LABEL_REGION, "")
    return f"{region + ': ' if region else ''}{item['kind']} {item['metadata']['name']}"


def _yaml(items: Sequence[Mapping[str, Any]]) -> str:
    ordered = sorted(items, key=lambda item: (item["kind"] not in KINDS, item["kind"], item["metadata"]["name"]))
    return manifest.dump(map(_bare, ordered)) if ordered else ""


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _checksum(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
