"""Claims of address ranges, made before the region that uses them: read the block, ask tap_api.claims, write, again.

Each write carries the resourceVersion that its answer was computed from (or creates the block by its name), so of two
who want one range one is told, reads again and finds the other's claim.
"""

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tap_api.base import Json
from tap_api.blocks import CidrClaim
from tap_api.claims import AlreadyMine, Answer, Conflict, Reowned, Wish, claim
from tap_api.fanout import is_controlled
from tap_api.kinds import CIDR_BLOCK
from tap_api.naming import VPC_KEY, part_name, resource_name
from tap_api.rollup import Trouble
from tap_api.tenure import wish
from tap_operator.cluster import Cluster, Resource, resource
from tap_operator.errors import ClusterError

_LOG = logging.getLogger(__name__)
CIDR_BLOCKS = resource(CIDR_BLOCK)
VPCS = Resource("ec2.aws.m.upbound.io/v1beta1", "vpcs")
#: Somebody else was quicker.
_LOST = ("Conflict", "AlreadyExists")
_TRIES = 12
_JITTER = 0.02


@dataclass
class Reserved:
    """What came of the claims of an environment.

    Attributes:
        troubles: Why a region has no claim, by region.
        blocks: The blocks that hold what is in the way: once one changes, it is worth another try.
        lagging: Blocks with a claim that is still marked protected, though that was lifted.
    """

    troubles: dict[str, Trouble] = field(default_factory=dict)
    blocks: set[str] = field(default_factory=set)
    lagging: set[str] = field(default_factory=set)


async def reserve(cluster: Cluster, wanted: Wish) -> CidrClaim | Conflict:
    """Claims a range; returns the claim as it stands then, or what is in its way.

    Raises:
        ClusterError: the block could not be read or written.
    """
    for turn in range(_TRIES):
        block = await cluster.get(CIDR_BLOCKS, "", wanted.block)
        answer = await _ask(cluster, block, wanted)
        if isinstance(answer, Conflict):
            return answer
        if isinstance(answer, AlreadyMine):
            return answer.claim
        try:
            await write(cluster, block, answer.block)
        except ClusterError as error:
            if error.reason not in _LOST:
                raise
            await asyncio.sleep(random.uniform(0, _JITTER * 2**turn))  # noqa: S311
            continue
        verb = "handed on" if isinstance(answer, Reowned) else "claimed"
        tap = wanted.claim.regional_tap
        _LOG.info("%s %s for RegionalTap %s/%s", wanted.claim.cidr, verb, tap.namespace, tap.name)
        return answer.claim
    message = f"CidrBlock {wanted.block} changed at each of {_TRIES} tries to claim {wanted.claim.cidr}"
    raise ClusterError(409, "Contended", message)


async def write(cluster: Cluster, before: Json | None, block: Json) -> Json:
    """Writes a block in the place of the one that was read; `Conflict` or `AlreadyExists` if that is not there now."""
    return await (cluster.create(CIDR_BLOCKS, block) if before is None else cluster.replace(CIDR_BLOCKS, block))


async def vpc_of(cluster: Cluster, namespace: str, regional_tap: str) -> Json | None:
    """Returns the object of a region's VPC.

    Raises:
        ClusterError: it could not be read; its kind not being served is no sign that there is no VPC.
    """
    name = resource_name(part_name(regional_tap, "network"), VPC_KEY)
    return await cluster.get(VPCS, namespace, name, must_be_served=True)


async def _ask(cluster: Cluster, block: Json | None, wanted: Wish) -> Answer:
    answer = claim(block, wanted)
    if not isinstance(answer, Conflict) or answer.reason != "Retained":
        return answer
    vpc = await vpc_of(cluster, wanted.claim.regional_tap.namespace, wanted.claim.regional_tap.name)
    stays = vpc is not None and not vpc["metadata"].get("deletionTimestamp")
    return claim(block, wanted, vpc_there=True) if stays else answer


async def reserve_regions(
    cluster: Cluster,
    environment_tap: Json,
    wanted: Sequence[Json],
    observed: Mapping[str, Json],
    failures: list[ClusterError],
) -> Reserved:
    """Claims the range of each RegionalTap of `wanted`; what is to be tried again soon goes into `failures`."""
    done = Reserved()
    for manifest in wanted:
        region = manifest["spec"]["region"]
        live = observed.get(region)
        if live is not None and not is_controlled(live, environment_tap["metadata"]["uid"]):
            continue  # The name is taken; a range would be of no use.
        asked = wish(manifest, environment_tap)
        try:
            found = await reserve(cluster, asked)
        except ClusterError as error:
            failures.append(error)
            done.troubles[region] = Trouble(error.reason, f"{asked.claim.cidr} cannot be claimed: {error}")
            continue
        if isinstance(found, Conflict):
            done.troubles[region] = Trouble(found.reason, found.message)
            done.blocks.add(asked.block)
        elif found.protected and not asked.claim.protected:
            done.lagging.add(asked.block)
    return done
