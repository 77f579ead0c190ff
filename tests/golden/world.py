"""What a control plane and AWS make of what is composed, as far as the stack's tests need it: no loop, no time.

A double, and named as one: `World.turn` composes a RegionalTap and everything below it once, and then is Crossplane (it
stores what was asked for) and the provider (it fills status.atProvider).
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from tap_api import manifest
from tap_api.base import GROUP, Json
from tap_api.fanout import fan_out
from tap_api.naming import digest
from tap_stack.composed import Composed
from tap_stack.observation import Observation, of
from tap_stack.tree import stored, walk

CLAIMS = Path(__file__).resolve().parents[2] / "claims"
ACCOUNT = "123456789012"
AWS_DEFAULT_POLICY = '{"Version":"2012-10-17","Id":"key-default-1","Statement":[]}'
Composing = tuple[Json, Composed]


def claims() -> list[str]:
    """Returns the names of the claims, in the order of their files."""
    return sorted(path.stem for path in CLAIMS.glob("*.yaml"))


def environment_tap(claim: str) -> Json:
    """Returns a claim as the apiserver has it."""
    environment = manifest.read(CLAIMS / f"{claim}.yaml")[0]
    environment["metadata"]["uid"] = "11111111-1111-4111-8111-111111111111"
    environment["metadata"].setdefault("namespace", f"tap-{claim}")
    return environment


def regional_taps(claim: str) -> list[Json]:
    """Returns the RegionalTaps that fan out from a claim."""
    return fan_out(environment_tap(claim), {})


def regional_tap(claim: str, region: str) -> Json:
    """Returns the RegionalTap of one region of a claim."""
    return next(tap for tap in regional_taps(claim) if tap["spec"]["region"] == region)


def provided(resource: Json) -> Json:
    """Returns a managed resource as the provider leaves it: made, synced and ready."""
    spec, name, kind = resource["spec"]["forProvider"], resource["metadata"]["name"], resource["kind"]
    service = resource["apiVersion"].partition(".")[0]
    made: Json = {**spec, "id": f"{kind.lower()}-{digest(name)}"}
    made["arn"] = f"arn:aws:{service}:{spec.get('region', '')}:{ACCOUNT}:{kind.lower()}/{digest(name)}"
    made.update(_OF_AWS.get(f"{service}.{kind}", _nothing)(resource))
    if kind == "Key":
        # AWS keeps its own spelling of a policy.
        made["policy"] = spec.get("policy", AWS_DEFAULT_POLICY).replace(",", ", ")
        made["keyId"] = digest(name)
    return {**resource, "status": {"atProvider": made, "conditions": [_true("Ready"), _true("Synced")]}}


def _nothing(_resource: Json) -> Json:
    return {}


def _global_cluster(resource: Json) -> Json:
    name = _external_name(resource)
    return {
        "id": name,
        # A global database is in no region.
        "arn": f"arn:aws:rds::{ACCOUNT}:global-cluster:{name}",
        "engineVersionActual": resource["spec"]["forProvider"]["engineVersion"],
    }


def _cluster(resource: Json) -> Json:
    name, spec = _external_name(resource), resource["spec"]["forProvider"]
    host = f"{digest(name)}.{spec['region']}.rds.amazonaws.com"
    made: Json = {
        "id": name,
        "arn": f"arn:aws:rds:{spec['region']}:{ACCOUNT}:cluster:{name}",
        "endpoint": f"{name}.cluster-{host}",
        "readerEndpoint": f"{name}.cluster-ro-{host}",
        **resource["spec"].get("initProvider", {}),
    }
    if "globalClusterIdentifier" in spec and "masterUsername" not in spec:
        made["replicationSourceIdentifier"] = f"arn:aws:rds:{made['sourceRegion']}:{ACCOUNT}:cluster:primary"
    if spec.get("manageMasterUserPassword"):
        arn = f"arn:aws:secretsmanager:{spec['region']}:{ACCOUNT}:secret:rds!cluster-{digest(name)}"
        made["masterUserSecret"] = [{"secretArn": arn, "secretStatus": "active"}]
    return made


def _instance(resource: Json) -> Json:
    name, spec = _external_name(resource), resource["spec"]["forProvider"]
    # The first one made writes; a secondary's do not, but nothing here depends on that.
    writes = spec["promotionTier"] == 0
    return {"id": name, "endpoint": f"{name}.{spec['region']}.rds.amazonaws.com", "writer": writes}


def _table(resource: Json) -> Json:
    name, spec = _external_name(resource), resource["spec"]["forProvider"]
    arns = {
        replica["regionName"]: f"arn:aws:dynamodb:{replica['regionName']}:{ACCOUNT}:table/{name}"
        for replica in spec.get("replica", [])
    }
    return {
        "id": name,
        "arn": f"arn:aws:dynamodb:{spec['region']}:{ACCOUNT}:table/{name}",
        "replica": [{**replica, "arn": arns[replica["regionName"]]} for replica in spec.get("replica", [])],
    }


def _bucket(resource: Json) -> Json:
    name = _external_name(resource)
    return {"id": name, "arn": f"arn:aws:s3:::{name}"}


def _object(resource: Json) -> Json:
    return {"id": resource["spec"]["forProvider"]["key"], "versionId": digest(resource["metadata"]["name"], 32)}


def _function(resource: Json) -> Json:
    name, region = _external_name(resource), resource["spec"]["forProvider"]["region"]
    return {"id": name, "arn": f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}", "version": "1"}


def _alias(resource: Json) -> Json:
    name, spec = _external_name(resource), resource["spec"]["forProvider"]
    arn = f"arn:aws:lambda:{spec['region']}:{ACCOUNT}:function:{spec['functionNameRef']['name']}:{name}"
    path = f"path/2015-03-31/functions/{arn}/invocations"
    return {"id": arn, "arn": arn, "invokeArn": f"arn:aws:apigateway:{spec['region']}:lambda:{path}"}


def _queue(resource: Json) -> Json:
    spec = resource["spec"]["forProvider"]
    url = f"https://sqs.{spec['region']}.amazonaws.com/{ACCOUNT}/{spec['name']}"
    return {"id": url, "url": url, "arn": f"arn:aws:sqs:{spec['region']}:{ACCOUNT}:{spec['name']}"}


def _api(resource: Json) -> Json:
    region, found = resource["spec"]["forProvider"]["region"], digest(resource["metadata"]["name"], 10)
    return {
        "id": found,
        "apiEndpoint": f"https://{found}.execute-api.{region}.amazonaws.com",
        "executionArn": f"arn:aws:execute-api:{region}:{ACCOUNT}:{found}",
    }


def _dashboard(resource: Json) -> Json:
    name = _external_name(resource)
    # Dashboards are in no region.
    return {"id": name, "dashboardArn": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}"}


def _external_name(resource: Json) -> str:
    return str(resource["metadata"]["annotations"]["crossplane.io/external-name"])


#: Kind -> what AWS says of one, beside what was asked for.
_OF_AWS: dict[str, Callable[[Json], Json]] = {
    "rds.GlobalCluster": _global_cluster,
    "rds.Cluster": _cluster,
    "rds.ClusterInstance": _instance,
    "dynamodb.Table": _table,
    "s3.Bucket": _bucket,
    "s3.Object": _object,
    "lambda.Function": _function,
    "lambda.Alias": _alias,
    "sqs.Queue": _queue,
    "apigatewayv2.API": _api,
    "cloudwatch.Dashboard": _dashboard,
}


class World:
    """A RegionalTap, what it and its parts composed, and what became of it."""

    def __init__(self, tap: Json) -> None:
        """Args: tap: the RegionalTap."""
        self.tap = deepcopy(tap)
        self.tap["metadata"].setdefault("uid", str(uuid5(NAMESPACE_DNS, tap["metadata"]["name"])))
        self.objects: dict[str, dict[str, Json]] = {}

    def turn(self) -> list[Composing]:
        """Returns what composing gives now, parents first, and lets the world follow."""
        turned = list(self.look())
        results = {xr["metadata"]["name"]: composed for xr, composed in turned}
        for xr, composed in turned:
            self.objects[xr["metadata"]["name"]] = {
                resource.key: _followed(stored(xr, resource), results) for resource in composed.resources
            }
        self.tap["status"] = turned[0][1].status
        return turned

    def settle(self) -> list[Composing]:
        """Returns what composing gives once it gives the same twice."""
        before = self.turn()
        for _ in range(10):
            turned = self.turn()
            if [composed for _, composed in turned] == [composed for _, composed in before]:
                return turned
            before = turned
        message = "composing never comes to rest"
        raise AssertionError(message)

    def look(self) -> Iterator[Composing]:
        """Yields what composing gives now."""
        for xr, composed in walk(self.tap, {name: of(objects) for name, objects in self.objects.items()}):
            yield dict(xr), composed

    def observed(self, name: str) -> dict[str, Observation]:
        """Returns what the XR of that name composed so far."""
        return of(self.objects.get(name, {}))


class Environment:
    """A claim, and the world of each of its regions: facts go from one to another as the operator carries them."""

    def __init__(self, claim: str, **spec: Any) -> None:
        """Args: claim: name of the claim; spec: fields of its spec that are put in place of its own."""
        self.claim = environment_tap(claim)
        self.claim["spec"].update(spec)
        self.worlds = {tap["spec"]["region"]: World(tap) for tap in fan_out(self.claim, {})}

    def turn(self) -> dict[str, list[Composing]]:
        """Returns what composing gives now in each region, and lets the operator follow."""
        turned = {region: world.turn() for region, world in self.worlds.items()}
        observed = {region: world.tap for region, world in self.worlds.items()}
        for tap in fan_out(self.claim, observed):
            self.worlds[tap["spec"]["region"]].tap["spec"] = tap["spec"]
        return turned

    def settle(self) -> dict[str, list[Composing]]:
        """Returns what composing gives in each region once it gives the same twice."""
        before = self.turn()
        for _ in range(20):
            turned = self.turn()
            if all([c for _, c in turned[region]] == [c for _, c in before[region]] for region in turned):
                return turned
            before = turned
        message = "the environment never comes to rest"
        raise AssertionError(message)


def _followed(resource: Json, results: dict[str, Composed]) -> Json:
    resource["metadata"]["uid"] = str(uuid5(NAMESPACE_DNS, f"{resource['kind']}/{resource['metadata']['name']}"))
    if resource["apiVersion"].partition("/")[0] != GROUP:
        return provided(resource)
    composed = results[resource["metadata"]["name"]]
    ready = composed.ready is None and all(item.ready for item in composed.resources)
    conditions = [
        {"type": c.type, "status": c.status, "reason": c.reason, "message": c.message} for c in composed.conditions
    ]
    mine = [_true("Synced"), _true("Ready") if ready else {**_true("Ready"), "status": "False", "reason": "Creating"}]
    return {**resource, "status": {**composed.status, "conditions": [*conditions, *mine]}}


def _true(type_: str) -> dict[str, Any]:
    return {"type": type_, "status": "True", "reason": "Available" if type_ == "Ready" else "ReconcileSuccess"}
