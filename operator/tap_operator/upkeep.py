"""One pass over one CidrBlock: what live reads show of each of its claims, and what of that is to be written.

A claim is released once nothing can use its range any more: its region has left the spec, and its RegionalTap, its
RegionalNetwork and its VPC's object are absent. Where its owner is absent too, nobody can say that this was meant (a
restore brings objects back one by one), so that has to last a while. Nothing is remembered but since when.
"""

import asyncio
import logging
from collections.abc import Callable

from tap_api.base import Json
from tap_api.blocks import CidrClaim
from tap_api.claims import claims_of, mark, release
from tap_api.kinds import KINDS, PARTS
from tap_api.naming import part_name
from tap_api.tenure import Action, Sight, Verdict, judge, lags
from tap_operator.cluster import REGIONAL_TAPS, Cluster, Resource, resource
from tap_operator.errors import ClusterError
from tap_operator.reservations import CIDR_BLOCKS, vpc_of, write

_LOG = logging.getLogger(__name__)
#: Seconds that an owner and its region have to be absent before a claim is released.
ORPHANED_FOR = 60.0
#: Seconds until what is on its way out, or on its way to say that protection was lifted, is looked at again.
_POLL_SOON = 3.0
_POLL_MARK = 15.0
_NETWORKS = resource(next(kind for kind in PARTS if kind.part == "network"))


def _now() -> float:
    return asyncio.get_running_loop().time()


class Upkeep:
    """The passes over blocks."""

    def __init__(self, cluster: Cluster, *, now: Callable[[], float] = _now) -> None:
        """Args: the cluster, and what tells the seconds."""
        self._cluster = cluster
        self._now = now
        self._absent_since: dict[tuple[str, str, str], float] = {}

    async def pass_over(self, name: str) -> float | None:
        """Marks and releases claims of the block of that name; returns when to look again, None for no need.

        Raises:
            ClusterError: the cluster could not be read; of what it does not say nothing is concluded.
        """
        block = await self._cluster.get(CIDR_BLOCKS, "", name, must_be_served=True)
        claims = claims_of(block)
        self._forget(name, claims)
        if block is None:
            return None
        again: list[float] = []
        for claim in claims:
            sight = await self._look(claim)
            verdict = judge(block["spec"]["peeringGroup"], claim, sight)
            wait = self._wait(name, claim, verdict)
            goes = verdict.action in (Action.RELEASE, Action.ORPHANED) and wait <= 0
            if goes and claim.releasing:
                changed = release(block, claim)
            else:
                marks = {"protected": verdict.protected, "retained": verdict.retained, "releasing": goes}
                changed = mark(block, claim, **marks)
                again.extend([0.0] * goes)
            if changed is not None:
                try:
                    # Over the version that was read before all else was: whoever claimed meanwhile wins.
                    block = await write(self._cluster, block, changed)
                except ClusterError as error:
                    if error.reason != "Conflict":
                        raise
                    return 0.0
                self._say(claim, verdict, released=goes and claim.releasing)
            if wait > 0:
                again.append(wait)
            elif verdict.protected and lags(claim, sight):
                again.append(_POLL_MARK)
        return min(again, default=None)

    def _wait(self, block: str, claim: CidrClaim, verdict: Verdict) -> float:
        """Returns for how long to wait with a claim; 0 for one that stands, or is to go."""
        key = (block, claim.cidr, claim.owner.uid)
        if verdict.action is not Action.ORPHANED:
            self._absent_since.pop(key, None)
            return _POLL_SOON if verdict.action is Action.WAIT else 0.0
        return self._absent_since.setdefault(key, self._now()) + ORPHANED_FOR - self._now()

    def _forget(self, block: str, claims: tuple[CidrClaim, ...]) -> None:
        there = {(block, claim.cidr, claim.owner.uid) for claim in claims}
        for key in [key for key in self._absent_since if key[0] == block and key not in there]:
            del self._absent_since[key]

    @staticmethod
    def _say(claim: CidrClaim, verdict: Verdict, *, released: bool) -> None:
        where = f"{claim.cidr} of RegionalTap {claim.regional_tap.namespace}/{claim.regional_tap.name}"
        if released:
            _LOG.info("released %s", where)
        elif verdict.retained:
            _LOG.warning("kept %s: its region is gone and its VPC was left in AWS", where)

    async def _look(self, claim: CidrClaim) -> Sight:
        owner, tap = claim.owner, claim.regional_tap
        regional_tap = await self._get(REGIONAL_TAPS, tap.namespace, tap.name)
        itself = (owner.kind, owner.namespace, owner.name) == ("RegionalTap", tap.namespace, tap.name)
        return Sight(
            owner=regional_tap if itself else await self._get(resource(KINDS[owner.kind]), owner.namespace, owner.name),
            regional_tap=regional_tap,
            network=await self._get(_NETWORKS, tap.namespace, part_name(tap.name, "network")),
            vpc=await vpc_of(self._cluster, tap.namespace, tap.name),
        )

    async def _get(self, what: Resource, namespace: str, name: str) -> Json | None:
        return await self._cluster.get(what, namespace, name, must_be_served=True)
