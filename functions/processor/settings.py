"""What the function is told by its environment. The composition writes it (compositions/tap_stack/processor)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The settings.

    Attributes:
        table: Name of the DynamoDB table.
        bucket: Name of the data bucket.
        ttl_attribute: Attribute of an item that DynamoDB expires it by.
        cluster_endpoint: Host of the Aurora cluster; empty where there is none, or none yet.
        cluster_port: Its port.
        cluster_ca_file: Certificates that its own is verified by; empty: it is not verified.
        log_level: Level of the log.
    """

    table: str
    bucket: str
    ttl_attribute: str = "expiresAt"
    cluster_endpoint: str = ""
    cluster_port: int = 3306
    cluster_ca_file: str = ""
    log_level: str = "INFO"

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Returns the settings of `environment`.

        Raises:
            KeyError: the table or the bucket is not named.
        """
        return cls(
            table=environment["TABLE_NAME"],
            bucket=environment["BUCKET_NAME"],
            ttl_attribute=environment.get("TTL_ATTRIBUTE", cls.ttl_attribute),
            cluster_endpoint=environment.get("CLUSTER_ENDPOINT", ""),
            cluster_port=int(environment.get("CLUSTER_PORT", cls.cluster_port)),
            cluster_ca_file=environment.get("CLUSTER_CA_FILE", ""),
            log_level=environment.get("LOG_LEVEL", cls.log_level),
        )
