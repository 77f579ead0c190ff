"""A network and its zones, as every concern of it sees them."""

from dataclasses import dataclass
from ipaddress import IPv4Network

from tap_api import addressing
from tap_api.base import Json
from tap_api.kinds import RegionalNetworkSpec
from tap_api.regions import zones
from tap_api.sections import NetworkSpec
from tap_stack.catalogue import AwsKind
from tap_stack.managed import Handling, managed
from tap_stack.resource import Resource
from tap_stack.subject import Subject
from tap_stack.values import Unknown


@dataclass(frozen=True)
class Zone:
    """A zone of a network.

    Attributes:
        letter: What tells it apart in keys: a zone keeps its keys however many zones there are.
        name: Its name.
        ranges: Address range of each tier, in the order public, private, database.
    """

    letter: str
    name: str
    ranges: dict[str, IPv4Network]


@dataclass(frozen=True)
class Network:
    """A network and its zones."""

    subject: Subject[RegionalNetworkSpec]
    zones: tuple[Zone, ...]

    @classmethod
    def of(cls, subject: Subject[RegionalNetworkSpec]) -> "Network":
        """Returns the network that `subject` asks for."""
        names = zones(subject.region, subject.spec.network.zones)
        plans = addressing.plan(IPv4Network(subject.spec.cidr))
        return cls(
            subject,
            tuple(
                Zone(
                    letter=name.removeprefix(subject.region),
                    name=name,
                    ranges={"public": plan.public, "private": plan.private, "database": plan.database},
                )
                for name, plan in zip(names, plans, strict=False)
            ),
        )

    @property
    def spec(self) -> NetworkSpec:
        """What is chosen for it."""
        return self.subject.spec.network

    def make(  # noqa: PLR0913  (as managed, which says all of a resource at once)
        self,
        key: str,
        kind: AwsKind,
        for_provider: Json,
        *,
        external_name: str = "",
        kept: bool = False,
        after: tuple[str | Unknown, ...] = (),
    ) -> Resource:
        """Returns an AWS resource of this network, which waits for what it comes `after`; see managed.

        With `kept` it stays in AWS with the data of a protected region: AWS deletes no VPC, subnet or group that a
        database lies in, and a delete that cannot end holds up everything else.
        """
        handling = Handling(retained=kept and self.subject.spec.protection, after=after)
        return managed(self.subject, key, kind, for_provider, external_name=external_name, handling=handling)
