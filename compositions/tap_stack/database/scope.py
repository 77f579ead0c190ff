"""A database and its place in the environment, as every concern of it sees them."""

from dataclasses import dataclass

from tap_api.base import Json
from tap_api.common import Role
from tap_api.kinds import RegionalDatabaseSpec
from tap_api.sections import DatabaseSpec, LogExport
from tap_stack.catalogue import AwsKind
from tap_stack.managed import AS_USUAL, Handling, managed
from tap_stack.resource import Resource
from tap_stack.subject import Subject

ENGINE = "aurora-mysql"
CLUSTER = "cluster"


@dataclass(frozen=True)
class Database:
    """A database and its place in the environment."""

    subject: Subject[RegionalDatabaseSpec]

    @property
    def spec(self) -> DatabaseSpec:
        """What is chosen for it."""
        return self.subject.spec.database

    @property
    def protected(self) -> bool:
        """Whether it refuses to be deleted."""
        return self.subject.spec.protection

    @property
    def is_primary(self) -> bool:
        """Whether it owns a global database."""
        return self.spec.global_ and self.subject.spec.role is Role.PRIMARY

    @property
    def is_secondary(self) -> bool:
        """Whether it joins the global database of another region."""
        return self.spec.global_ and self.subject.spec.role is Role.SECONDARY

    @property
    def exports(self) -> tuple[LogExport, ...]:
        """The logs that go to CloudWatch, each once, in the order in which AWS shows them."""
        return tuple(sorted(set(self.spec.log_exports)))

    def make(
        self, key: str, kind: AwsKind, for_provider: Json, *, external_name: str = "", handling: Handling = AS_USUAL
    ) -> Resource:
        """Returns an AWS resource of this database; see managed."""
        return managed(self.subject, key, kind, for_provider, external_name=external_name, handling=handling)
