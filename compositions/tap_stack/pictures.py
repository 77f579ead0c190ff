"""Pictures of a region and of an environment, drawn from what is composed: who refers to whom, and who names whom.

Nobody keeps them: a resource that is added, or that begins to use another one, is in the picture at the next
`make generate`. Kinds stand for their resources, or nobody would see anything.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tap_api.base import GROUP, Json
from tap_api.fanout import fan_out
from tap_api.kinds import ENVIRONMENT_TAP, KINDS, PARTS
from tap_stack import aws, key, region
from tap_stack.catalogue import AwsKind
from tap_stack.documents import Text
from tap_stack.observation import Observed, of
from tap_stack.parts import BUILT
from tap_stack.resource import Resource
from tap_stack.subject import admit
from tap_stack.tree import walk
from tap_stack.values import Ref, find

#: The environment that is drawn: production, in the regions that come with it.
_REGIONS = {"us-east-1": "10.0.0.0/16", "us-east-2": "10.1.0.0/16", "eu-west-1": "10.2.0.0/16"}
_ACCOUNT = "123456789012"
_API_ID = "theapiid"
_PART_OF_KEY = "key"

#: Kinds that others name by a value, where a reference would give the wrong one (05, section 1.1).
_NAMED = (aws.FUNCTION, aws.DB_CLUSTER, aws.DB_GLOBAL_CLUSTER, aws.TABLE, aws.BUCKET, aws.QUEUE, aws.TOPIC)


@dataclass(frozen=True)
class Node:
    """A resource, or all resources of a kind in a part.

    Attributes:
        region: Its region.
        part: Its part; `key` for the key and its alias.
        kind: Its kind.
        name: Its name in the cluster; empty where it stands for a kind.
    """

    region: str
    part: str
    kind: AwsKind
    name: str = ""


@dataclass(frozen=True)
class Graph:
    """What is composed.

    Attributes:
        nodes: Every resource.
        edges: Pairs: a resource, and one that it needs.
    """

    nodes: tuple[Node, ...]
    edges: tuple[tuple[Node, Node], ...]


def graph() -> Graph:
    """Returns the graph of the environment that is drawn."""
    claim = ENVIRONMENT_TAP.reference("prod", "tap-prod")
    claim["metadata"]["uid"] = "0"
    claim["spec"] = {
        "environment": "prod",
        "primaryRegion": next(iter(_REGIONS)),
        "tags": {"CostCenter": "0"},
        "regions": [{"name": name, "cidr": cidr} for name, cidr in _REGIONS.items()],
    }
    taps = fan_out(claim, {})
    primary = _resources(taps[0])
    for tap in taps:
        tap["spec"]["facts"] = _facts(tap, primary)
    found = [pair for tap in taps for pair in _resources(tap)]
    return Graph(tuple(node for node, _ in found), tuple(_edges(found)))


def region_picture(drawn: Graph) -> str:
    """Returns the picture of the primary region: its kinds, by part."""
    home = next(iter(_REGIONS))
    kinds = Counter(replace(node, name="") for node in drawn.nodes if node.region == home)
    lines = ["flowchart LR"]
    for part in (_PART_OF_KEY, *(kind.part for kind in PARTS)):
        lines.append(f'  subgraph {part}["{part}"]')
        lines += [f"    {_id(node)}[{_label(node, count)}]" for node, count in kinds.items() if node.part == part]
        lines.append("  end")
    edges = {(replace(a, name=""), replace(b, name="")) for a, b in drawn.edges if a.region == b.region == home}
    lines += sorted(f"  {_id(a)} --> {_id(b)}" for a, b in edges if a != b and b.kind != aws.KEY)
    encrypted = sorted({_id(a) for a, b in edges if b.kind == aws.KEY and a.kind != aws.KEY_ALIAS})
    key_id = _id(next(node for node in kinds if node.kind == aws.KEY))
    lines += [f"  {node} -.-> {key_id}" for node in encrypted]
    return _fenced(lines)


def environment_picture(drawn: Graph) -> str:
    """Returns the picture of the environment: regions and parts, and what crosses from one region to another."""
    lines = ["flowchart TB"]
    for name, cidr in _REGIONS.items():
        role = "primary" if name == next(iter(_REGIONS)) else "secondary"
        lines.append(f'  subgraph {_word(name)}["{name} ({role}, {cidr})"]')
        for part in (_PART_OF_KEY, *(kind.part for kind in PARTS)):
            count = sum(node.region == name and node.part == part for node in drawn.nodes)
            lines.append(f'    {_word(name)}_{part}["{part} ({count})"]')
        lines.append("  end")
    inside: set[str] = set()
    across: dict[tuple[str, str], set[str]] = {}
    for one, other in drawn.edges:
        ends = (f"{_word(one.region)}_{one.part}", f"{_word(other.region)}_{other.part}")
        if one.region != other.region:
            across.setdefault(ends, set()).add(f"{one.kind.kind} to {other.kind.kind}")
        elif other.part not in (one.part, _PART_OF_KEY):
            inside.add(f"  {ends[0]} --> {ends[1]}")
    lines += sorted(inside)
    lines += [f'  {a} == "{", ".join(sorted(what))}" ==> {b}' for (a, b), what in sorted(across.items())]
    return _fenced(lines)


def _resources(tap: Json) -> list[tuple[Node, Resource]]:
    """Returns the resources of a region once its account, its key and its API are known."""
    found = []
    for xr, _ in walk(tap, {tap["metadata"]["name"]: _observed(tap)}):
        subject = admit(xr, _observed(tap) if xr is tap else {})
        part = KINDS[xr["kind"]].part
        resources: Iterable[Resource] = BUILT[part].resources(subject) if part else region.resources(subject)  # type: ignore[arg-type]
        for resource in resources:
            group, _, _ = resource.manifest["apiVersion"].partition("/")
            if group != GROUP:
                kind = _KINDS[group, resource.manifest["kind"]]
                name = resource.manifest["metadata"]["name"]
                found.append((Node(subject.region, part or _PART_OF_KEY, kind, name), resource))
    return found


_KINDS = {(kind.group, kind.kind): kind for kind in aws.KINDS}


def _observed(tap: Json) -> Observed:
    arn = _key_arn(tap["spec"]["region"])
    policy: Text = key.key_policy(tap["spec"]["region"], _ACCOUNT)
    return of(
        {
            "key": {"status": {"atProvider": {"arn": arn, "keyId": "key", "policy": policy}}},
            "processor": {"status": {"outputs": {"apiEndpoint": f"https://{_API_ID}.execute-api.x"}}},
        }
    )


def _key_arn(name: str) -> str:
    return f"arn:aws:kms:{name}:{_ACCOUNT}:key/the-key-of-{name}"


def _facts(tap: Json, primary: list[tuple[Node, Resource]]) -> Json:
    """Returns what a region is told of the others, as the operator would tell it."""
    others = [name for name in sorted(_REGIONS) if name != tap["spec"]["region"]]
    if tap["spec"]["role"] == "Primary":
        return {"replicas": [{"region": name, "keyArn": _key_arn(name)} for name in others]}
    names = {node.kind: _external_name(resource) for node, resource in primary}
    version = tap["spec"]["database"]["engineVersion"]
    table = f"arn:aws:dynamodb:{tap['spec']['region']}:{_ACCOUNT}:table/{names[aws.TABLE]}"
    return {
        "globalCluster": {
            "identifier": names[aws.DB_GLOBAL_CLUSTER],
            "engineVersion": version,
            "region": next(iter(_REGIONS)),
        },
        "sessionsTable": {"arn": table},
    }


def _edges(found: list[tuple[Node, Resource]]) -> Iterator[tuple[Node, Node]]:
    by_name = {node.name: node for node, _ in found}
    by_value = list(_values(found))
    for node, resource in found:
        own = {other.key: there for there, other in found if (there.region, there.part) == (node.region, node.part)}
        spec = {field: resource.manifest["spec"].get(field) for field in ("forProvider", "initProvider")}
        needed = [own[ref.key] for ref in find(spec, Ref)]
        needed += [by_name[name] for name in _references(spec) if name in by_name]
        needed += [own[key_] for key_ in resource.after if key_ in own]
        texts = find(spec, str)
        for value, home, other in by_value:
            if other != node and any(_names(text, value, home, node.region) for text in texts):
                needed.append(other)
        yield from ((node, other) for other in dict.fromkeys(needed))


def _values(found: list[tuple[Node, Resource]]) -> Iterator[tuple[str, str, Node]]:
    """Yields what others name a resource by, the region that it is named in, and the resource."""
    for node, resource in found:
        if node.kind == aws.KEY:
            yield f"the-key-of-{node.region}", "", node
        elif node.kind == aws.API:
            yield _API_ID, node.region, node
        elif node.kind == aws.QUEUE:
            yield str(resource.manifest["spec"]["forProvider"]["name"]), node.region, node
        elif node.kind in _NAMED:
            # A global cluster is in no region.
            yield _external_name(resource), "" if node.kind == aws.DB_GLOBAL_CLUSTER else node.region, node


def _names(text: str, value: str, home: str, here: str) -> bool:
    """Returns whether `text`, in region `here`, names the resource that is called `value` in region `home`."""
    if not re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text) or ":role/" in text:
        return False
    return home in ("", here) or f":{home}:" in text


def _external_name(resource: Resource) -> str:
    return str(resource.manifest["metadata"].get("annotations", {}).get("crossplane.io/external-name", ""))


def _references(node: Any) -> Iterator[str]:  # noqa: ANN401
    if isinstance(node, Mapping):
        for field, value in node.items():
            references = value if field.endswith("Refs") and isinstance(value, list) else [value]
            if field.endswith(("Ref", "Refs")):
                yield from (str(reference["name"]) for reference in references if isinstance(reference, Mapping))
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _label(node: Node, count: int) -> str:
    return f'"{node.kind.kind}' + (f' ×{count}"' if count > 1 else '"')  # noqa: RUF001  (a times sign is meant)


def _id(node: Node) -> str:
    return f"{node.part}_{_word(str(node.kind))}"


def _word(text: str) -> str:
    return re.sub(r"\W", "_", text)


def _fenced(lines: list[str]) -> str:
    return "\n".join(["```mermaid", *lines, "```", ""])
