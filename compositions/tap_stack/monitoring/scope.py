"""What is watched in a region, as every concern of monitoring sees it."""

from dataclasses import dataclass

from tap_api.base import Json
from tap_api.common import Role
from tap_api.kinds import RegionalMonitoringSpec
from tap_api.sections import MonitoringSpec
from tap_stack import names
from tap_stack.catalogue import AwsKind
from tap_stack.documents import Text, arn
from tap_stack.managed import AS_USUAL, Handling, managed
from tap_stack.resource import Resource
from tap_stack.subject import Subject
from tap_stack.values import Unknown


@dataclass(frozen=True)
class Monitoring:
    """What is watched in a region."""

    subject: Subject[RegionalMonitoringSpec]

    @property
    def spec(self) -> MonitoringSpec:
        """What is chosen for it."""
        return self.subject.spec.monitoring

    @property
    def topic_arn(self) -> Text:
        """ARN of the topic, computed: MetricAlarm's own reference gives the ARN of a scaling policy."""
        return self.arn("sns", names.topic(self.subject))

    @property
    def api_id(self) -> Text:
        """Id of the HTTP API, which AWS chooses."""
        return self.subject.spec.api_id or Unknown("the region's HTTP API, which AWS gives an id")

    @property
    def key_id(self) -> Text:
        """Id of the region's key."""
        key_arn = self.subject.key_arn
        return key_arn if isinstance(key_arn, Unknown) else key_arn.rpartition("/")[2]

    @property
    def namespace(self) -> str:
        """Namespace of the metrics that are drawn from logs."""
        return f"TAP/{self.subject.account_name()}"

    @property
    def replicates(self) -> bool:
        """Whether the database here follows one in another region."""
        return self.subject.spec.database.global_ and self.subject.spec.role is Role.SECONDARY

    def arn(self, service: str, resource: str) -> Text:
        """Returns the ARN of something in this region and account."""
        return arn(service, self.subject.region, self.subject.account, resource)

    def make(
        self, key: str, kind: AwsKind, for_provider: Json, *, external_name: str = "", handling: Handling = AS_USUAL
    ) -> Resource:
        """Returns an AWS resource of this part; see managed."""
        return managed(self.subject, key, kind, for_provider, external_name=external_name, handling=handling)
