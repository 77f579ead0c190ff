"""A writer of CidrBlocks that looks first and writes later: the operator's protocol without the compare-and-swap.

A double, and named as one. It finds out whether its range is free in the block that it reads, and adds its claim to
whatever the block holds by the time that it writes.
"""

from tap_api.base import Json
from tap_api.blocks import CidrClaim
from tap_api.claims import Claimed, Conflict, Wish, claim, claims_of
from tap_operator.cluster import Cluster, Resource
from tap_operator.errors import ClusterError

#: The kind that it writes on an apiserver without the rules of the true one.
UNRULED = Resource("unruled.tap.test/v1alpha1", "cidrblocks")


def unruled(crd: Json) -> Json:
    """Returns the CRD of CidrBlocks in a group of its own, without a single CEL rule."""
    made: Json = _without_rules(crd)
    group = UNRULED.api_version.partition("/")[0]
    made["metadata"] = {"name": f"{UNRULED.plural}.{group}"}
    made["spec"]["group"] = group
    made["spec"]["names"] = {key: value for key, value in made["spec"]["names"].items() if key != "shortNames"}
    return made


def _without_rules(node: Json) -> Json:
    return {
        key: _without_rules(value)
        if isinstance(value, dict)
        else [_without_rules(item) if isinstance(item, dict) else item for item in value]
        if isinstance(value, list)
        else value
        for key, value in node.items()
        if key != "x-kubernetes-validations"
    }


async def reserve_carelessly(cluster: Cluster, what: Resource, wanted: Wish) -> CidrClaim | Conflict:
    """Claims a range, or so it believes."""
    answer = claim(await cluster.get(what, "", wanted.block), wanted)
    if isinstance(answer, Conflict):
        return answer
    while True:
        latest = await cluster.get(what, "", wanted.block)
        try:
            if latest is None:
                assert isinstance(answer, Claimed)
                await cluster.create(what, {**answer.block, "apiVersion": what.api_version})
            else:
                added = [*(there.manifest() for there in claims_of(latest)), wanted.claim.manifest()]
                await cluster.replace(what, {**latest, "spec": {**latest["spec"], "claims": added}})
        except ClusterError as error:
            if error.reason in ("Conflict", "AlreadyExists"):
                continue
            if error.reason == "Invalid":
                return Conflict("Overlap", (), str(error))
            raise
        return wanted.claim
